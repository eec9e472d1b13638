"""Runs the train stage, kills it at random moments, and then lets a last run end.

``python train_and_kill.py PARAMS DATA KILLS NAME``. Each run is killed after it has kept something
new in the checkpoint of that name.
One process loads torch and forks, so that a run costs its training alone.
"""

import os
import random
import signal
import sys
import time
from pathlib import Path

from raresight.pipeline.stages import train
from raresight.pipeline.training.runtime.paths import RESUME


def main(params: Path, data: Path, kills: int, name: str) -> None:
    moments, manifest = random.Random(1), data / RESUME / name / "manifest.json"
    for _ in range(kills):
        before = stamp(manifest)
        child = os.fork()
        if not child:
            train.run(params, data, device="cpu")
            os._exit(0)
        while stamp(manifest) in (before, None) and not os.waitpid(child, os.WNOHANG)[0]:
            time.sleep(0.001)
        time.sleep(moments.uniform(0, 0.15))
        if os.waitpid(child, os.WNOHANG)[0]:
            sys.exit("the training ended before it could be killed often enough")
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
    train.run(params, data, device="cpu")


def stamp(path: Path) -> int | None:
    """Tells one version of a file from the next."""
    try:
        return path.stat().st_mtime_ns
    except FileNotFoundError:
        return None


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]), sys.argv[4])
