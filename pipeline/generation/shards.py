"""Which records each shard holds, and the rows that are drawn of them."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from raresight.generators.base import (
    BadImages,
    CannotDraw,
    Generator,
    Record,
    Unavailable,
    Unreadable,
)
from raresight.pipeline.dataset.schema import Description, Rows, rows_per_shard
from raresight.pipeline.generation.collector import Collector
from raresight.pipeline.generation.corruptions import Drawer
from raresight.pipeline.generation.params import Source
from raresight.pipeline.runtime.errors import DataError, DeviceError, InputMissing, ParamsError

_SHOWN = 10  # problems that a message shows; more are in a file


@dataclass(frozen=True, kw_only=True)
class ShardRecords:
    """The records from ``start`` to ``stop`` of one stream of a source: those of one shard.

    ``columns`` and ``factors`` are those that its generator keeps.
    """

    source: Source
    records: Sequence[Record]
    start: int
    stop: int
    columns: tuple[str, ...]
    factors: tuple[str, ...]

    def __len__(self) -> int:
        return self.stop - self.start


@contextmanager
def generator_errors(report: Path | None = None) -> Iterator[None]:
    """A generator knows nothing of the pipeline's errors: in this block they become such.

    What is more than a message can show is written to the file ``report``.
    """
    try:
        yield
    except BadImages as error:
        if report is None or len(error.details) <= _SHOWN:
            raise DataError(str(error)) from None
        report.parent.mkdir(parents=True, exist_ok=True)
        report.write_text("".join(f"{line}\n" for line in error.details), encoding="utf-8")
        raise DataError(f"{error}\nAll {len(error.details)} are listed in {report}.") from None
    except FileNotFoundError as error:
        raise InputMissing(str(error)) from None
    except CannotDraw as error:
        raise ParamsError(str(error)) from None
    except Unavailable as error:
        raise DeviceError(str(error)) from None


def record_streams(
    source: Source, generator: Generator, report: Path | None = None
) -> list[Sequence[Record]]:
    """The records that a source is asked for, as streams that only ever grow at their end.

    Raises what :func:`generator_errors` makes of the generator's errors: bad images, files that
    are not there, options that cannot be drawn, an engine that is missing.
    """
    with generator_errors(report):
        generator.require()
        return generator.streams(
            source.id_prefix,
            counts=source.counts,
            count=source.count,
            prevalence=source.prevalence,
        )


def plan_shards(
    sources: Mapping[str, Source],
    generators: Mapping[str, Generator],
    streams: Mapping[str, Sequence[Sequence[Record]]],
    *,
    shape: tuple[int, int, int],
) -> list[ShardRecords]:
    """Cut the streams of each source into shards for images of ``shape``; the last may be smaller.

    What exists is handed over in slices; what is drawn, as a whole that costs nothing, since an
    outlier may repeat an earlier record.
    """
    plans = []
    for name, several in streams.items():
        columns = generators[name].kept_columns
        factors = tuple(generators[name].kept_factors)
        size = rows_per_shard(shape, columns)
        for records in several:
            whole = not isinstance(records, list) or sources[name].outliers is not None
            for start in range(0, len(records), size):
                stop = min(start + size, len(records))
                plans.append(
                    ShardRecords(
                        source=sources[name],
                        records=records if whole else records[start:stop],
                        start=start if whole else 0,
                        stop=stop if whole else stop - start,
                        columns=columns,
                        factors=factors,
                    )
                )
    return plans


@dataclass(frozen=True, kw_only=True)
class DrawnRows:
    """The rows of a shard, and the files that could not be read, each with the reason."""

    rows: Rows
    unreadable: Mapping[str, str]


def draw_rows(shard: ShardRecords, description: Description, *, seed: int) -> DrawnRows:
    """Draw the records of one shard: a pure function of the seed and their ids."""
    source = shard.source
    generator = source.build(description.image_shape)
    collector = Collector(
        generator,
        len(shard),
        shape=description.image_shape,
        columns=shard.columns,
        factors=shard.factors,
        origin=source.origin,
    )
    drawer = Drawer(
        generator=generator,
        records=shard.records,
        seed=seed,
        noise=source.label_noise,
        outliers=source.outliers,
    )
    unreadable: dict[str, str] = {}
    with generator_errors():
        for k in range(shard.start, shard.stop):
            try:
                collector.put(shard.records[k], drawer.draw(k))
            except Unreadable as error:  # the file is named, once the others are read
                unreadable[error.file] = error.why
    return DrawnRows(rows=collector.rows(), unreadable=unreadable)
