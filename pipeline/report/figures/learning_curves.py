"""A training's curves as a picture: losses, validation quality, learning rate."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Curves = Mapping[str, Sequence[float]]  # the columns of curves.tsv

# Title of a panel, and its lines: a column and its name in the legend.
_PANELS = (
    ("loss", {"train_loss": "train", "val_loss": "val"}),
    ("validation", {"val_average_precision": "average precision", "val_f1": "best F1"}),
    ("learning rate", {"learning_rate": ""}),
)


def draw_curves(trainings: Sequence[Curves], path: Path, *, best: int, pretrained: int = 0) -> None:
    """Three panels over epochs as PNG: the first training with its ``best`` epoch (from 1) marked,
    those of other seeds faint behind it; the ``pretrained`` epochs of a first phase are shaded.
    """
    from matplotlib.figure import Figure

    first = trainings[0]
    figure = Figure(figsize=(9, 3.2), dpi=120, layout="constrained")
    panels = figure.subplots(1, len(_PANELS))
    for panel, (title, lines) in zip(panels, _PANELS, strict=True):
        _draw_panel(panel, title, lines, trainings)
        panel.axvline(best, color="0.6", linewidth=1, linestyle=":")
        if pretrained:
            panel.axvspan(first["epoch"][0], pretrained + 0.5, color="0.92", zorder=0)
    panels[1].set_ylim(0, 1.02)
    found = first["val_average_precision"][first["epoch"].index(best)]
    panels[1].set_title(f"validation (epoch {best}: AP {found:.3f})", loc="left", fontsize=10)
    figure.savefig(path, metadata={"Software": None})


def _draw_panel(
    panel: "Axes", title: str, lines: Mapping[str, str], trainings: Sequence[Curves]
) -> None:
    from matplotlib.ticker import MaxNLocator

    for number, (column, name) in enumerate(lines.items()):
        color = f"C{number}"
        for other in trainings[1:]:
            panel.plot(other["epoch"], other[column], color=color, alpha=0.25, linewidth=1)
        first = trainings[0]
        panel.plot(
            first["epoch"], first[column], color=color, marker="o", markersize=3, label=name or None
        )
    panel.set_title(title, loc="left", fontsize=10)
    panel.set_xlabel("epoch")
    panel.xaxis.set_major_locator(MaxNLocator(integer=True))
    panel.grid(alpha=0.25)
    panel.spines[["top", "right"]].set_visible(False)
    if any(lines.values()):
        panel.legend(frameon=False, fontsize=8)
