"""generate: draw (or read in) every labelled image that params.yaml asks for."""

from dataclasses import dataclass, replace
from pathlib import Path

from raresight.pipeline.core.files import stage_outputs, write_json
from raresight.pipeline.core.parallel import map_shards
from raresight.pipeline.core.params import load_section
from raresight.pipeline.dataset.reader import Dataset
from raresight.pipeline.dataset.schema import Description, Shard, rows_per_shard
from raresight.pipeline.dataset.writer import shard_name, write_shard
from raresight.pipeline.generation.describe import (
    TRIES,
    acceptance,
    describe_dataset,
    refuse_confusable,
)
from raresight.pipeline.generation.params import GenerateParams
from raresight.pipeline.generation.shards import (
    ShardRecords,
    draw_rows,
    plan_shards,
    record_streams,
)
from raresight.pipeline.runtime.progress import track


@dataclass(frozen=True, kw_only=True)
class DrawTask:
    """One shard to draw into ``path``."""

    path: Path
    records: ShardRecords
    description: Description
    seed: int


def run(
    params_file: Path, data: Path, *, workers: int | None = None, executor: str = "local"
) -> Path:
    """Write the dataset ``data/generated`` and return its path."""
    params = load_section(params_file, "generate", GenerateParams)
    sources = {source.id_prefix: source for source in params.sources}
    built = {name: source.build(params.image_size) for name, source in sources.items()}
    refuse_confusable(built.values())
    problems = data / "generate_problems.txt"
    streams = {name: record_streams(sources[name], one, problems) for name, one in built.items()}
    description = describe_dataset(params, built)
    shape = description.image_shape
    sizes = {name: rows_per_shard(shape, one.kept_columns) for name, one in built.items()}
    plans = plan_shards(sources, streams, sizes=sizes)
    output = data / "generated"
    hashed: dict[Path, str] = {}
    with stage_outputs(output, hashed=hashed) as (folder,):
        tasks = [
            DrawTask(
                path=folder / shard_name(number),
                records=plan,
                description=description,
                seed=params.seed,
            )
            for number, plan in enumerate(plans)
        ]
        done = map_shards(draw_shard, tasks, workers=workers, executor=executor)
        total = sum(map(len, plans))
        shown = track(done, total=total, description="generate", images=lambda shard: shard.rows)
        shards = tuple(shown)
        hashed |= {folder / shard.file: shard.sha256 for shard in shards}
        replace(description, shards=shards).write(folder)
        if left := {name: found for name, one in built.items() if (found := one.left_out())}:
            write_json(folder / "left_out.json", left)
        if TRIES in description.factors:
            made = Dataset(folder)
            write_json(folder / "acceptance.json", acceptance(made.factors[TRIES], made.labels))
    return output


def draw_shard(task: DrawTask) -> Shard:
    """Draw the records of one shard and write it; runs in a worker process."""
    rows = draw_rows(task.records, task.description, seed=task.seed)
    source = task.records.source.id_prefix
    return write_shard(task.path, rows, task.description, source=source)
