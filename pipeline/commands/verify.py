"""verify: do the stages' outputs still hold the bytes that were written, and belong together?"""

import os
from collections.abc import Iterator
from pathlib import Path

from raresight.pipeline.core.files import manifest_problems, read_json, read_manifest
from raresight.pipeline.core.inputs import interval_problems
from raresight.pipeline.core.provenance import MANIFEST, made_from_another, strangers
from raresight.pipeline.runtime.errors import DataError, InputMissing
from raresight.pipeline.stages.table import STAGES


def run(folder: Path) -> dict[Path, list[str]]:
    """Recompute every sha256 below ``folder``: the problems of each output, none if whole.

    Outputs are folders with a manifest, and the files of numbers that stand beside some. An output
    that was made from others than those that are there has a problem, too. Raises InputMissing when
    no output of a stage is there.
    """
    outputs = list(_outputs(folder))
    if not outputs:
        raise InputMissing(
            f"{folder} holds no output of a stage (no {MANIFEST} below it). "
            "Run `dvc repro`, or `dvc pull` to fetch outputs made elsewhere."
        )
    found = {output: manifest_problems(output) for output in outputs}
    for output in [one for one, problems in found.items() if not problems]:
        found[output] += _mixed(output, folder)
    return found | {path: _numbers(path) for path in _results(folder)}


def _outputs(folder: Path) -> Iterator[Path]:
    for path, folders, files in os.walk(folder):
        # A hidden folder is an output on its way.
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        if MANIFEST in files:
            yield Path(path)


def _mixed(output: Path, data: Path) -> list[str]:
    """What lies there is not what this was made from, or with; with what mends it."""
    stage = _stage_of(output.relative_to(data))
    remedy = f"run `raresight {stage}` or `dvc repro`" if stage else "make it again"
    return made_from_another(output, strangers(output, read_manifest(output)), remedy)


def _stage_of(path: Path) -> str | None:
    return next((name for name, one in STAGES.items() if path.as_posix() in one.outputs), None)


def _results(data: Path) -> Iterator[Path]:
    for stage in STAGES.values():
        yield from (data / name for name in stage.results if (data / name).is_file())


def _numbers(path: Path) -> list[str]:
    try:
        return [f"{path}: {problem}" for problem in interval_problems(read_json(path))]
    except DataError as error:
        return [str(error)]
