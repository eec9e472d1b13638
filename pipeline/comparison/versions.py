"""One version of the project: its params and what its evaluate stage wrote.

A version is the workspace, or a Git revision or DVC experiment; those are read through DVC, from
Git, its cache or a remote, and nothing in the workspace is changed.
"""

import hashlib
import io
import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pyarrow as pa
from ruamel.yaml import YAML

from raresight.pipeline.comparison.alignment import differing_params
from raresight.pipeline.core.files import MANIFEST
from raresight.pipeline.evaluation.predictions_table import PredictionsTable, parse
from raresight.pipeline.runtime.errors import DataError, InputMissing, ParamsError

WORKSPACE = "workspace"
_FOLDER = "evaluation/predictions"

Reader = Callable[[Path], bytes]


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
    read = _workspace() if name == WORKSPACE else _revision(name)
    results = json.loads(read(data / "evaluation/results.json"))
    manifest = json.loads(read(data / _FOLDER / MANIFEST))["files"]

    def table(stem: str) -> PredictionsTable:
        path = data / _FOLDER / f"{stem}.arrow"
        content = read(path)
        if hashlib.sha256(content).hexdigest() != manifest[f"{stem}.arrow"]["sha256"]:
            raise DataError(
                f"{path} in {name} is not what the evaluate stage wrote (its sha256 differs). "
                f"{_remedy(name)}"
            )
        return parse(pa.ipc.open_file(content).read_all(), f"{path} in {name}")

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


def _revision(name: str) -> Reader:
    """Reads paths of the workspace as they are in a revision."""
    from dvc.api import DVCFileSystem
    from dvc.exceptions import DvcException, NotDvcRepoError
    from dvc.repo import Repo
    from dvc.scm import SCMError, resolve_rev
    from dvc_data.index import DataIndexDirError

    try:
        root = Path(Repo.find_root())
        with Repo(root) as here:  # a revision may be older than the remote that holds its data
            checked_out = resolve_rev(here.scm, name) == here.scm.get_rev()
            config = {key: here.config[key] for key in ("core", "remote", "cache")}
    except NotDvcRepoError:
        raise InputMissing(
            "there is no DVC project here, so no earlier version can be read. Run this inside one."
        ) from None
    except SCMError as error:
        raise ParamsError(
            f"{error}. Give a Git revision (`git log --oneline`), a DVC experiment "
            f"(`dvc exp list`) or '{WORKSPACE}'."
        ) from None

    files = DVCFileSystem(str(root), rev=name, config=config)
    missing = partial(_missing, name, checked_out=checked_out)

    def read(path: Path) -> bytes:
        inside = _relative(path, root)
        try:
            return files.read_bytes(inside)
        except FileNotFoundError:
            raise InputMissing(missing(inside, known=files.exists(inside))) from None
        except DataIndexDirError:  # DVC cannot even list the folder
            raise InputMissing(missing(inside, known=True)) from None
        except (DvcException, OSError) as error:
            raise InputMissing(f"{inside} of {name} cannot be read: {error}") from None

    return read


def _relative(path: Path, root: Path) -> str:
    try:
        return path.resolve().relative_to(root.resolve()).as_posix()
    except ValueError:
        raise ParamsError(f"{path} is outside the project {root}: no revision holds it.") from None


def _missing(name: str, path: str, *, known: bool, checked_out: bool) -> str:
    remedy = _run_here() if checked_out else _remedy(name)
    if known:  # dvc.lock has its hash
        return (
            f"{path} of {name} is in no cache and no remote of this project. Run `dvc push` where "
            f"it was made and `dvc fetch` here, or make it again: {remedy}"
        )
    return (
        f"{name} has no {path}: its evaluate stage was not run, or the result not committed. "
        f"{remedy}"
    )


def _run_here() -> str:
    return (
        "Run `dvc repro evaluate` (if there are edits, `git stash` first and `git stash pop` "
        "after), and commit dvc.lock and the metrics."
    )


def _remedy(name: str) -> str:
    if name == WORKSPACE:
        return "Run `dvc repro evaluate`."
    return f"Run `git checkout {name} && dvc repro evaluate`, and commit dvc.lock and the results."
