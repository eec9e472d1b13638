"""``python -m benchmarks.torture [--minutes N] [--seed N] [--light]``: 1 where anything broke."""

import argparse
import random
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from importlib import import_module
from pathlib import Path

from benchmarks.torture.damaging import flip, mutate
from benchmarks.torture.project import WITHOUT_TORCH, make
from benchmarks.torture.stopping import fail, stop
from raresight.pipeline.stages.table import STAGES


def torture(
    root: Path, *, stages: tuple[str, ...], seed: int, go_on: Callable[[int], bool]
) -> tuple[Counter, int]:
    """Rounds of everything while ``go_on``, asked with the number of each; what was counted, and
    the most memory that a stage took, in bytes."""
    for stage in stages:  # loaded here, once, and not in every process
        import_module(f"raresight.pipeline.stages.{stage}")
    project, rng = make(root, stages), random.Random(seed)
    counts, times, peaks = Counter[str](), dict[str, float](), [0]
    number = 0
    while go_on(number):
        stop(project, rng, times, counts)
        fail(project, rng, counts)
        for _ in range(4):
            mutate(project, rng, counts, peaks)
        for _ in range(3):
            flip(project, rng, counts)
        number += 1
    return Counter({name: count for name, count in counts.items() if count}), max(peaks)


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.torture")
    parser.add_argument("--minutes", type=float, default=30)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--light", action="store_true", help="only the stages without torch")
    asked = parser.parse_args(arguments)
    stages, start = WITHOUT_TORCH if asked.light else tuple(STAGES), time.monotonic()

    def go_on(number: int) -> bool:
        return time.monotonic() - start < 60 * asked.minutes

    with tempfile.TemporaryDirectory() as place:
        counts, peak = torture(Path(place), stages=stages, seed=asked.seed, go_on=go_on)
    for name, count in sorted(counts.items()):
        print(f"{count:>6}  {name}")
    print(f"{peak / 1e9:>6.2f}  GB at most in a process, libraries included")
    return 1 if any(name.startswith("WRONG") for name in counts) else 0


if __name__ == "__main__":
    sys.exit(main())
