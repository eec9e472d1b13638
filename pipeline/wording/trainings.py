"""Several trainings of one recipe as a small table: what the seed alone does to the results."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from raresight.pipeline.evaluation.metrics.registry import METRICS, shown
from raresight.pipeline.wording.numbers import count, number

_MOST = 10  # trainings that are listed one by one


@dataclass(frozen=True, kw_only=True)
class Trainings:
    """``rows`` are a name and a text a column: the mean, the spread, then each training by seed."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, tuple[str, ...]], ...]
    more: int


def trainings(metrics: Mapping[str, Any]) -> Trainings | None:
    """From the contents of results.json; None where the recipe was trained once."""
    if "by_seed" not in metrics:
        return None
    by_seed = metrics["by_seed"]
    asked = shown("seeds", positive=metrics["positive"] is not None)
    columns = [name for name in asked if name in by_seed["test"]]
    found = [by_seed["test"][name] for name in columns]
    rows = [
        ("mean", tuple(number(one["mean"]) for one in found)),
        ("spread", tuple(number(one["spread"]) for one in found)),
    ]
    listed = list(by_seed["seeds"].items())[:_MOST]
    for training, seed in listed:
        rows.append((str(seed), tuple(number(one["values"][training]) for one in found)))
    return Trainings(
        title=f"On the test images, {count(by_seed['num_seeds'])} trainings",
        columns=tuple(METRICS[name].narrow for name in columns),
        rows=tuple(rows),
        more=by_seed["num_seeds"] - len(listed),
    )
