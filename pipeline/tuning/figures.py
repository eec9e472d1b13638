"""The picture of a search for a learning rate."""

from pathlib import Path

import numpy as np

from raresight.pipeline.tuning.range_test import Search


def draw_search(search: Search, present: float, path: Path) -> None:
    """The range test beside the trials, the suggested and the present rate marked, as PNG."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9, 3.4), dpi=120, layout="constrained")
    test, trials = figure.subplots(1, 2)
    test.plot(search.rates, search.smooth, color="C0")
    test.axvline(search.breaks_at, color="C3", linewidth=1, linestyle=":")
    test.set_title("range test: a step at each rate", loc="left", fontsize=10)
    test.annotate(
        f"breaks out at {search.breaks_at:.2g}", (search.breaks_at, search.smooth.max()),
        xytext=(-5, 0), textcoords="offset points", ha="right", va="top", fontsize=8, color="C3",
    )  # fmt: skip
    got = {rate: loss for rate, loss in search.trials.items() if np.isfinite(loss)}
    trials.plot(list(got), list(got.values()), marker="o", color="C0")
    trials.set_title(f"trials: the loss after {search.steps} steps", loc="left", fontsize=10)
    for rate, name, color in (
        (search.suggestion, "suggested", "C2"),
        (present, "in params.yaml", "0.5"),
    ):
        trials.axvline(rate, color=color, linewidth=1, linestyle="--", label=f"{name}: {rate:.2g}")
    trials.legend(frameon=False, fontsize=8)
    for panel in (test, trials):
        panel.set_xscale("log")
        panel.set_xlabel("learning rate")
        panel.set_ylabel("training loss")
        panel.grid(alpha=0.25)
        panel.spines[["top", "right"]].set_visible(False)
    figure.savefig(path, metadata={"Software": None})
