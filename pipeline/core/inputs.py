"""What a stage reads: whole, made from each other, and numbers that can be true."""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from raresight.pipeline.core.files import read_json, read_manifest, require_verified
from raresight.pipeline.core.provenance import MANIFEST, made_from_another, strangers
from raresight.pipeline.runtime.errors import DataError, listing

_SLACK = 1e-9  # a value at the end of its interval may lie beyond it by a rounding


def require_inputs(data: Path, inputs: Mapping[str, str]) -> None:
    """Check what a stage reads: ``inputs`` has the stage that makes each, by its path below
    ``data``. Those which were made from each other, or at once, must still belong together.

    Raises as :func:`require_verified`, DataError where they do not, with what to run.
    """
    for name, stage in inputs.items():
        require_verified(data / name, stage)
    asked = {Path(os.path.normpath(data / name)) for name in inputs}
    for name, stage in inputs.items():
        folder = data / name
        strange = strangers(folder, read_manifest(folder), asked.__contains__)
        if said := made_from_another(folder, strange, f"run `raresight {stage}` or `dvc repro`."):
            raise DataError("\n".join(said))


def read_mapping(path: Path) -> dict[str, Any]:
    """The JSON of a file that has names and their values; DataError where it is another.

    Raises InputMissing where there is no file.
    """
    found = read_json(path)
    if not isinstance(found, dict):
        raise DataError(f"{path} must hold names with values, not {type(found).__name__}.")
    return found


def read_results(path: Path, stage: str) -> Any:
    """The numbers that ``stage`` wrote to ``path``.

    Raises InputMissing where there are none, DataError where they are not those that the manifest
    of a folder beside them names (where there is one: a clone without `dvc pull` has none), or
    where a value lies outside its own interval.
    """
    found = read_mapping(path)
    remedy = f"Restore it with `git checkout {path}` or run `raresight {stage}` again."
    for folder in sorted(one.parent for one in path.parent.glob(f"*/{MANIFEST}")):
        if any(strangers(folder, read_manifest(folder), path.__eq__)):
            raise DataError(f"{path} is not what was written with {folder}. {remedy}")
    if problems := [f"{path}: {problem}" for problem in interval_problems(found)]:
        raise DataError(f"{listing(problems)}\n{remedy}")
    return found


@contextmanager
def understood(what: str, remedy: str, *also: type[Exception]) -> Iterator[None]:
    """Around what takes values out of files that are whole: where one of them is missing, or of
    another kind than its stage writes, DataError names the files (``what``) and what to do.

    ``also`` are errors that mean the same in a library.
    """
    meant: tuple[type[Exception], ...] = (LookupError, TypeError, AttributeError, ValueError)
    try:
        yield
    except meant + also as error:
        told = f"{type(error).__name__}: {str(error)[:200]}"
        raise DataError(
            f"{what} cannot be understood by this version of Raresight ({told}). {remedy}"
        ) from error


def interval_problems(found: Any, where: str = "") -> Iterator[str]:
    """A sentence for each ``NAME`` that is not between ``NAME_low`` and ``NAME_high``."""
    if not isinstance(found, Mapping):
        return
    for name, value in found.items():
        low, high = found.get(f"{name}_low"), found.get(f"{name}_high")
        if _outside(value, low, high):
            yield f"{where}{name} is {value}, outside its own interval {low} to {high}"
        yield from interval_problems(value, f"{where}{name}.")


def _outside(value: Any, low: Any, high: Any) -> bool:
    known = all(isinstance(one, int | float) for one in (value, low, high))
    return known and not low - _SLACK <= value <= high + _SLACK
