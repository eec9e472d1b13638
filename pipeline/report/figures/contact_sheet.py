"""Contact sheets: a look into a dataset, one band a class."""

import zlib
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from raresight.pipeline.core import seeds
from raresight.pipeline.dataset.reader import Dataset

_TILE, _SMALL_TILE, _FEW_CLASSES = 128, 64, 8
_GAP, _MARGIN, _NAMES, _HEADER = 6, 28, 200, 92
_MIN_WIDTH = 640
_QUALITY = 80  # of a JPEG
_BOX = (255, 196, 84)
_MAX_CLASSES = 40
GROUND, INK, FAINT, _ACCENT = (24, 26, 30), (236, 238, 241), (142, 148, 158), (120, 255, 190)


@dataclass(frozen=True, kw_only=True)
class _Band:
    """What the sheet shows of one class."""

    label: str
    count: int
    rows: np.ndarray
    outlined: bool


def write_sheet(data: Dataset, path: Path, *, per_class: int = 12, seed: int = 0) -> None:
    """Write a PNG or JPEG with ``per_class`` images of every class, chosen by ``seed``.

    Where the label's pixels or boxes are known, a second line of the same images shows them: a line
    around the pixels, angles at the corners of the boxes. Small
    images are enlarged by a whole factor, so that a pixel stays a pixel, large ones are reduced; a
    tile has up to 128 pixels (64 with more than 8 classes). At most 40 classes are drawn. Same rows
    and arguments, same bytes.
    """
    bands = [_choose(data, label, per_class, seed) for label in data.classes[:_MAX_CLASSES]]
    tile = _tile_size(data)
    heights = [_height(band, tile) for band in bands]
    columns = max([len(band.rows) for band in bands], default=0)
    width = max(_MIN_WIDTH, 2 * _MARGIN + _NAMES + columns * (tile[0] + _GAP) - _GAP)
    sheet = Image.new("RGB", (width, _HEADER + sum(heights) + _MARGIN), GROUND)
    pen = ImageDraw.Draw(sheet)
    _draw_header(pen, data)
    tops = np.cumsum([_HEADER, *heights])
    for band, top in zip(bands, tops[:-1].tolist(), strict=True):
        _draw_name(pen, band, data, top)
        _draw_pictures(sheet, band, data, top, tile)
    if path.suffix in (".jpg", ".jpeg"):
        sheet.save(path, format="JPEG", quality=_QUALITY, optimize=True)
        return
    # Noise holds no repeated strings to look for, only runs of the ground: a third of the default's
    # time, and no larger a file.
    sheet.save(path, format="PNG", compress_level=1, compress_type=zlib.Z_RLE)


def _choose(data: Dataset, label: str, per_class: int, seed: int) -> _Band:
    everyone = np.flatnonzero(data.labels == label)
    chosen = seeds.rng(seed, "sheet", label).permutation(len(everyone))[:per_class]
    rows = everyone[np.sort(chosen)]
    masked = data.masks is not None and len(rows) > 0 and bool(data.masks[rows].any())
    outlined = masked or any(len(_boxes(data, row)) for row in rows.tolist())
    return _Band(label=label, count=len(everyone), rows=rows, outlined=outlined)


