"""Where an image lands in the pixels that a model sees: fitted in, cut, or stretched."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from PIL import Image

Fit = Literal["pad", "crop", "stretch"]
Size = tuple[int, int]  # width, height, as Pillow has it

_UNLIKE = 16  # levels of 255 by which content differs from the color of the border
_SHARE = 0.01  # of a row or column that has to be content


@dataclass(frozen=True, kw_only=True)
class Window:
    """The part ``box`` of an image (left, upper, right, lower, in its own pixels), resized to
    ``inner`` (width, height), with its upper left corner ``at`` (x, y) of ``canvas``."""

    box: tuple[float, float, float, float]
    inner: Size
    at: tuple[int, int]
    canvas: Size

    @property
    def scale(self) -> float:
        """Pixels of the canvas for each of the image, in the direction that has more."""
        left, upper, right, lower = self.box
        return max(self.inner[0] / (right - left), self.inner[1] / (lower - upper))


def window_of(
    size: Size, shape: tuple[int, int], fit: Fit, content: tuple[int, int, int, int] | None = None
) -> Window:
    """The window of an image of ``size`` in ``shape`` (height, width), perhaps of a part of it.

    ``pad`` fits all of it in, in its proportions and centered; ``crop`` fills the canvas, and cuts
    what is over at both ends; ``stretch`` takes the proportions of the canvas.
    """
    left, upper, right, lower = map(float, content or (0, 0, *size))
    width, height = right - left, lower - upper
    canvas = (shape[1], shape[0])
    scales = canvas[0] / width, canvas[1] / height
    if fit == "pad":
        scale = min(scales)
        inner = max(1, round(width * scale)), max(1, round(height * scale))
        at = ((canvas[0] - inner[0]) // 2, (canvas[1] - inner[1]) // 2)
        return Window(box=(left, upper, right, lower), inner=inner, at=at, canvas=canvas)
    if fit == "crop":
        across, down = canvas[0] / max(scales), canvas[1] / max(scales)
        left, upper = left + (width - across) / 2, upper + (height - down) / 2
        right, lower = left + across, upper + down
    return Window(box=(left, upper, right, lower), inner=canvas, at=(0, 0), canvas=canvas)


def fitted(image: Image.Image, window: Window, *, reduced: int = 1) -> np.ndarray:
    """The pixels of an RGB image in its window, uint8 (H, W, 3), resized bicubic and antialiased.

    What is left free takes the mean color of the border. ``reduced`` says that the image was
    decoded at that fraction of its size, in whose pixels the window's box is not.
    """
    left, upper, right, lower = (edge / reduced for edge in window.box)
    box = left, upper, min(right, image.width), min(lower, image.height)
    whole = box == (0, 0, *image.size)
    if not whole or image.size != window.inner:
        image = image.resize(window.inner, Image.Resampling.BICUBIC, box=None if whole else box)
    if image.size == window.canvas:
        return np.asarray(image)
    canvas = Image.new("RGB", window.canvas, _border_mean(np.asarray(image)))
    canvas.paste(image, window.at)
    return np.asarray(canvas)


def fitted_mask(marked: np.ndarray, window: Window) -> np.ndarray:
    """Which pixels of the canvas carry the label: bool (h, w) of an image to uint8 (H, W).

    A pixel is marked where half of it is; where none is, as of a speck, those marked most are.
    """
    whole = Image.fromarray(marked.astype(np.float32))
    shares = np.asarray(whole.resize(window.inner, Image.Resampling.BOX, box=window.box))
    kept = shares >= min(0.5, shares.max()) if shares.max() > 0 else np.zeros_like(shares, bool)
    mask = np.zeros(window.canvas[::-1], np.uint8)
    (x, y), (width, height) = window.at, window.inner
    mask[y : y + height, x : x + width] = kept
    return mask


def content_box(image: Image.Image) -> tuple[int, int, int, int] | None:
    """The part of an RGB image inside a border of one color, such as the black around a retina.

    Rows and columns count where at least a hundredth of their pixels differ from the median color
    of the border by more than a sixteenth of the range. None where nothing does.
    """
    pixels = np.asarray(image)
    color = np.median(border(pixels), axis=0)
    unlike = (np.abs(pixels.astype(np.int16) - color.astype(np.int16)) > _UNLIKE).any(axis=2)
    rows = np.flatnonzero(unlike.mean(axis=1) >= _SHARE)
    columns = np.flatnonzero(unlike.mean(axis=0) >= _SHARE)
    if not len(rows) or not len(columns):
        return None
    return int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1


def border(pixels: np.ndarray) -> np.ndarray:
    """The outermost pixels of (H, W, 3), as (n, 3)."""
    return np.concatenate((pixels[0], pixels[-1], pixels[:, 0], pixels[:, -1]))


def _border_mean(pixels: np.ndarray) -> tuple[int, ...]:
    return tuple(np.rint(border(pixels).mean(axis=0)).astype(int).tolist())
