"""enlarge: more training images of a rare class, made from training images alone, and checked."""

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from math import prod
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from raresight.pipeline.cleaning.table import FOLDER as CLEANING
from raresight.pipeline.cleaning.table import left_out
from raresight.pipeline.core.files import (
    MANIFEST,
    sha256,
    stage_outputs,
    write_json,
)
from raresight.pipeline.core.inputs import require_inputs
from raresight.pipeline.core.params import load_section
from raresight.pipeline.core.space import require_room
from raresight.pipeline.dataset.reader import Dataset
from raresight.pipeline.dataset.schema import Description, Rows, Shard
from raresight.pipeline.dataset.writer import shard_name, write_shard
from raresight.pipeline.enlarging.judging import MadeImages, check
from raresight.pipeline.enlarging.makers import MAKERS
from raresight.pipeline.enlarging.params import EnlargeParams
from raresight.pipeline.enlarging.telling import tell, tell_choice
from raresight.pipeline.enlarging.wanted import KEPT, Made, Wanted
from raresight.pipeline.runtime.errors import ParamsError, suggest
from raresight.pipeline.runtime.progress import bar
from raresight.pipeline.splitting.table import read_splits
from raresight.pipeline.training.params import TrainParams
from raresight.pipeline.training.runtime.paths import RESUME

if TYPE_CHECKING:
    from raresight.pipeline.enlarging.share import Choice

OUTPUT, REPORT = "enlarged", "report.json"
_AT_ONCE, _GROUND, _GENERATED = 1024, "ground", "generated"


@dataclass(frozen=True, kw_only=True)
class _Work:
    """What was asked, and the rows of the originals that may be learned from and that judge."""

    params_file: Path
    params: EnlargeParams
    data: Path
    originals: Dataset
    learned: np.ndarray
    held: np.ndarray

    @property
    def description(self) -> Description:
        """That of the dataset to be written, without its shards."""
        known = self.originals.description
        return replace(
            known,
            seed=self.params.seed,
            shards=(),
            columns=("mask",) if "mask" in known.columns else (),
            factors={**known.factors, _GROUND: "string"},
        )

    @property
    def real(self) -> np.ndarray:
        """The rows that no model made."""
        return self.learned[self.originals.origins[self.learned] != _GENERATED]


def run(params_file: Path, data: Path, *, device: str = "auto") -> Path:
    """Write the dataset ``data/enlarged``, empty where nothing is asked for; return its path.

    Images that were made elsewhere (``origin: generated`` of a source) are checked as well.
    """
    params = load_section(params_file, "enlarge", EnlargeParams)
    train = load_section(params_file, "train", TrainParams)
    read = {"generated": "generate"}
    require_inputs(data, read)
    originals = Dataset(data / "generated")
    elsewhere = [one["name"] for one in originals.description.sources if one.get("origin")]
    if params.classes or elsewhere:
        read["splits"] = "split"
        if (data / CLEANING).is_dir():
            read[CLEANING] = "clean"
        if params.classes and params.share == "sweep":
            read["augmented"] = "augment"  # its runs learn from copies, too, as train does
        require_inputs(data, read)
    nothing = np.empty(0, np.int64)
    work = _Work(
        params_file=params_file, params=params, data=data, originals=originals, learned=nothing,
        held=nothing,
    )  # fmt: skip
    report: dict[str, Any] = {"splits": None, "classes": {}, "elsewhere": [], "sweep": None}
    with stage_outputs(data / OUTPUT, inputs=[data / name for name in read]) as (folder,):
        made: dict[str, list[Made]] = {}
        if params.classes or elsewhere:
            work = _opened(work)
            if params.share == "all":  # of a sweep nobody knows what it keeps
                require_room(data / OUTPUT, _bytes(work))
            report["splits"] = sha256(data / "splits" / MANIFEST)
            report["elsewhere"] = [one for name in elsewhere for one in _check_source(work, name)]
            made, report["classes"] = _make(work, train, device)
        if made and params.share == "sweep":
            choice = _sweep(work, made, train, device)
            report["sweep"] = asdict(choice)
            tell_choice(choice)
            made = {
                label: [one for one in several if one.number <= choice.chosen]
                for label, several in made.items()
            }
        _write(folder, work, made)
        write_json(folder / REPORT, report)
    shutil.rmtree(data / RESUME / KEPT, ignore_errors=True)  # a fit, once its images are written
    return data / OUTPUT


def _opened(work: _Work) -> _Work:
    """With the rows that the split and the cleaning leave."""
    data, originals = work.data, work.originals
    splits = read_splits(data / "splits")
    learned, held = (splits.rows(originals, name) for name in ("train", "val"))
    learned = learned[~np.isin(originals.ids[learned], left_out(data))]
    return replace(work, learned=learned, held=held)


def _bytes(work: _Work) -> int:
    """The pixels of everything that is asked for."""
    labels = work.originals.labels[work.real].tolist()
    asked = sum(labels.count(label) * each for label, each in work.params.classes.items())
    return int(asked * prod(work.originals.image_shape))


