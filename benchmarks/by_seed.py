"""The command line of a benchmark whose scenarios give rows, seed by seed."""

import argparse
import json
import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

Row = dict[str, Any]


def run(
    module: str,
    scenarios: Mapping[str, Callable[[int], Iterator[Row]]],
    show: Callable[[str, list[Row]], Sequence[Table | str]],
    *,
    seeds: int,
    width: int,
) -> None:
    """Run the scenarios that are asked for, all by default, over so many ``seeds``.

    Each row goes to stderr as it comes, and what ``show`` makes of a scenario's to stdout, at least
    ``width`` columns wide.
    """
    parser = argparse.ArgumentParser(f"python -m {module}")
    parser.add_argument("names", nargs="*", help=f"of {', '.join(scenarios)} (default: all)")
    parser.add_argument("--seeds", type=int, default=seeds, help=f"how many (default: {seeds})")
    parser.add_argument("--json", type=Path, help="write every row")
    asked = parser.parse_args()
    os.environ["RARESIGHT_VERBOSITY"] = "-1"
    console, every = Console(), {}
    console.width = max(console.width, width)
    for name in asked.names or scenarios:
        rows: list[Row] = []
        every[name] = rows
        for seed in range(1, asked.seeds + 1):
            for row in scenarios[name](seed):
                rows.append(row)
                print(json.dumps(row), file=sys.stderr, flush=True)
        for shown in show(name, rows):
            console.print(shown)
        if asked.json:
            asked.json.write_text(json.dumps(every))
