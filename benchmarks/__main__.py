"""``make bench``: one table of ratios, each from rounds in turn on the same work.

``python -m benchmarks [NAME...] [--quick] [--json]``; ``python -m benchmarks leaks [--help]`` asks
what tells the classes of drawn images besides their objects.
"""

import argparse
import json
import os
import platform
import statistics
import sys
import tempfile
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

from rich.console import Console
from rich.text import Text

from benchmarks.measure import FULL, QUICK, Measurement, Sizes
from raresight.pipeline.core.parallel import available_cores
from raresight.pipeline.runtime.installation import as_installed
from raresight.pipeline.terminal.tables import PlainTable

BENCHMARKS = {
    "generate": "benchmarks.generate",
    "read": "benchmarks.read",
    "shapes": "benchmarks.shapes",
    "glyphs": "benchmarks.glyphs",
    "store": "benchmarks.store",
    "augment": "benchmarks.augment",
    "train": "benchmarks.train",
    "evaluate": "benchmarks.evaluate",
    "predict": "benchmarks.predict",
    "noop": "benchmarks.noop",
}


def main(arguments: list[str] | None = None) -> None:
    """Measure what is asked for and print it."""
    given = sys.argv[1:] if arguments is None else arguments
    if given[:1] == ["leaks"]:  # of another kind: areas under curves, no ratios of times
        import_module("benchmarks.leaks").main(given[1:])
        return
    asked = _parse(given)
    os.environ["RARESIGHT_VERBOSITY"] = "-1"  # the stages' own progress bars
    names, sizes = asked.names or list(BENCHMARKS), QUICK if asked.quick else FULL
    rows = [row for name in names for row in measure(name, sizes)]
    if asked.json:
        print(json.dumps({**_machine(), "rows": [row.as_json() for row in rows]}, indent=2))
    else:
        _print(rows, sizes)


def measure(name: str, sizes: Sizes) -> Iterator[Measurement]:
    """The rows of one benchmark, which works in a temporary folder."""
    print(f"{name} ...", file=sys.stderr)
    with tempfile.TemporaryDirectory(prefix="raresight-bench-") as folder:
        yield from import_module(BENCHMARKS[name]).measure(Path(folder), sizes)


def _parse(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser("python -m benchmarks", description=__doc__.splitlines()[0])
    parser.add_argument(
        "names", nargs="*", metavar="NAME", help=f"of {', '.join(BENCHMARKS)} (default: all)"
    )
    parser.add_argument("--quick", action="store_true", help="less work, fewer rounds")
    parser.add_argument("--json", action="store_true", help="print JSON instead of the table")
    asked = parser.parse_args(arguments)
    if unknown := sorted(set(asked.names) - set(BENCHMARKS)):
        parser.error(f"no benchmark {', '.join(unknown)}; there are {', '.join(BENCHMARKS)}")
    return asked


def _machine() -> dict[str, str | int]:
    return {
        "cores": available_cores(),
        "machine": platform.machine(),
        "python": platform.python_version(),
    }


def _print(rows: list[Measurement], sizes: Sizes) -> None:
    title = f"median of up to {sizes.rounds} rounds in turn (least-most)"
    table = PlainTable(title=title, show_lines=True)
    for heading in ("what", "ours", "what a user would pick", "ratio", "goal"):
        table.add_column(heading, overflow="fold")
    for row in rows:
        table.add_row(*_cells(row), str(row.goal))
    console = Console()
    console.width = max(console.width, 110)
    console.print(table)


def _cells(row: Measurement) -> tuple[str, str, str, str | Text]:
    """What was done, what it cost us, what it cost the peer, and how they compare."""
    if row.missing:
        return row.what, _cost(row, row.ours), f"{row.peer}\n{as_installed(row.missing)}", "-"
    colour = "green" if row.met else "red"
    theirs = f"{_cost(row, row.theirs)}\n{row.peer}"
    return row.what, _cost(row, row.ours), theirs, Text(_spread(row), style=colour)


def _cost(row: Measurement, values: tuple[float, ...]) -> str:
    if not values:
        return "-"
    median = statistics.median(values)
    if row.goal.kind == "decibels":
        return f"{median:.1f} dB"
    rate = f" ({row.images / median:,.0f} images/s)" if row.images else ""
    return f"{median:.3g} s{rate}"


def _spread(row: Measurement) -> str:
    low, high = min(row.values), max(row.values)
    median, low, high = (
        f"{value:,.0f}" if value >= 100 else f"{value:.3g}" for value in (row.median, low, high)
    )
    return f"{median} ({low}-{high})"


if __name__ == "__main__":
    main()