def _tile_size(data: Dataset) -> tuple[int, int]:
    """Width and height of an image on the sheet."""
    limit = _TILE if len(data.classes) <= _FEW_CLASSES else _SMALL_TILE
    height, width = data.image_shape[:2]
    longest = max(height, width)
    if longest > limit:
        return max(1, width * limit // longest), max(1, height * limit // longest)
    return width * (limit // longest), height * (limit // longest)


def _height(band: _Band, tile: tuple[int, int]) -> int:
    lines = 2 if band.outlined else 1
    pictures = lines * (tile[1] + _GAP) if len(band.rows) else 0
    return max(pictures, 48) + 2 * _GAP


def _draw_header(pen: ImageDraw.ImageDraw, data: Dataset) -> None:
    height, width, _ = data.image_shape
    title = f"{len(data):,} images" if len(data) else "No images: this dataset is empty"
    pen.text((_MARGIN, 46), title, INK, font(24, bold=True), "ls")
    made_by = " + ".join(str(source.get("generator", "?")) for source in data.description.sources)
    facts = [f"{width} x {height} pixels", f"seed {data.description.seed}", made_by]
    if (hidden := len(data.classes) - _MAX_CLASSES) > 0:
        facts.append(f"{hidden} more classes not shown")
    pen.text((_MARGIN, 70), "  ·  ".join(facts), FAINT, font(13), "ls")


def _draw_name(pen: ImageDraw.ImageDraw, band: _Band, data: Dataset, top: int) -> None:
    positive = band.label == data.positive
    bold, small = font(17, bold=True), font(13)
    name = shortened(band.label, bold, _NAMES - 16)
    pen.text((_MARGIN, top + 18), name, _ACCENT if positive else INK, bold, "ls")
    detail = f"{band.count:,} images"
    if len(data):
        detail += f"  ·  {100 * band.count / len(data):.3g} %"
    pen.text((_MARGIN, top + 40), detail, FAINT, small, "ls")
    if positive:
        pen.text((_MARGIN, top + 60), "positive class", FAINT, small, "ls")


def _draw_pictures(
    sheet: Image.Image, band: _Band, data: Dataset, top: int, tile: tuple[int, int]
) -> None:
    for column, row in enumerate(band.rows.tolist()):
        left = _MARGIN + _NAMES + column * (tile[0] + _GAP)
        picture = enlarged(data.images[row], tile)
        sheet.paste(picture, (left, top))
        if band.outlined:
            marked = picture
            if data.masks is not None and (mask := data.masks[row]) is not None:
                marked = with_outline(picture, mask)
            _draw_boxes(marked, _boxes(data, row), scale=tile[0] / data.image_shape[1])
            sheet.paste(marked, (left, top + tile[1] + _GAP))


def enlarged(pixels: np.ndarray, tile: tuple[int, int]) -> Image.Image:
    """``pixels``, uint8 (H, W, C), as a picture of the size ``tile`` (width, height)."""
    picture = Image.fromarray(np.ascontiguousarray(np.broadcast_to(pixels, (*pixels.shape[:2], 3))))
    enlarged = tile[0] >= picture.width
    return picture.resize(tile, Image.Resampling.NEAREST if enlarged else Image.Resampling.LANCZOS)


def outlined(data: Dataset, row: int, side: int) -> Image.Image:
    """An image so large that its longer side has ``side`` pixels, outlined where it is labelled."""
    height, width = data.image_shape[:2]
    longest = max(height, width)
    size = (max(1, side * width // longest), max(1, side * height // longest))
    picture = enlarged(data.images[row], size)
    mask = None if data.masks is None else data.masks[row]
    return picture if mask is None else with_outline(picture, mask)


def with_outline(picture: Image.Image, mask: np.ndarray) -> Image.Image:
    """The picture with a line around the mask: just outside, so that it hides nothing of it."""
    inside = np.asarray(Image.fromarray(mask).resize(picture.size, Image.Resampling.NEAREST)) > 0
    line = _grown(inside)
    pixels = np.array(picture)
    pixels[_grown(line) & ~inside] = GROUND  # a dark rim shows the line on light pictures too
    pixels[line & ~inside] = _ACCENT
    return Image.fromarray(pixels)


def _boxes(data: Dataset, row: int) -> np.ndarray:
    """float32 (objects, 4), empty where none is known."""
    found = None if data.boxes is None else data.boxes[row]
    return np.empty((0, 4), np.float32) if found is None else found


def _draw_boxes(picture: Image.Image, boxes: np.ndarray, *, scale: float) -> None:
    """Corners around each box, just outside of it where there is room."""
    pen, (width, height) = ImageDraw.Draw(picture), picture.size
    for x, y, across, down in boxes.tolist():
        left, top = max(0, round(x * scale) - 2), max(0, round(y * scale) - 2)
        right = min(width - 1, round((x + across) * scale) + 1)
        bottom = min(height - 1, round((y + down) * scale) + 1)
        arm = max(2, min(right - left, bottom - top) // 4)
        corners = (
            (left, top, 1, 1),
            (right, top, -1, 1),
            (left, bottom, 1, -1),
            (right, bottom, -1, -1),
        )
        for u, v, to_x, to_y in corners:
            pen.line([(u + arm * to_x, v), (u, v), (u, v + arm * to_y)], _BOX)


def _grown(area: np.ndarray) -> np.ndarray:
    """The area and every pixel that touches it, corners included."""
    grown = area.copy()
    for lines in (grown, grown.T):
        source = lines.copy()
        lines[1:] |= source[:-1]
        lines[:-1] |= source[1:]
    return grown


def shortened(text: str, font: ImageFont.FreeTypeFont, width: int) -> str:
    """The text, cut where it is wider than ``width`` pixels."""
    if font.getlength(text) <= width:
        return text
    while text and font.getlength(text + "…") > width:
        text = text[:-1]
    return text + "…"


def font(size: int, *, bold: bool = False) -> ImageFont.FreeTypeFont:
    """Letters of ``size`` pixels."""
    # Found without importing matplotlib, which takes longer than drawing the sheet.
    library = find_spec("matplotlib")
    assert library is not None
    assert library.origin is not None
    home = Path(library.origin).parent
    name = "DejaVuSans-Bold.ttf" if bold else "DejaVuSans.ttf"
    return ImageFont.truetype(home / "mpl-data/fonts/ttf" / name, size)
