"""generate: draw (or read in) every labelled image that params.yaml asks for."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from raresight.generators.base import BadImages, CannotDraw, Generator, Record, Unavailable
from raresight.pipeline.core.files import stage_outputs, write_json
from raresight.pipeline.core.parallel import map_shards
from raresight.pipeline.core.params import load_section
from raresight.pipeline.dataset.reader import Dataset
from raresight.pipeline.dataset.schema import OPTIONAL, Description, Shard, rows_per_shard, versions
from raresight.pipeline.dataset.writer import shard_name, write_shard
from raresight.pipeline.generation.collector import Collector
from raresight.pipeline.generation.corruptions import CORRUPTION, Drawer
from raresight.pipeline.generation.params import GenerateParams, Source
from raresight.pipeline.runtime.errors import (
    DataError,
    DeviceError,
    InputMissing,
    ParamsError,
    suggest,
)
from raresight.pipeline.runtime.progress import track

OUTPUT = "generated"

_TRIES = "tries"  # the factor of generators that draw until a scene comes out as asked for


@dataclass(frozen=True, kw_only=True)
class DrawTask:
    """One shard to draw: the records from ``start`` to ``stop`` of a stream, from ``seed``."""

    path: Path
    source: Source
    records: Sequence[Record]
    start: int
    stop: int
    seed: int
    description: Description


def run(
    params_file: Path, data: Path, *, workers: int | None = None, executor: str = "local"
) -> Path:
    """Write the dataset ``data/generated`` and return its path."""
    params = load_section(params_file, "generate", GenerateParams)
    built = {source.id_prefix: source.build(params.image_size) for source in params.sources}
    streams = [_streams(source, built[source.id_prefix]) for source in params.sources]
    description = _describe(params, built)
    hashed: dict[Path, str] = {}
    with stage_outputs(data / OUTPUT, hashed=hashed) as (folder,):
        tasks = list(_tasks(folder, params, streams, description))
        done = map_shards(draw_shard, tasks, workers=workers, executor=executor)
        total = sum(task.stop - task.start for task in tasks)
        shown = track(done, total=total, description="generate", images=lambda shard: shard.rows)
        shards = tuple(shown)
        hashed |= {folder / shard.file: shard.sha256 for shard in shards}
        replace(description, shards=shards).write(folder)
        if _TRIES in description.factors:
            write_json(folder / "acceptance.json", _acceptance(Dataset(folder)))
    return data / OUTPUT


def _acceptance(made: Dataset) -> dict[str, dict[str, float]]:
    """By class, of how many scenes that were drawn how many came out as asked for."""
    tries = made.factors[_TRIES].groupby(made.labels)
    return {
        str(label): {"accepted": int(n), "drawn": int(total), "rate": n / total}
        for label, n, total in zip(tries.groups, tries.count(), tries.sum(), strict=True)
        if total
    }


def _streams(source: Source, generator: Generator) -> list[Sequence[Record]]:
    with _problems_of_generators():
        generator.require()
        return generator.streams(
            source.id_prefix,
            counts=source.counts,
            count=source.count,
            prevalence=source.prevalence,
        )


@contextmanager
def _problems_of_generators() -> Iterator[None]:
    """A generator knows nothing of the pipeline's errors: here they become such."""
    try:
        yield
    except BadImages as error:
        raise DataError(str(error)) from None
    except FileNotFoundError as error:
        raise InputMissing(str(error)) from None
    except CannotDraw as error:
        raise ParamsError(str(error)) from None
    except Unavailable as error:
        raise DeviceError(str(error)) from None


def _describe(params: GenerateParams, built: dict[str, Generator]) -> Description:
    classes = tuple(sorted({label for generator in built.values() for label in generator.classes}))
    if params.positive is not None and params.positive not in classes:
        raise DataError(
            f"generate.positive: no class '{params.positive}'. {suggest(params.positive, classes)}"
        )
    factors = {
        name: kind for generator in built.values() for name, (kind, _) in generator.factors.items()
    }
    if any(source.has_corruptions for source in params.sources):
        factors[CORRUPTION] = "string"
    libraries = {name for generator in built.values() for name in generator.libraries}
    machine = {key: v for generator in built.values() for key, v in generator.environment().items()}
    return Description(
        classes=classes,
        positive=params.positive,
        image_shape=(params.image_size, params.image_size, 3),
        factors=dict(sorted(factors.items())),
        sources=tuple({"name": source.id_prefix, **_plain(source)} for source in params.sources),
        seed=params.seed,
        columns=tuple(name for name in OPTIONAL if any(name in g.columns for g in built.values())),
        versions={**versions("raresight", "pyarrow", *sorted(libraries)), **machine},
    )


def _plain(source: Source) -> dict[str, Any]:
    """The source as JSON; corruptions only where there are any."""
    unused = {name for name in ("label_noise", "outliers") if getattr(source, name) is None}
    return source.model_dump(mode="json", exclude={"name", *unused})


def _tasks(
    folder: Path,
    params: GenerateParams,
    streams: Sequence[Sequence[Sequence[Record]]],
    description: Description,
) -> Iterator[DrawTask]:
    """The shards: as many records of one stream of one source as fill each."""
    number = 0
    for source, several in zip(params.sources, streams, strict=True):
        columns = source.build(params.image_size).columns
        size = rows_per_shard(description.image_shape, columns)
        for records in several:
            for start in range(0, len(records), size):
                yield DrawTask(
                    path=folder / shard_name(number),
                    source=source,
                    records=records,
                    start=start,
                    stop=min(start + size, len(records)),
                    seed=params.seed,
                    description=description,
                )
                number += 1


def draw_shard(task: DrawTask) -> Shard:
    """Draw the records of one shard and write it; runs in a worker process."""
    description = task.description
    generator = task.source.build(description.image_shape[0])
    records = [task.records[k] for k in range(task.start, task.stop)]
    collector = Collector(generator, records, description)
    drawer = Drawer(
        generator=generator,
        records=task.records,
        seed=task.seed,
        noise=task.source.label_noise,
        outliers=task.source.outliers,
    )
    with _problems_of_generators():  # a file may have changed since it was checked
        for row, k in enumerate(range(task.start, task.stop)):
            collector.put(row, drawer.draw(k))
    return write_shard(task.path, collector.rows(), description, source=task.source.id_prefix)
