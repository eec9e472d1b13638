"""The commonest transforms without the ceremony of the library's calls, bit for bit.

The draws are the library's own, in its order, and OpenCV gets the arguments that the library would
give it; a test holds each shortcut to that. Spatial ones are drawn first and carried out after, on
a mask or on an image: whether a copy keeps its label shows in the mask alone, so a copy that is
going to be drawn again never moves its image.
"""

from collections.abc import Callable, Sequence
from typing import Any

import cv2
import numpy as np

Shape = tuple[int, ...]
Move = Callable[[np.ndarray, bool], np.ndarray]  # (pixels, whether they are a mask) -> moved

_IDENTITY = np.eye(3)
_CLOSE = 1e-8 + 1e-5 * _IDENTITY  # numpy.allclose, by which the library tells an identity


def draw(transforms: Sequence[Any], shape: Shape) -> list[Move] | None:
    """The moves of transforms whose random state is set, for an image of ``shape``.

    None, and nothing drawn, where a transform is not one of those known here.
    """
    names = [type(transform).__name__ for transform in transforms]
    grows = any(getattr(transform, "fit_output", False) for transform in transforms)
    turns = "RandomRotate90" in names and shape[0] != shape[1]  # may change the shape
    if grows or turns or not all(name in SPATIAL for name in names):
        return None
    return [
        SPATIAL[name](transform, shape)
        for name, transform in zip(names, transforms, strict=True)
        if transform.should_apply()
    ]


def carry_out(moves: Sequence[Move], pixels: np.ndarray, *, mask: bool) -> np.ndarray:
    """``pixels`` (H, W) or (H, W, C) after the moves; a copy, also where there is none."""
    moved = pixels
    for move in moves:
        moved = move(moved, mask)
    return moved.copy() if moved is pixels else moved


def recolor(transform: Any, image: np.ndarray) -> np.ndarray | None:
    """What a pixel transform whose random state is set makes of uint8 (H, W, 3).

    That may be ``image`` itself, which is never changed. None, and nothing drawn, where the
    transform is not one of those known here.
    """
    shortcut = PIXEL.get(type(transform).__name__)
    if shortcut is None or image.dtype != np.uint8 or image.shape[2:] != (3,):
        return None
    return shortcut(transform, image) if transform.should_apply() else image


def _horizontal_flip(transform: Any, shape: Shape) -> Move:
    return lambda pixels, mask: cv2.flip(pixels, 1)


def _vertical_flip(transform: Any, shape: Shape) -> Move:
    return lambda pixels, mask: cv2.flip(pixels, 0)


def _rotate_90(transform: Any, shape: Shape) -> Move:
    turns = transform.get_params()["factor"]
    return lambda pixels, mask: np.ascontiguousarray(np.rot90(pixels, turns))


def _affine(transform: Any, shape: Shape) -> Move:
    matrix = _matrix(transform, shape)
    if (np.abs(matrix - _IDENTITY) <= _CLOSE).all():
        return lambda pixels, mask: pixels
    return lambda pixels, mask: _warp(transform, matrix[:2], pixels, mask)


def _matrix(transform: Any, shape: Shape) -> np.ndarray:
    """Draw as ``Affine.get_params_dependent_on_data`` does, and build its matrix, but not boxes'.

    The product is the library's, factor by factor: another order would be other last bits.
    """
    draws = transform.py_random
    translate = transform._get_translate_params(shape[:2])
    shear = transform._get_shear_params()
    scale = transform._get_scale(
        transform.scale, transform.keep_ratio, transform.balanced_scale, draws
    )
    turn = np.deg2rad(draws.uniform(*transform.rotate) % 360)
    cos, sin = np.cos(turn), np.sin(turn)
    x, y = shape[1] / 2 - 0.5, shape[0] / 2 - 0.5
    lean_x, lean_y = np.tan(np.deg2rad(shear["x"])), np.tan(np.deg2rad(shear["y"]))
    matrix = _square(1, 0, x, 0, 1, y) @ _square(1, 0, translate["x"], 0, 1, translate["y"])
    matrix = matrix @ _square(1, lean_x, 0, lean_y, 1, 0) @ _square(cos, sin, 0, -sin, cos, 0)
    matrix = matrix @ _square(scale["x"], 0, 0, 0, scale["y"], 0) @ _square(1, 0, -x, 0, 1, -y)
    matrix[2] = 0, 0, 1
    return matrix


def _square(*two_rows: float) -> np.ndarray:
    return np.array([*two_rows, 0.0, 0.0, 1.0]).reshape(3, 3)


def _warp(transform: Any, matrix: np.ndarray, pixels: np.ndarray, mask: bool) -> np.ndarray:
    fill = transform.fill_mask if mask else transform.fill
    channels = pixels.shape[2] if pixels.ndim == 3 else 1
    return cv2.warpAffine(
        pixels,
        matrix,
        pixels.shape[1::-1],
        flags=transform.mask_interpolation if mask else transform.interpolation,
        borderMode=transform.border_mode,
        borderValue=[fill] * channels if isinstance(fill, float) else fill,
    )


SPATIAL: dict[str, Callable[[Any, Shape], Move]] = {
    "HorizontalFlip": _horizontal_flip,
    "VerticalFlip": _vertical_flip,
    "RandomRotate90": _rotate_90,
    "Affine": _affine,
}


def _hue_saturation_value(transform: Any, image: np.ndarray) -> np.ndarray:
    """One look-up table for all three channels, made by the library's arithmetic on every level."""
    from albucore import add_constant

    shifts = transform.get_params()
    levels = np.arange(256, dtype=np.uint8)
    table = np.repeat(levels, 3).reshape(1, 256, 3)
    if hue := shifts["hue_shift"]:
        table[0, :, 0] = np.mod(np.arange(256, dtype=np.int16) + hue, 180)
    if saturation := shifts["sat_shift"]:
        table[0, 1:, 1] = add_constant(levels[1:, None].copy(), saturation)[:, 0]  # gray stays gray
    if value := shifts["val_shift"]:
        table[0, :, 2] = add_constant(levels[:, None].copy(), value)[:, 0]
    if not any(shifts.values()):
        return image
    hsv = cv2.LUT(cv2.cvtColor(image, cv2.COLOR_RGB2HSV), table)
    return cv2.cvtColor(hsv, cv2.COLOR_HSV2RGB)


def _brightness_contrast(transform: Any, image: np.ndarray) -> np.ndarray:
    drawn = transform.get_params_dependent_on_data({}, {"image": image})
    return transform.apply(image, **drawn)


PIXEL: dict[str, Callable[[Any, np.ndarray], np.ndarray]] = {
    "RandomBrightnessContrast": _brightness_contrast,
    "HueSaturationValue": _hue_saturation_value,
}
