"""How often 95 % intervals hold the truth, beside the methods that they replaced.

``python -m benchmarks.coverage [NAME...] [--task TEXT] [--sets 200] [--json FILE]`` simulates test
sets whose truth is known and prints, for each figure, how many of 100 intervals hold it and how
wide they are: ours and the other method's. ``precision_rule`` prints how many of 100 promises are
kept. No time is measured.
"""

import argparse
import json
import sys
import time
import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table

from benchmarks.coverage_choice import threshold_choice
from benchmarks.coverage_peers import Ends
from benchmarks.coverage_tasks import (
    deployed_average_precision,
    deployed_precision,
    groups,
    many_classes,
    precision_rule,
    rankings,
)

# A figure's value in truth, our interval and the other method's (None: there is none).
Case = Mapping[str, tuple[float, Ends | None, Ends | None]]
TABLES: dict[str, Callable[[], Iterator[tuple[str, Callable[[np.random.Generator], Case]]]]] = {
    "deployed_average_precision": deployed_average_precision,
    "deployed_precision": deployed_precision,
    "groups": groups,
    "rankings": rankings,
    "many_classes": many_classes,
    "precision_rule": precision_rule,
    "threshold_choice": threshold_choice,
}


@dataclass(frozen=True, kw_only=True)
class Row:
    """One figure of one task: shares that were held, mean widths; NaN where there is no interval.

    ``none`` is the share of sets for which ours said why it gives no interval, or no promise.
    """

    table: str
    task: str
    figure: str
    held: float
    width: float
    none: float
    other_held: float
    other_width: float


def simulate(name: str, *, sets: int, task_with: str = "") -> Iterator[Row]:
    """The rows of one table, of the tasks with ``task_with`` in their names."""
    for task, draw in TABLES[name]():
        if task_with not in task:
            continue
        # A stream for each task: with one for all, one unlucky draw would show in every row.
        rng = np.random.default_rng(zlib.crc32(task.encode()))
        drawn = [draw(rng) for _ in range(sets)]
        for figure in drawn[0]:
            ours, other = ([case[figure][place] for case in drawn] for place in (1, 2))
            truth = [case[figure][0] for case in drawn]
            yield Row(
                table=name,
                task=task,
                figure=figure,
                none=float(np.mean([ends is None for ends in ours])),
                **dict(zip(("held", "width"), _held(truth, ours), strict=True)),
                **dict(zip(("other_held", "other_width"), _held(truth, other), strict=True)),
            )


def _held(truth: list[float], ends: list[Ends | None]) -> tuple[float, float]:
    known = [(value, *pair) for value, pair in zip(truth, ends, strict=True) if pair is not None]
    if not known:
        return float("nan"), float("nan")
    values, low, high = np.array(known).T
    inside = (low - 1e-12 <= values) & (values <= high + 1e-12)
    return float(inside.mean()), float((high - low).mean())


def main() -> None:
    parser = argparse.ArgumentParser("python -m benchmarks.coverage")
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(TABLES)}")
    parser.add_argument("--task", default="", help="of tasks with this in their names alone")
    parser.add_argument("--sets", type=int, default=200, help="simulated test sets a task")
    parser.add_argument("--json", type=Path, help="write every row")
    asked = parser.parse_args()
    if unknown := sorted(set(asked.names) - set(TABLES)):
        parser.error(f"no table {', '.join(unknown)}; there are {', '.join(TABLES)}")
    started, rows = time.perf_counter(), []
    for name in asked.names or TABLES:
        print(f"{name} ...", file=sys.stderr)
        rows += simulate(name, sets=asked.sets, task_with=asked.task)
    _print(rows)
    print(f"{time.perf_counter() - started:.0f} s", file=sys.stderr)
    if asked.json:
        asked.json.write_text(json.dumps([asdict(row) for row in rows], indent=2))


def _print(rows: list[Row]) -> None:
    table = Table(title="held of 100, mean width")
    for heading in ("table", "task", "figure", "ours", "width", "none", "other", "width"):
        table.add_column(heading, overflow="fold")
    for row in rows:
        table.add_row(
            *(row.table, row.task, row.figure, _percent(row.held), f"{row.width:.3g}"),
            *("" if not row.none else _percent(row.none), _percent(row.other_held)),
            f"{row.other_width:.3g}",
        )
    console = Console()
    console.width = max(console.width, 140)
    console.print(table)


def _percent(share: float) -> str:
    return "-" if np.isnan(share) else f"{100 * share:.1f}"


if __name__ == "__main__":
    main()
