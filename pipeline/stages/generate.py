"""generate: draw (or read in) every labelled image that params.yaml asks for."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from math import prod
from pathlib import Path

from raresight.generators.base import Generator
from raresight.pipeline.core.files import stage_outputs, write_json
from raresight.pipeline.core.parallel import map_shards
from raresight.pipeline.core.params import load_section
from raresight.pipeline.dataset.reader import Dataset
from raresight.pipeline.dataset.schema import Description, Shard
from raresight.pipeline.dataset.writer import shard_name, write_shard
from raresight.pipeline.generation.describe import (
    TRIES,
    about_sizes,
    acceptance,
    describe_dataset,
    refuse_confusable,
    settled,
)
from raresight.pipeline.generation.kept import FOLDER, KeptShards, keeps, note, noted
from raresight.pipeline.generation.params import GenerateParams
from raresight.pipeline.generation.shards import (
    ShardRecords,
    draw_rows,
    generator_errors,
    plan_shards,
    record_streams,
)
from raresight.pipeline.runtime.progress import say, track


@dataclass(frozen=True, kw_only=True)
class DrawTask:
    """One shard to draw into ``path``; with ``keep``, one that is there already is taken up."""

    path: Path
    records: ShardRecords
    description: Description
    seed: int
    keep: bool


@dataclass(frozen=True, kw_only=True)
class DrawnShard:
    """A shard that was written (None where no image could be read), and what of it was lost:
    the files that could not be read, and how many images of each class could."""

    shard: Shard | None
    unreadable: Mapping[str, str]
    read: Mapping[str, int]
    source: str

    def __len__(self) -> int:
        return len(self.unreadable) + sum(self.read.values())


def run(
    params_file: Path, data: Path, *, workers: int | None = None, executor: str = "local"
) -> Path:
    """Write the dataset ``data/generated`` and return its path."""
    params = load_section(params_file, "generate", GenerateParams)
    built = {source.id_prefix: source.build(params.shape) for source in params.sources}
    refuse_confusable(built.values())
    problems = data / "generate_problems.txt"
    streams = {
        source.id_prefix: record_streams(source, built[source.id_prefix], problems)
        for source in params.sources
    }
    params = settled(params, built)
    description = describe_dataset(params, built)
    for line in about_sizes(params, built):
        say(line)
    sources = {source.id_prefix: source for source in params.sources}
    plans = plan_shards(sources, built, streams, shape=description.image_shape)
    output = data / "generated"
    hashed: dict[Path, str] = {}
    needed = sum(map(len, plans)) * prod(description.image_shape)
    kept = KeptShards(data / FOLDER, description, plans)
    with stage_outputs(output, needed=needed - kept.bytes(), hashed=hashed) as (folder,):
        kept.begin()
        if before := kept.finished():
            say(f"generate: goes on with {before} of {len(plans)} shards, drawn by a run before")
        places = {name: kept.folder if keeps(one) else folder for name, one in built.items()}
        tasks = [
            DrawTask(
                path=places[plan.source.id_prefix] / shard_name(number),
                keep=places[plan.source.id_prefix] != folder,
                records=plan,
                description=description,
                seed=params.seed,
            )
            for number, plan in enumerate(plans)
        ]
        done = map_shards(draw_shard, tasks, workers=workers, executor=executor)
        drawn = list(track(done, total=sum(map(len, plans)), description="generate", images=len))
        _finish(built, drawn, problems)
        kept.take(folder)
        shards = tuple(one.shard for one in drawn if one.shard is not None)
        hashed |= {folder / shard.file: shard.sha256 for shard in shards}
        replace(description, shards=shards).write(folder)
        if left := {name: found for name, one in built.items() if (found := one.left_out())}:
            write_json(folder / "left_out.json", left)
        if TRIES in description.factors:
            made = Dataset(folder)
            write_json(folder / "acceptance.json", acceptance(made.factors[TRIES], made.labels))
    return output


def _finish(built: Mapping[str, Generator], drawn: Sequence[DrawnShard], problems: Path) -> None:
    """Tell every generator what of it could not be read; DataError where that will not do."""
    with generator_errors(problems):
        for name, generator in built.items():
            own = [one for one in drawn if one.source == name]
            unreadable = {file: why for one in own for file, why in one.unreadable.items()}
            read: Counter[str] = Counter()
            for one in own:
                read.update(one.read)
            generator.finish(unreadable, read)


def draw_shard(task: DrawTask) -> DrawnShard:
    """Draw the records of one shard and write it; runs in a worker process."""
    source = task.records.source.id_prefix
    if task.keep and (found := noted(task.path)) is not None:
        return DrawnShard(shard=found[0], unreadable={}, read=found[1], source=source)
    drawn = draw_rows(task.records, task.description, seed=task.seed)
    shard, read = None, Counter(drawn.rows.true_labels)
    if len(drawn.rows):
        shard = write_shard(task.path, drawn.rows, task.description, source=source)
    if task.keep and shard is not None and not drawn.unreadable:
        note(task.path, {"shard": asdict(shard), "read": read})
    return DrawnShard(shard=shard, unreadable=drawn.unreadable, read=read, source=source)
