"""A contact sheet of the training images that look wrong, in the order in which to look at them."""

from collections.abc import Sequence
from pathlib import Path

from PIL import Image, ImageDraw

from raresight.pipeline.cleaning.table import Finding
from raresight.pipeline.dataset.reader import Dataset
from raresight.pipeline.report.figures.contact_sheet import (
    FAINT,
    GROUND,
    INK,
    font,
    outlined,
    shortened,
)

_MOST, _COLUMNS, _TILE, _GAP, _MARGIN, _HEADER, _CAPTION = 48, 8, 128, 12, 28, 92, 58
_DROPPED = (255, 138, 128)


def write_cleaning_sheet(data: Dataset, findings: Sequence[Finding], path: Path) -> None:
    """Write a PNG with the first 48 findings: each image, its label and what it looks like, why it
    was found, and what becomes of it. Same findings, same bytes."""
    shown = findings[:_MOST]
    lines = -(-len(shown) // _COLUMNS)
    width = 2 * _MARGIN + _COLUMNS * (_TILE + _GAP) - _GAP
    step = _TILE + _CAPTION + _GAP
    sheet = Image.new("RGB", (width, _HEADER + max(lines, 0) * step + _MARGIN), GROUND)
    pen = ImageDraw.Draw(sheet)
    title = f"{len(findings):,} training images look wrong" if findings else "Nothing looks wrong"
    pen.text((_MARGIN, 46), title, INK, font(24, bold=True), "ls")
    note = "none was asked for, or none was found"
    if findings:
        dropped = sum(one.decision == "drop" for one in findings)
        note = f"{dropped:,} are not learned from  ·  the most worth a look first"
        if len(findings) > _MOST:
            note += f"  ·  {len(findings) - _MOST:,} more are not shown"
    pen.text((_MARGIN, 70), note, FAINT, font(13), "ls")
    row_of = {id: row for row, id in enumerate(data.ids.tolist())} if shown else {}
    for number, one in enumerate(shown):
        left = _MARGIN + number % _COLUMNS * (_TILE + _GAP)
        _draw(sheet, data, row_of[one.id], one, (left, _HEADER + number // _COLUMNS * step))
    sheet.save(path, format="PNG", optimize=False)


def _draw(
    sheet: Image.Image, data: Dataset, row: int, one: Finding, corner: tuple[int, int]
) -> None:
    """One image, and three lines below it."""
    sheet.paste(outlined(data, row, _TILE), corner)
    pen, small = ImageDraw.Draw(sheet), font(12)
    name = f"{one.label} → {one.suggested}?" if one.suggested else one.label
    decision = {"drop": "not learned from", "keep": "kept", "review": "for review"}[one.decision]
    color = _DROPPED if one.decision == "drop" else FAINT
    for line, (text, ink, letters) in enumerate(
        ((name, INK, font(13, bold=True)), (one.why, FAINT, small), (decision, color, small))
    ):
        at = (corner[0], corner[1] + _TILE + 16 + 17 * line)
        pen.text(at, shortened(text, letters, _TILE), ink, letters, "ls")
