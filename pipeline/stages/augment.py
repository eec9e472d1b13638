"""augment: enlarge the classes that params.yaml names with copies that still show their label."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from raresight.pipeline.augmentation import recipe
from raresight.pipeline.augmentation.params import AugmentParams
from raresight.pipeline.augmentation.safety import Copy, Original, Policy, make_copy, violations
from raresight.pipeline.core.files import require_verified, stage_outputs, write_json
from raresight.pipeline.core.parallel import map_shards
from raresight.pipeline.core.params import load_section
from raresight.pipeline.dataset.reader import Dataset
from raresight.pipeline.dataset.schema import (
    COLUMNS,
    FACTOR,
    Description,
    Rows,
    Shard,
    rows_per_shard,
    versions,
)
from raresight.pipeline.dataset.writer import shard_name, write_shard
from raresight.pipeline.runtime.errors import ParamsError, suggest
from raresight.pipeline.runtime.progress import track

OUTPUT = "augmented"
_LIBRARIES = (
    "raresight",
    "pyarrow",
    "numpy",
    "albumentations",
    "albucore",
    "opencv-python-headless",
)
_MASK = "mask"
_JUDGED = 200  # originals that each spatial transform is judged on


@dataclass(frozen=True, kw_only=True)
class CopyTask:
    """One shard to make: copies of ``rows``, which are originals of one class and one source.

    The copies of all rows are numbered through, original by original, and this shard holds those
    from ``start`` to ``stop``; so more originals only add copies at the end.
    """

    path: Path
    originals: Path
    rows: np.ndarray
    label: str
    copies: int
    start: int
    stop: int
    params: AugmentParams
    description: Description


@dataclass(frozen=True, kw_only=True)
class Tally:
    """How many copies were asked for and made, and how often the label was lost on the way."""

    asked: int = 0
    made: int = 0
    redrawn: int = 0
    dropped: int = 0

    def __add__(self, other: "Tally") -> "Tally":
        mine, theirs = asdict(self), asdict(other)
        return Tally(**{name: mine[name] + theirs[name] for name in mine})


@dataclass(frozen=True, kw_only=True)
class Made:
    """What became of a task; no shard where every copy was dropped."""

    label: str
    shard: Shard | None
    tally: Tally


def run(
    params_file: Path, data: Path, *, workers: int | None = None, executor: str = "local"
) -> Path:
    """Write the dataset of copies ``data/augmented`` and return its path."""
    params = load_section(params_file, "augment", AugmentParams)
    require_verified(data / "generated", "generate")
    originals = Dataset(data / "generated")
    _check(params, params_file, originals)
    description = _describe(params, originals)
    hashed: dict[Path, str] = {}
    with stage_outputs(data / OUTPUT, hashed=hashed) as (folder,):
        tasks = list(_tasks(folder, params, originals, description))
        done = map_shards(make_shard, tasks, workers=workers, executor=executor)
        total = sum(task.stop - task.start for task in tasks)
        shown = track(
            done, total=total, description="augment", images=lambda made: made.tally.asked
        )
        made = list(shown)
        shards = tuple(one.shard for one in made if one.shard is not None)
        hashed |= {folder / shard.file: shard.sha256 for shard in shards}
        replace(description, shards=shards).write(folder)
        write_json(folder / "report.json", _report(params, originals, made))
    return data / OUTPUT


def _check(params: AugmentParams, params_file: Path, originals: Dataset) -> None:
    problems = [
        f"{params_file}: augment.copies: no class '{label}'. {suggest(label, originals.classes)}"
        for label in params.copies
        if label not in originals.classes
    ]
    where, shape = f"{params_file}: augment", originals.image_shape
    problems += recipe.problems(
        params.spatial, f"{where}.spatial", kind="spatial", image_shape=shape
    )
    problems += recipe.problems(params.pixel, f"{where}.pixel", kind="pixel", image_shape=shape)
    if problems:
        raise ParamsError("\n".join(problems))


def _describe(params: AugmentParams, originals: Dataset) -> Description:
    """As the originals, but for what speaks of places in the image: of that, masks are moved."""
    kept = originals.description.columns
    return replace(
        originals.description,
        seed=params.seed,
        versions=versions(*_LIBRARIES),
        shards=(),
        columns=tuple(n for n in kept if n == _MASK or not COLUMNS[n].kind.of_pixels),
    )


def _tasks(
    folder: Path, params: AugmentParams, originals: Dataset, description: Description
) -> Iterator[CopyTask]:
    size = rows_per_shard(description.image_shape, description.columns)
    number = 0
    for label, copies, rows in _to_copy(params, originals):
        total = len(rows) * copies
        for start in range(0, total, size):
            stop = min(start + size, total)
            yield CopyTask(
                path=folder / shard_name(number),
                originals=originals.folder,
                rows=rows[start // copies : (stop - 1) // copies + 1],
                label=label,
                copies=copies,
                start=start % copies,
                stop=start % copies + stop - start,
                params=params,
                description=description,
            )
            number += 1


def _to_copy(params: AugmentParams, originals: Dataset) -> Iterator[tuple[str, int, np.ndarray]]:
    """Class, copies and rows of each source's originals that are to be copied."""
    for source in originals.description.sources:
        if source["role"] == "test_only":  # only copies of training sources are ever learned from
            continue
        here = originals.source_names == source["name"]
        for label, copies in sorted(params.copies.items()):
            rows = np.flatnonzero(here & (originals.labels == label))
            if copies and len(rows):
                yield label, copies, rows