def _make(
    work: _Work, train: TrainParams, device: str
) -> tuple[dict[str, list[Made]], dict[str, Any]]:
    """The images of each class that the method makes, and what the checks say of them."""
    params, originals, made, report = work.params, work.originals, {}, {}
    for label in params.classes:
        if label not in originals.classes:
            raise ParamsError(
                f"{work.params_file}: enlarge.classes: no class '{label}'. "
                f"{suggest(label, originals.classes)}"
            )
    name = params.method.name
    wanted = Wanted(
        data=originals, rows=work.real, classes=params.classes, seed=params.seed,
        folder=work.data, train=train, device=device,
    )  # fmt: skip
    for found in MAKERS[name](wanted, params.method):
        label, kept, shape = found.label, list(found.made), originals.image_shape
        images = MadeImages(
            label=label,
            maker=f"enlarge.method '{name}'",
            ids=[one.id for one in kept],
            images=np.stack([one.image for one in kept])
            if kept
            else np.empty((0, *shape), np.uint8),
            masks=[one.mask for one in kept],
        )
        checked = check(
            images, originals, found.parents, work.held, seams=found.seams, seed=params.seed
        )
        told = {"asked": found.asked, "made": len(kept), **checked, **found.facts}
        tell(label, told, name)
        made[label], report[label] = kept, told
    return made, report


def _check_source(work: _Work, name: str) -> list[dict[str, Any]]:
    """What the checks say of the images that a source brings, a class each."""
    data, params, found = work.originals, work.params, []
    mine = work.learned[data.source_names[work.learned] == name]
    for label in np.unique(data.labels[mine]).tolist():
        rows = mine[data.labels[mine] == label]
        real = work.real[data.labels[work.real] == label]
        masks = [None if data.masks is None else data.masks[row] for row in rows.tolist()]
        images = MadeImages(
            label=label,
            maker=f"source '{name}'",
            ids=data.ids[rows].tolist(),
            images=data.images.take(rows),
            masks=masks,
        )
        told = check(images, data, real, work.held, seams=None, seed=params.seed)
        found.append({"source": name, "label": label, "made": len(rows), **told})
        tell(label, found[-1], f"source '{name}'")
    return found


def _sweep(
    work: _Work, made: Mapping[str, Sequence[Made]], section: TrainParams, device: str
) -> "Choice":
    """Short trainings with each number of made images; torch is loaded here."""
    from raresight.pipeline.enlarging.share import PARTS, numbers, sweep_share
    from raresight.pipeline.models import device as devices
    from raresight.pipeline.sweeps.engine import FOLDER
    from raresight.pipeline.training.inputs import open_images

    params, data, originals = work.params, work.data, work.originals
    if originals.positive is None:
        raise ParamsError(
            f"{work.params_file}: enlarge.share: a sweep is judged by how well the positive class "
            "is ranked, and generate.positive is null. Name it, or write `share: all`."
        )
    train = (
        section if params.epochs is None else section.model_copy(update={"epochs": params.epochs})
    )
    where = devices.resolve(device)
    devices.prepare(where, train.threads)
    images = open_images(work.params_file, train, data, left_out=left_out(data), enlarged=False)
    folder = data / FOLDER / "made"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    _write(folder, work, made)
    most = max(params.classes.values())
    with bar() as progress:
        total = (len(numbers(most)) + len(PARTS)) * params.num_seeds
        task = progress.add_task("enlarge", total=total)
        choice = sweep_share(
            replace(images, enlarged=Dataset(folder)), train, most=most,
            num_seeds=params.num_seeds, data=data, device=where,
            on_done=lambda _: progress.advance(task),
        )  # fmt: skip
    shutil.rmtree(folder)
    return choice


def _write(folder: Path, work: _Work, made: Mapping[str, Sequence[Made]]) -> None:
    """The dataset of the made images, empty where there are none."""
    description, shards = work.description, list[Shard]()
    for label, several in made.items():
        for start in range(0, len(several), _AT_ONCE):
            part = several[start : start + _AT_ONCE]
            source = str(work.originals.source_names[part[0].parent])
            path = folder / shard_name(len(shards))
            rows = _rows(work.originals, label, part)
            shards.append(write_shard(path, rows, description, source=source))
    replace(description, shards=tuple(shards)).write(folder)


def _rows(originals: Dataset, label: str, made: Sequence[Made]) -> Rows:
    parents = [one.parent for one in made]
    factors: dict[str, Sequence[Any]] = {
        name: [None if kind == "string" else float("nan")] * len(made)
        for name, kind in originals.description.factors.items()
    }
    return Rows(
        ids=[one.id for one in made],
        source_ids=originals.ids[parents].tolist(),
        groups=originals.groups[parents].tolist(),
        origin=_GENERATED,
        labels=[label] * len(made),
        true_labels=[label] * len(made),
        variants=[one.number for one in made],
        images=np.stack([one.image for one in made]),
        columns={"mask": [one.mask for one in made]},
        factors=factors | {_GROUND: [_name(originals, one.ground) for one in made]},
    )


def _name(originals: Dataset, row: int | None) -> str | None:
    return None if row is None else str(originals.ids[row])
