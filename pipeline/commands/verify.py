"""verify: do the stages' outputs still hold the bytes that were written?"""

import os
from collections.abc import Iterator
from pathlib import Path

from raresight.pipeline.core.files import MANIFEST, manifest_problems
from raresight.pipeline.runtime.errors import InputMissing


def run(folder: Path) -> dict[Path, list[str]]:
    """Recompute every sha256 below ``folder``: the problems of each output folder, none if whole.

    Raises InputMissing when no output of a stage is there.
    """
    outputs = list(_outputs(folder))
    if not outputs:
        raise InputMissing(
            f"{folder} holds no output of a stage (no {MANIFEST} below it). "
            "Run `dvc repro`, or `dvc pull` to fetch outputs made elsewhere."
        )
    return {output: manifest_problems(output) for output in outputs}


def _outputs(folder: Path) -> Iterator[Path]:
    for path, folders, files in os.walk(folder):
        # A hidden folder is an output on its way.
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        if MANIFEST in files:
            yield Path(path)