def make_shard(task: CopyTask) -> Made:
    """Make the copies of one shard and write it; runs in a worker process."""
    originals = Dataset(task.originals)
    asked = task.stop - task.start
    images = np.empty((asked, *originals.image_shape), np.uint8)
    masks: list[np.ndarray | None] = []
    kept: list[tuple[int, int]] = []
    redraws = 0
    for row, variant, copy in _copies(task, originals):
        redraws += copy.redraws
        if copy.image is not None:
            images[len(kept)] = copy.image
            masks.append(_mask(copy, originals, row))
            kept.append((row, variant))
    made = len(kept)
    tally = Tally(asked=asked, made=made, redrawn=redraws, dropped=asked - made)
    if not kept:
        return Made(label=task.label, shard=None, tally=tally)
    rows = _rows(task, originals, kept, images[:made], masks)
    source = str(originals.source_names[task.rows[0]])
    shard = write_shard(task.path, rows, task.description, source=source)
    return Made(label=task.label, shard=shard, tally=tally)


def _copies(task: CopyTask, originals: Dataset) -> Iterator[tuple[int, int, Copy]]:
    """Row of the original, variant and pixels of every copy of a task."""
    params = task.params
    policy = Policy(
        spatial=recipe.build(params.spatial),
        pixel=recipe.build(params.pixel),
        min_label_share=params.min_label_share,
        max_tries=params.max_tries,
        seed=params.seed,
    )
    ids = originals.column("id", task.rows)
    for which, row in enumerate(task.rows.tolist()):
        original = _original(originals, row, ids[which])
        first = which * task.copies
        for k in range(max(0, task.start - first), min(task.copies, task.stop - first)):
            yield row, k + 1, make_copy(original, k + 1, policy=policy)


def _original(originals: Dataset, row: int, id: str) -> Original:
    mask = None if originals.masks is None else originals.masks[row]
    return Original.of(id, originals.images[row], mask)


def _mask(copy: Copy, originals: Dataset, row: int) -> np.ndarray | None:
    """That of the copy; none where the original has none, of zeros or unknown."""
    if copy.mask is not None or originals.masks is None:
        return copy.mask
    return originals.masks[row]


def _rows(
    task: CopyTask,
    originals: Dataset,
    kept: Sequence[tuple[int, int]],
    images: np.ndarray,
    masks: Sequence[np.ndarray | None],
) -> Rows:
    rows, variants = (list(column) for column in zip(*kept, strict=True))
    source_ids = originals.column("id", rows)
    columns = {
        name: masks if name == _MASK else originals.column(name, rows)
        for name in task.description.columns
    }
    return Rows(
        ids=[f"{source}+{k}" for source, k in zip(source_ids, variants, strict=True)],
        source_ids=source_ids,
        groups=originals.column("group", rows),
        origin=originals.column("origin", rows[:1])[0],
        labels=originals.column("label", rows),
        true_labels=originals.column("true_label", rows),
        variants=variants,
        images=images,
        columns=columns,
        factors={
            name: originals.column(f"{FACTOR}{name}", rows) for name in task.description.factors
        },
    )


def _report(params: AugmentParams, originals: Dataset, made: Sequence[Made]) -> dict[str, Any]:
    """The contents of report.json."""
    tallies = dict.fromkeys(params.copies, Tally())
    for one in made:
        tallies[one.label] += one.tally
    judged = list(islice(_with_label(params, originals), _JUDGED))
    counts = violations(
        params.spatial, judged, min_label_share=params.min_label_share, seed=params.seed
    )
    return {
        "min_label_share": params.min_label_share,
        "copies": {label: asdict(tally) for label, tally in tallies.items()},
        "violations": {name: _rate(below, len(judged)) for name, below in counts.items()},
    }


def _rate(below: int, judged: int) -> dict[str, float | None]:
    return {"originals": judged, "below": below, "rate": below / judged if judged else None}


def _with_label(params: AugmentParams, originals: Dataset) -> Iterator[Original]:
    """The originals to be copied whose label's pixels are known, in order."""
    for _, _, rows in _to_copy(params, originals):
        for row in rows:
            original = _original(originals, row, str(originals.ids[row]))
            if original.numbers is not None:
                yield original
