"""``python -m benchmarks.torture``: attacks a tiny project in parts; 1 where anything broke."""

import argparse
import json
import random
import sys
import tempfile
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from importlib import import_module
from pathlib import Path

from benchmarks.torture import damaging, dvc, failing, launched, reading, stopping
from benchmarks.torture.project import WITHOUT_TORCH, make
from benchmarks.torture.run import Run
from raresight.pipeline.stages.table import STAGES

# What each part does again and again; it yields how many tries a round was.
PARTS: Mapping[str, Callable[[Run], Iterator[int]]] = {
    "kills": stopping.kills,
    "signals": stopping.signals,
    "calls": failing.calls,
    "flips": damaging.flips,
    "mutations": reading.mutations,
    "stages": damaging.stages,
    "states": stopping.states,
    "torchrun": launched.signals,
    "dvc": dvc.kills,
    "together": dvc.together,
}
# How many tries of each are enough.
ENOUGH: Mapping[str, int] = {
    "kills": 100,
    "signals": 200,
    "calls": 400,
    "flips": 300,
    "mutations": 2000,
    "stages": 100,
    "states": 100,
    "torchrun": 20,
    "dvc": 40,
    "together": 20,
}


def torture(
    root: Path,
    *,
    stages: Collection[str],
    seed: int,
    asked: Mapping[str, int],
    go_on: Callable[[], bool] = lambda: True,
) -> tuple[Run, dict[str, int]]:
    """Rounds of each part in turn, while ``go_on``, until each has had the tries ``asked`` for.

    Returns what was counted, and how many tries each part had.
    """
    for stage in stages:  # loaded here, once, and not in every process
        import_module(f"raresight.pipeline.stages.{stage}")
    run = Run(project=make(root, tuple(stages)), rng=random.Random(seed))
    rounds, done = {name: PARTS[name](run) for name in asked}, dict.fromkeys(asked, 0)
    while rounds and go_on():
        for name in list(rounds):
            tries = next(rounds[name], None)  # None where there is nothing left to try
            done[name] += tries or 0
            if tries is None or done[name] >= asked[name]:
                del rounds[name]
    return run, done


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.torture", description=__doc__)
    parser.add_argument("--minutes", type=float, default=60, help="at most")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", default=",".join(PARTS), help="parts, such as kills,flips")
    parser.add_argument("--light", action="store_true", help="only the stages without torch")
    parser.add_argument("--add", type=Path, help="a JSON file that the counts are added to")
    asked = parser.parse_args(arguments)
    stages, start = WITHOUT_TORCH if asked.light else tuple(STAGES), time.monotonic()
    names = asked.only.split(",")
    if unknown := [name for name in names if name not in PARTS]:
        parser.error(f"no part {unknown[0]}: they are {', '.join(PARTS)}")
    with tempfile.TemporaryDirectory() as place:
        run, done = torture(
            Path(place),
            stages=stages,
            seed=asked.seed,
            asked={name: ENOUGH[name] for name in names},
            go_on=lambda: time.monotonic() - start < 60 * asked.minutes,
        )
    return _tell(run, done, asked.add)


def _tell(run: Run, done: Mapping[str, int], sums: Path | None) -> int:
    counts = {name: count for name, count in run.counts.items() if count}
    for name, count in sorted(counts.items()):
        print(f"{count:>6}  {name}")
    for name, count in done.items():
        print(f"{name}: {count} of {ENOUGH[name]}")
    print(f"{max(run.peaks, default=0) / 1e9:.2f} GB at most in a process, libraries included")
    print(f"{max(run.slowest, default=0):.1f} s at most for a mutated file")
    if sums is not None:
        known = json.loads(sums.read_text()) if sums.is_file() else {}
        whole = {name: known.get(name, 0) + counts.get(name, 0) for name in {*known, *counts}}
        sums.write_text(json.dumps(dict(sorted(whole.items())), indent=1) + "\n")
    return 1 if any(name.startswith("WRONG") for name in counts) else 0


if __name__ == "__main__":
    sys.exit(main())
