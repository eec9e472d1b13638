"""Two images laid over each other as well as they fit, though one is cropped, moved or blurred."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import cv2
import numpy as np

COARSE = 0.9  # the correlation below which nothing is looked at more closely
THUMBNAIL = 12  # the side, in pixels, of what shows no detail
_SCALES = (1.0, 0.95, 0.9, 0.85)  # of a crop's sides
_SEARCH = 64  # the side, in pixels, at which a crop or a shift is looked for
_GLANCE, _HOPE = 32, 0.75  # the side of a first look, and the correlation there to look again
_NEAR = 0.95  # the same for a place to a part of a pixel
_STEPS, _CLIP, _TRIES = (0.02, 0.7, 0.7), (0.8, 1.05), 50  # of the search for scale, y and x
_BLURS = (0.6, 0.9, 1.2, 1.6)  # pixels: what making an image smaller and larger may amount to
_BORDER = 0.03  # of the longer side: how far an image may have been moved


@dataclass(frozen=True, kw_only=True)
class Likeness:
    """How alike two images are where one is laid over the other: the correlation of all pixels, and
    that of what a thumbnail does not show (1 where there is next to nothing)."""

    whole: float
    detail: float


def compare(first: np.ndarray, second: np.ndarray) -> Likeness:
    """Lay two images (H, W, C) uint8 over each other as well as they fit.

    Either may be a crop of the other, moved by a few pixels, or blurred.
    """
    if np.array_equal(first, second):
        return Likeness(whole=1.0, detail=1.0)
    both, small = (first, second), [_shrunk(image, _SEARCH) for image in (first, second)]
    grays = [cv2.cvtColor(image, cv2.COLOR_RGB2GRAY) for image in small]
    tiny = [_shrunk(image, _GLANCE) for image in grays]
    if tiny[0].shape != grays[0].shape and (glance := _best_overlay(*tiny)).correlation < _HOPE:
        large, crop = (1, 0) if glance.swapped else (0, 1)
        detail = _detail(*_overlap(tiny[large], tiny[crop], glance))
        return Likeness(whole=glance.correlation, detail=detail)
    best = _best_overlay(*grays)
    large, crop = (1, 0) if best.swapped else (0, 1)
    if best.correlation >= _NEAR:  # not worth the time for others
        best = _refined(grays[large], grays[crop], best)
    factor = first.shape[0] / small[0].shape[0]
    one, other = _overlap(both[large], both[crop], best.enlarged(factor))
    if best.correlation < COARSE:
        return Likeness(whole=best.correlation, detail=_detail(one, other))
    # JPEG halves the resolution of color: where colors are noisy, lightness alone stays the same.
    light = [cv2.cvtColor(image, cv2.COLOR_RGB2GRAY) for image in (one, other)]
    looks = [*_blurred(one, other), *_blurred(*light)]
    whole = max(_correlation(*pair) for pair in looks)
    return Likeness(whole=whole, detail=_detail(one, other))


def _shrunk(image: np.ndarray, side: int) -> np.ndarray:
    """The image within ``side`` x ``side`` pixels."""
    height, width = image.shape[:2]
    if (longer := max(height, width)) <= side:
        return image
    size = (round(width * side / longer), round(height * side / longer))
    found: np.ndarray = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
    return found


@dataclass(frozen=True, kw_only=True)
class Overlay:
    """One image, made smaller by ``scale``, laid over the other at ``place`` (y, x) of it."""

    correlation: float
    swapped: bool  # the first is laid over the second
    scale: float
    place: tuple[float, float]

    def at(self, numbers: np.ndarray) -> "Overlay":
        """Another scale and place: three numbers."""
        scale, y, x = numbers.tolist()
        return replace(self, scale=float(np.clip(scale, *_CLIP)), place=(y, x))

    def enlarged(self, factor: float) -> "Overlay":
        """The same in images that are larger by ``factor``."""
        y, x = (at * factor for at in self.place)
        return replace(self, place=(y, x))


def _best_overlay(first: np.ndarray, second: np.ndarray) -> Overlay:
    """The best of all places and scales; without its border, so that it may have been moved."""
    best = Overlay(correlation=-1.0, swapped=False, scale=1.0, place=(0, 0))
    for swapped, large, crop in ((False, first, second), (True, second, first)):
        for scale in _SCALES[swapped:]:  # of the same size, either may lie on top
            height, width = (round(length * scale) for length in crop.shape[:2])
            border = _border(crop)
            if min(height, width) < 2 * border + 4:
                continue
            smaller = cv2.resize(crop, (width, height), interpolation=cv2.INTER_AREA)
            patch = smaller[border : height - border, border : width - border]
            found = cv2.matchTemplate(large, patch, cv2.TM_CCOEFF_NORMED)
            _, value, _, (x, y) = cv2.minMaxLoc(np.nan_to_num(found, posinf=-1, neginf=-1))
            if value > best.correlation:
                place = (y - border, x - border)
                best = Overlay(correlation=value, swapped=swapped, scale=scale, place=place)
    return best


def _border(image: np.ndarray) -> int:
    return max(1, round(_BORDER * int(max(image.shape[:2]))))


def _refined(large: np.ndarray, crop: np.ndarray, overlay: Overlay) -> Overlay:
    """The overlay of a crop to a part of a pixel."""
    from scipy.optimize import minimize

    if overlay.scale == 1:
        return overlay
    start = np.array([overlay.scale, *overlay.place])
    found = minimize(
        lambda at: -_correlation(*_overlap(large, crop, overlay.at(at))),
        start,
        method="Nelder-Mead",
        options={"maxfev": _TRIES, "initial_simplex": [start, *(start + np.diag(_STEPS))]},
    )
    return overlay.at(found.x)


def _overlap(
    large: np.ndarray, crop: np.ndarray, overlay: Overlay
) -> tuple[np.ndarray, np.ndarray]:
    """What both images show, float32, in the resolution of the crop."""
    (height, width), (top, left), scale = crop.shape[:2], overlay.place, overlay.scale
    half = (scale - 1) / 2  # the middle of a pixel is where it is said to be
    moved = cv2.warpAffine(
        large.astype(np.float32),
        np.array([[scale, 0, left + half], [0, scale, top + half]]),
        (width, height),
        flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_REPLICATE,
    )
    border = _border(crop)
    cut = []
    for at, length, whole in ((top, height, large.shape[0]), (left, width, large.shape[1])):
        low = max(border, int(np.ceil(-at / scale)))
        cut.append(slice(low, min(length - border, int((whole - 1 - at) / scale) + 1)))
    return moved[cut[0], cut[1]], crop[cut[0], cut[1]].astype(np.float32)


def _blurred(one: np.ndarray, other: np.ndarray) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Both as they are, and with the one as blurred as the other may be."""
    yield one, other
    for sigma in _BLURS:
        yield cv2.GaussianBlur(one, (0, 0), sigma), other
        yield one, cv2.GaussianBlur(other, (0, 0), sigma)


def _detail(one: np.ndarray, other: np.ndarray) -> float:
    """The correlation of what a thumbnail does not show; 1 where there is next to nothing."""
    sigma = max(one.shape[:2]) / THUMBNAIL / 2
    parts = [image - cv2.GaussianBlur(image, (0, 0), sigma) for image in (one, other)]
    return 1.0 if min(part.std() for part in parts) < 1 else _correlation(*parts)  # gray level


def _correlation(one: np.ndarray, other: np.ndarray) -> float:
    """Pearson's, over all pixels and channels; -1 where an image is of one color."""
    if one.size == 0:
        return -1.0
    a, b = (image.ravel() - image.mean() for image in (one, other))
    length = float(np.sqrt((a @ a) * (b @ b)))
    return float(a @ b) / length if length > 0 else -1.0
