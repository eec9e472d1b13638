"""One version of the project: its params and what its evaluate stage wrote.

A version is the workspace, or a Git revision or DVC experiment; those are read through DVC, from
Git, its cache or a remote, and nothing in the workspace is changed.
"""

import hashlib
import io
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from raresight.pipeline.comparison.alignment import differing_params
from raresight.pipeline.comparison.revisions import Reader, revision_reader, run_again
from raresight.pipeline.core.arrow import read_arrow
from raresight.pipeline.core.files import MANIFEST, parse_json
from raresight.pipeline.core.provenance import WITH
from raresight.pipeline.evaluation.predictions_table import PredictionsTable, parse
from raresight.pipeline.runtime.errors import DataError, InputMissing

WORKSPACE = "workspace"
_FOLDER = "evaluation/predictions"


@dataclass(frozen=True, kw_only=True)
class Training:
    """The predictions of one training, and its threshold; without a positive class, test alone."""

    test: PredictionsTable
    val: PredictionsTable | None
    threshold: float | None


@dataclass(frozen=True, kw_only=True)
class Version:
    """What a version says of itself: ``results`` and ``params`` as in their files.

    ``trainings`` are those that its evaluate stage judged, about the same images in the same order.
    ``outdated`` names the params that were changed after the stages last ran.
    """

    name: str
    params: dict[str, Any]
    results: dict[str, Any]
    trainings: tuple[Training, ...]
    outdated: tuple[str, ...]

    @property
    def test(self) -> PredictionsTable:
        """The test predictions of the training that the results are about."""
        return self.trainings[0].test


def read_version(name: str, params_file: Path, data: Path, *, test: str = "test") -> Version:
    """Read a version; ``test`` names its table of predictions (``test`` or ``perturbed``).

    Raises InputMissing where the version does not have it, with the line to run.
    """
    read = _workspace() if name == WORKSPACE else revision_reader(name, WORKSPACE)
    path = data / "evaluation/results.json"
    content = read(path)
    results = parse_json(content, f"{path} in {name}")
    place = data / _FOLDER / MANIFEST
    manifest = parse_json(read(place), f"{place} in {name}")
    written = manifest.get(WITH, {}).get("../results.json")  # older versions do not say
    if written not in (None, hashlib.sha256(content).hexdigest()):
        raise DataError(
            f"{path} in {name} is not the one that was written with the predictions beside it. "
            f"{_remedy(name)}"
        )

    def table(stem: str) -> PredictionsTable:
        path = data / _FOLDER / f"{stem}.arrow"
        content = read(path)
        if hashlib.sha256(content).hexdigest() != manifest["files"][f"{stem}.arrow"]["sha256"]:
            raise DataError(
                f"{path} in {name} is not what the evaluate stage wrote (its sha256 differs). "
                f"{_remedy(name)}"
            )
        where = f"{path} in {name}"
        return parse(read_arrow(Path(where), missing=_remedy(name), content=content), where)

    params = _yaml(read(params_file))
    thresholds = _thresholds(results)
    return Version(
        name=name,
        params=params,
        results=results,
        trainings=tuple(
            Training(
                test=table(f"{folder}{test}"),
                val=None if threshold is None else table(f"{folder}val"),
                threshold=threshold,
            )
            for folder, threshold in thresholds.items()
        ),
        outdated=_outdated(read, params_file, params),
    )


def _thresholds(results: dict[str, Any]) -> dict[str, float | None]:
    """Each training's threshold by the folder of its predictions; None where there is none."""
    by_seed = results.get("by_seed", {"num_seeds": 1})
    numbers = [str(number) for number in range(1, by_seed["num_seeds"] + 1)]
    folders = ["", *(f"replicate-{number}/" for number in numbers[1:])]
    if results["positive"] is None:
        return dict.fromkeys(folders)
    first = {"1": results["threshold"]["model"]}
    values = by_seed.get("threshold", {"values": first})["values"]
    return {folder: values[number] for folder, number in zip(folders, numbers, strict=True)}


def _outdated(read: Reader, params_file: Path, params: dict[str, Any]) -> tuple[str, ...]:
    """The keys that dvc.lock gives another value than the params file."""
    try:
        lock = _yaml(read(params_file.parent / "dvc.lock"))
    except InputMissing:
        return ()  # DVC ran nothing here
    used: dict[str, Any] = {}
    for stage in lock.get("stages", {}).values():
        used |= stage.get("params", {}).get(params_file.name, {})
    return tuple(differing_params(used, {section: params.get(section) for section in used}))


def _yaml(content: bytes) -> dict[str, Any]:
    return YAML(typ="safe", pure=True).load(io.BytesIO(content))


def _workspace() -> Reader:
    def read(path: Path) -> bytes:
        try:
            return path.read_bytes()
        except (FileNotFoundError, NotADirectoryError):
            raise InputMissing(
                f"{path} is not in the workspace. Run `dvc pull` to fetch it or `dvc repro` to "
                "make it."
            ) from None

    return read


def _remedy(name: str) -> str:
    if name == WORKSPACE:
        return "Run `dvc repro evaluate`."
    return run_again(name)
