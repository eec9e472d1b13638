"""Images as part of the page: data URIs, and outlines that are drawn by the browser."""

import base64
import io
from dataclasses import dataclass

import numpy as np
from PIL import Image

_LARGEST = 256
_EXACT = 96  # the longest side of an image that is kept to the last bit


@dataclass(frozen=True, kw_only=True)
class Picture:
    """An image of the dataset as the page shows it.

    ``source`` is a data URI. ``outline`` is an SVG path around the pixels that carry the label, in
    units of a pixel of the original (``width`` by ``height``); empty where they are not known.
    """

    source: str
    width: int
    height: int
    outline: str


def picture(pixels: np.ndarray, mask: np.ndarray | None = None) -> Picture:
    """``pixels`` uint8 (H, W, C) and, where known, ``mask`` (H, W), non-zero on the label.

    Small images are PNG, so that a pixel stays a pixel; from 97 pixels on WebP, at most 256 wide
    and high, as a page of large PNGs would be too long a read.
    """
    height, width = pixels.shape[:2]
    rgb = np.ascontiguousarray(np.broadcast_to(pixels, (height, width, 3)))
    image = Image.fromarray(rgb)
    image.thumbnail((_LARGEST, _LARGEST), Image.Resampling.LANCZOS)
    buffer, kind = io.BytesIO(), "png" if max(image.size) <= _EXACT else "webp"
    if kind == "png":
        image.save(buffer, format="PNG", optimize=True)
    else:
        image.save(buffer, format="WEBP", quality=88, method=4)
    return Picture(
        source=f"data:image/{kind};base64,{base64.b64encode(buffer.getvalue()).decode()}",
        width=width,
        height=height,
        outline="" if mask is None else outline(mask),
    )


def outline(mask: np.ndarray) -> str:
    """The edges between pixels inside and outside of ``mask`` (H, W), as an SVG path.

    Edges in one line are one stroke.
    """
    inside = np.pad(mask > 0, 1)
    down = inside[1:, 1:-1] != inside[:-1, 1:-1]  # horizontal edges, (H + 1, W)
    across = inside[1:-1, 1:] != inside[1:-1, :-1]  # vertical edges, (H, W + 1)
    rows = [f"M{x} {y}h{n}" for y, line in enumerate(down) for x, n in _runs(line)]
    columns = [f"M{x} {y}v{n}" for x, line in enumerate(across.T) for y, n in _runs(line)]
    return "".join(rows + columns)


def _runs(line: np.ndarray) -> list[tuple[int, int]]:
    """Start and length of each stretch of True."""
    ends = np.flatnonzero(np.diff(np.pad(line, 1).astype(np.int8)))
    return [(int(start), int(stop - start)) for start, stop in ends.reshape(-1, 2)]
