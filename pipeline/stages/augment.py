"""augment: enlarge the classes that params.yaml names with copies that still show their label."""

from dataclasses import dataclass, replace
from math import prod
from pathlib import Path

from raresight.pipeline.augmentation.class_specific import unchecked
from raresight.pipeline.augmentation.copies import (
    CopyCounts,
    ShardCopies,
    copied_columns,
    make_rows,
    plan_copies,
    report_copies,
    unmasked_sources,
)
from raresight.pipeline.augmentation.params import AugmentParams
from raresight.pipeline.augmentation.recipe import problems
from raresight.pipeline.core.files import require_verified, stage_outputs, write_json
from raresight.pipeline.core.parallel import map_shards
from raresight.pipeline.core.params import load_section
from raresight.pipeline.dataset.reader import Dataset
from raresight.pipeline.dataset.schema import Description, Shard, rows_per_shard, versions
from raresight.pipeline.dataset.writer import shard_name, write_shard
from raresight.pipeline.runtime.errors import ParamsError, suggest
from raresight.pipeline.runtime.progress import say, track

_LIBRARIES = (
    "raresight",
    "pyarrow",
    "numpy",
    "albumentations",
    "albucore",
    "opencv-python-headless",
)


@dataclass(frozen=True, kw_only=True)
class CopyTask:
    """One shard of copies to make into ``path``."""

    path: Path
    originals: Path
    copies: ShardCopies
    params: AugmentParams
    description: Description


@dataclass(frozen=True, kw_only=True)
class CopiedShard:
    """What became of a task; no shard where every copy was dropped."""

    label: str
    shard: Shard | None
    counts: CopyCounts


def run(
    params_file: Path, data: Path, *, workers: int | None = None, executor: str = "local"
) -> Path:
    """Write the dataset of copies ``data/augmented`` and return its path."""
    params = load_section(params_file, "augment", AugmentParams)
    require_verified(data / "generated", "generate")
    originals = Dataset(data / "generated")
    _check_params(params, params_file, originals)
    description = describe_copies(params, originals)
    size = rows_per_shard(description.image_shape, description.columns)
    plans = plan_copies(params, originals, size=size)
    output = data / "augmented"
    hashed: dict[Path, str] = {}
    needed = sum(map(len, plans)) * prod(description.image_shape)
    read = [originals.folder]
    with stage_outputs(output, inputs=read, needed=needed, hashed=hashed) as (folder,):
        tasks = [
            CopyTask(
                path=folder / shard_name(number),
                originals=originals.folder,
                copies=plan,
                params=params,
                description=description,
            )
            for number, plan in enumerate(plans)
        ]
        done = map_shards(copy_shard, tasks, workers=workers, executor=executor)
        total = sum(map(len, plans))
        shown = track(done, total=total, description="augment", images=lambda one: one.counts.asked)
        made = list(shown)
        shards = tuple(one.shard for one in made if one.shard is not None)
        hashed |= {folder / shard.file: shard.sha256 for shard in shards}
        replace(description, shards=shards).write(folder)
        counts = [(one.label, one.counts) for one in made]
        write_json(folder / "report.json", report_copies(params, originals, counts))
    if unmasked := unmasked_sources(params, originals):
        say(f"augment: {unchecked(params, unmasked)}")
    return output


def _check_params(params: AugmentParams, params_file: Path, originals: Dataset) -> None:
    found = [
        f"{params_file}: augment.copies: no class '{label}'. {suggest(label, originals.classes)}"
        for label in params.copies
        if label not in originals.classes
    ]
    shape = originals.image_shape
    where = f"{params_file}: augment"
    found += problems(params.spatial, f"{where}.spatial", kind="spatial", image_shape=shape)
    found += problems(params.pixel, f"{where}.pixel", kind="pixel", image_shape=shape)
    if found:
        raise ParamsError("\n".join(found))


def describe_copies(params: AugmentParams, originals: Dataset) -> Description:
    """As the originals, with the columns that copies carry."""
    return replace(
        originals.description,
        seed=params.seed,
        versions=versions(*_LIBRARIES),
        shards=(),
        columns=copied_columns(originals.description),
    )


def copy_shard(task: CopyTask) -> CopiedShard:
    """Make the copies of one shard and write it; runs in a worker process."""
    originals, label = Dataset(task.originals), task.copies.label
    rows, counts = make_rows(task.copies, originals, task.params)
    if rows is None:
        return CopiedShard(label=label, shard=None, counts=counts)
    source = str(originals.source_names[task.copies.rows[0]])
    shard = write_shard(task.path, rows, task.description, source=source)
    return CopiedShard(label=label, shard=shard, counts=counts)
