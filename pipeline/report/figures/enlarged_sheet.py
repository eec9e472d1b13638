"""A contact sheet of made images, each beside the training image that it is nearest to."""

from pathlib import Path

from PIL import Image, ImageDraw

from raresight.pipeline.dataset.reader import Dataset
from raresight.pipeline.report.figures.contact_sheet import (
    FAINT,
    GROUND,
    INK,
    font,
    outlined,
    shortened,
)
from raresight.pipeline.report.images.made import Enlarged, Pair

_COLUMNS, _TILE, _BETWEEN, _GAP, _MARGIN, _HEADER, _CAPTION = 4, 128, 4, 24, 28, 92, 42
_COPY = (255, 138, 128)
_NEAR = 0.5  # of the usual distance, below which a pair is marked


def write_enlarged_sheet(originals: Dataset, made: Enlarged | None, path: Path) -> None:
    """Write a PNG with the made images nearest to a training image, and that beside them.

    Same images, same bytes.
    """
    kinds = [] if made is None else made.checked
    pairs = [
        (label, pair)
        for label, _, found in kinds
        if made is not None
        for pair in made.pairs(originals, found)
    ]
    lines = -(-len(pairs) // _COLUMNS)
    step, wide = _TILE + _CAPTION, 2 * _TILE + _BETWEEN + _GAP
    size = (2 * _MARGIN + _COLUMNS * wide - _GAP, _HEADER + lines * step + _MARGIN)
    sheet = Image.new("RGB", size, GROUND)
    pen = ImageDraw.Draw(sheet)
    title = "Made images, and the nearest training image" if pairs else "No images were made"
    pen.text((_MARGIN, 46), title, INK, font(24, bold=True), "ls")
    note = "left: made; right: a training image of the class; the nearest first: are these copies?"
    pen.text(
        (_MARGIN, 70), note if pairs else "none was asked for, or none kept", FAINT, font(13), "ls"
    )
    for number, (label, pair) in enumerate(pairs):
        corner = (_MARGIN + number % _COLUMNS * wide, _HEADER + number // _COLUMNS * step)
        _draw(sheet, label, pair, corner)
    sheet.save(path, format="PNG", optimize=False)


def _draw(sheet: Image.Image, label: str, pair: Pair, corner: tuple[int, int]) -> None:
    for place, (data, row) in enumerate((pair.made, pair.real)):
        sheet.paste(outlined(data, row, _TILE), (corner[0] + place * (_TILE + _BETWEEN), corner[1]))
    text, small = label, font(12)
    if pair.times is not None:
        text = f"{label}: {pair.times:.2f} of the usual distance"
    ink = _COPY if pair.times is not None and pair.times < _NEAR else FAINT
    at = (corner[0], corner[1] + _TILE + 16)
    ImageDraw.Draw(sheet).text(at, shortened(text, small, 2 * _TILE), ink, small, "ls")
