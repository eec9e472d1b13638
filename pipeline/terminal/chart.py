"""A line over an axis, drawn with Braille dots: two by four to a character."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from rich.console import Console, ConsoleOptions, RenderResult
from rich.text import Text

_DOTS = ((0x01, 0x08), (0x02, 0x10), (0x04, 0x20), (0x40, 0x80))


_WIDEST = 64  # characters of a curve, without its labels


@dataclass(frozen=True, kw_only=True)
class Chart:
    """The curve of :func:`line`, as wide as there is room for it."""

    x: Sequence[float]
    y: Sequence[float]
    title: str
    log_x: bool = False
    mark: float | None = None

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        margin = 1 + max(len(f"{value:.3g}") for value in (min(self.y), max(self.y)))
        width = max(8, min(_WIDEST, options.max_width - margin))
        yield line(self.x, self.y, title=self.title, log_x=self.log_x, mark=self.mark, width=width)


def line(
    x: Sequence[float],
    y: Sequence[float],
    *,
    title: str,
    log_x: bool = False,
    mark: float | None = None,
    width: int = _WIDEST,
    height: int = 12,
) -> Text:
    """The curve through the points, its axes labelled at both ends, and a column at ``mark``."""
    places = [math.log10(value) for value in x] if log_x else list(x)
    columns, low, high = 2 * width, min(y), max(y)
    span = (places[0], places[-1])
    rows = [[0] * width for _ in range(height)]
    before = None
    for column in range(columns):
        value = _at(places, y, span[0] + (span[1] - span[0]) * column / (columns - 1))
        share = (value - low) / (high - low) if high > low else 0.5
        row = round((1 - share) * (4 * height - 1))
        start, end = sorted((row, row if before is None else before))
        for dot in range(start, end + 1):
            rows[dot // 4][column // 2] |= _DOTS[dot % 4][column % 2]
        before = row
    marked = None
    if mark is not None:
        place = math.log10(mark) if log_x else mark
        marked = round((place - span[0]) / (span[1] - span[0]) * (width - 1))
    return _assemble(rows, title, (f"{high:.3g}", f"{low:.3g}"), (x[0], x[-1]), marked)


def _at(places: Sequence[float], y: Sequence[float], place: float) -> float:
    """Linear interpolation."""
    for (a, value), (b, after) in zip(
        zip(places, y, strict=True), zip(places[1:], y[1:], strict=True), strict=False
    ):
        if place <= b:
            return value + (after - value) * ((place - a) / (b - a) if b > a else 1.0)
    return y[-1]


def _assemble(
    rows: list[list[int]],
    title: str,
    ends: tuple[str, str],
    x: tuple[float, float],
    marked: int | None,
) -> Text:
    margin = max(map(len, ends))
    text = Text(f"{'':{margin}} {title}\n")
    for number, row in enumerate(rows):
        label = {0: ends[0], len(rows) - 1: ends[1]}.get(number, "")
        text.append(f"{label:>{margin}}", "dim").append("│", "dim")
        for column, dots in enumerate(row):
            if dots or column != marked:
                text.append(chr(0x2800 + dots) if dots else " ", "bold" if dots else "")
            else:
                text.append("┊", "green")
        text.append("\n")
    width = len(rows[0])
    low, high = f"{x[0]:.3g}", f"{x[1]:.3g}"
    text.append(f"{'':{margin}}└{'─' * width}\n", "dim")
    return text.append(f"{'':{margin}} {low}{high:>{width - len(low)}}", "dim")
