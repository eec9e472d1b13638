"""The picture that splitting leaves: how many images of each class went where."""

from collections.abc import Mapping
from pathlib import Path


def draw_counts(counts: Mapping[str, Mapping[str, Mapping[str, int]]], path: Path) -> None:
    """Bars of originals and copies (``counts[split][class]``), on a log scale, as PNG."""
    from matplotlib.figure import Figure

    splits, classes = list(counts), list(next(iter(counts.values())))
    figure = Figure(figsize=(1.6 + 1.1 * len(classes) * len(splits) / 2, 3.2), dpi=120, layout="constrained")
    axes = figure.subplots()
    width = 0.8 / len(splits)
    for place, split in enumerate(splits):
        x = [k + (place - (len(splits) - 1) / 2) * width for k in range(len(classes))]
        originals = [counts[split][name]["originals"] for name in classes]
        copies = [counts[split][name]["copies"] for name in classes]
        color = f"C{place}"
        axes.bar(x, originals, width * 0.92, color=color, label=split)
        axes.bar(x, copies, width * 0.92, bottom=originals, color=color, alpha=0.4)
        for at, low, high in zip(x, originals, copies, strict=True):
            text = f"{low:,}\n+{high:,}" if high else f"{low:,}"
            axes.annotate(text, (at, low + high), ha="center", va="bottom", fontsize=7)
    axes.set_yscale("log")
    axes.margins(y=0.2)
    axes.set_xticks(range(len(classes)), classes)
    axes.set_title("images by class and split (pale: copies)", loc="left", fontsize=10)
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False, fontsize=8)
    figure.savefig(path, metadata={"Software": None})
