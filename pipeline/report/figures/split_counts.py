"""How many images of each class went to which split, as bars."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from raresight.pipeline.splitting.counts import Counts
from raresight.pipeline.splitting.table import SPLITS, UNUSED

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_INK, _GREY, _BLUE, _PALE = "#22272e", "#8b949e", "#1f6feb", "#a5c8ff"
_MOST_CLASSES = 40
_HEIGHT = 0.36  # of a bar, where 1 is the distance of two classes


def draw_counts(counts: Counts, path: Path) -> None:
    """Write bars of originals and copies, one panel a split, on a log scale, as a PNG.

    ``counts[split][class]`` has ``originals`` and ``copies``. Of more than 40 classes the rarest
    are drawn.
    """
    from matplotlib.figure import Figure

    classes = _rarest(counts)
    figure = Figure(figsize=(10, 1.2 + 0.5 * len(classes)), dpi=120, layout="constrained")
    panels = figure.subplots(1, len(SPLITS), sharex=True, sharey=True)
    panels[0].set_xscale("log")
    for panel, split in zip(panels, SPLITS, strict=True):
        _draw_panel(panel, split, counts[split], classes)
    most = max(n for split in SPLITS for by in counts[split].values() for n in by.values())
    panels[0].set_xlim(0.7, max(10, most) * 10)  # room for the numbers beside the bars
    panels[0].set_yticks(range(len(classes)), classes)
    panels[0].set_ylim(len(classes) - 0.4, -0.6)
    figure.supxlabel(_note(counts), fontsize=8, color=_GREY, x=0.01, ha="left")
    figure.savefig(path, metadata={"Software": None})


def _rarest(counts: Counts) -> list[str]:
    total = {
        label: sum(counts[split][label]["originals"] for split in SPLITS)
        for label in counts[SPLITS[0]]
    }
    return sorted(sorted(total, key=lambda label: total[label])[:_MOST_CLASSES])


def _draw_panel(
    panel: "Axes", split: str, by_class: Mapping[str, Mapping[str, int]], classes: Sequence[str]
) -> None:
    from matplotlib.ticker import EngFormatter

    for place, label in enumerate(classes):
        originals, copies = by_class[label]["originals"], by_class[label]["copies"]
        apart = _HEIGHT / 2 if copies else 0
        _draw_bar(panel, place - apart, originals, _BLUE, "")
        if copies:
            _draw_bar(panel, place + apart, copies, _PALE, " copies")
    total = sum(by_class[label]["originals"] for label in by_class)
    panel.set_title(f"{split}  ·  {total:,} originals", loc="left", fontsize=10, color=_INK)
    panel.spines[["top", "right"]].set_visible(False)
    panel.spines[["left", "bottom"]].set_color(_GREY)
    panel.xaxis.set_major_formatter(EngFormatter(sep=""))
    panel.minorticks_off()
    panel.tick_params(labelsize=9, color=_GREY)
    panel.tick_params(axis="y", length=0)


def _draw_bar(panel: "Axes", at: float, count: int, colour: str, what: str) -> None:
    panel.barh(at, count, _HEIGHT, color=colour)
    panel.annotate(
        f"{count:,}{what}",
        (max(count, 0.7), at),
        (4, 0),
        textcoords="offset points",
        va="center",
        fontsize=8,
        color=_INK,
    )


def _note(counts: Counts) -> str:
    hidden = len(counts[SPLITS[0]]) - _MOST_CLASSES
    unused = sum(by["copies"] for by in counts[UNUSED].values())
    notes = ["images, log scale"]
    if unused:
        notes.append(f"{unused:,} copies of val and test images are left unused")
    if dropped := sum(by["originals"] for by in counts[UNUSED].values()):
        notes.append(f"{dropped:,} near duplicates are dropped")
    if hidden > 0:
        notes.append(f"{hidden} more frequent classes are not drawn")
    return "  ·  ".join(notes)
