"""How every chart looks, on the page and as a picture: colors, fonts, and the figure to draw in."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.figure import Figure

WIDTH = 360  # of a chart, in pixels: a phone shows it at 0.8, a desk at 0.9 to 1.3 of its size


@dataclass(frozen=True)
class Palette:
    """The colors of charts, by what they are for.

    ``right`` and ``wrong`` are for answers, and for what is significantly worse, and for nothing
    else; ``model`` is what is shown, ``accent`` what stands beside it.
    """

    ink: str
    muted: str
    rule: str
    model: str
    accent: str
    right: str
    wrong: str
    other: str
    ground: str


# Of pictures in files; the page has its own (pipeline/report/charts/svg.py).
PICTURE = Palette(
    *("#22272e", "#57606a", "#e1e4e8", "#0b62a8", "#6d3fb0"),
    *("#00704f", "#b5460a", "#6b727c", "#ffffff"),
)


def _style(palette: Palette) -> Any:
    return {
        "svg.fonttype": "none",  # text stays text: it can be selected, searched and read aloud
        "svg.hashsalt": "raresight",
        "path.simplify": True,
        "path.simplify_threshold": 0.3,
        "font.family": ["DejaVu Sans"],
        "font.size": 13,
        "text.color": palette.ink,
        "axes.edgecolor": palette.muted,
        "axes.labelcolor": palette.muted,
        "axes.linewidth": 0.8,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.grid": True,
        "grid.color": palette.rule,
        "grid.linewidth": 0.8,
        "axes.axisbelow": True,
        "xtick.color": palette.muted,
        "ytick.color": palette.muted,
        "xtick.labelcolor": palette.muted,
        "ytick.labelcolor": palette.muted,
        "xtick.major.size": 0,
        "ytick.major.size": 0,
        "xtick.minor.size": 0,
        "ytick.minor.size": 0,
        "figure.facecolor": "none" if palette is not PICTURE else palette.ground,
        "axes.facecolor": "none",
        "lines.linewidth": 2,
        "lines.solid_capstyle": "round",
    }


@contextmanager
def new_figure(palette: Palette, height: float, width: float = WIDTH) -> Iterator["Figure"]:
    """A figure of that many pixels at 72 to the inch; it is drawn and saved inside the context."""
    import matplotlib
    from matplotlib.figure import Figure

    with matplotlib.rc_context(_style(palette)):
        figure = Figure(figsize=(width / 72, height / 72), dpi=72, layout="constrained")
        engine: Any = figure.get_layout_engine()
        engine.set(w_pad=0.06, h_pad=0.06)
        yield figure
