"""The picture that training leaves: losses, validation quality, learning rate."""

from pathlib import Path

from raresight.pipeline.training.diagnosis.history import Epoch


def draw_curves(epochs: list[Epoch], best: Epoch, path: Path) -> None:
    """Three panels over epochs, the chosen epoch marked, as PNG."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9, 3.2), dpi=120, layout="constrained")
    panels = figure.subplots(1, 3)
    x = [epoch.epoch for epoch in epochs]
    _panel(
        panels[0], "loss", x, {"train": _of(epochs, "train_loss"), "val": _of(epochs, "val_loss")}
    )
    quality = {
        "average precision": _of(epochs, "val_average_precision"),
        "best F1": _of(epochs, "val_f1"),
    }
    _panel(panels[1], "validation", x, quality)
    panels[1].set_ylim(0, 1.02)
    _panel(panels[2], "learning rate", x, {"": _of(epochs, "learning_rate")})
    for panel in panels:
        panel.axvline(best.epoch, color="0.6", linewidth=1, linestyle=":")
    panels[1].annotate(
        f"epoch {best.epoch}: AP {best.val_average_precision:.3f}",
        (best.epoch, 0.03), xytext=(-5, 0), textcoords="offset points", ha="right", color="0.4",
    )  # fmt: skip
    figure.savefig(path, metadata={"Software": None})


def _of(epochs: list[Epoch], name: str) -> list[float]:
    return [getattr(epoch, name) for epoch in epochs]


def _panel(panel, title: str, x: list[int], lines: dict[str, list[float]]) -> None:
    for name, y in lines.items():
        panel.plot(x, y, marker="o", markersize=3, label=name or None)
    panel.set_title(title, loc="left", fontsize=10)
    panel.set_xlabel("epoch")
    panel.grid(alpha=0.25)
    panel.spines[["top", "right"]].set_visible(False)
    if any(lines):
        panel.legend(frameon=False, fontsize=8)
