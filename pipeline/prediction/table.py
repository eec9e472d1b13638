"""The table of predictions, written row by row: CSV, Parquet, Arrow or JSON lines."""

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path, PurePath
from tempfile import TemporaryDirectory
from typing import IO, Any, Protocol

import pyarrow as pa

from raresight.pipeline.core.files import replaced
from raresight.pipeline.prediction.columns import flags, numbers, texts
from raresight.pipeline.prediction.predictor import Answers, Applied
from raresight.pipeline.prediction.reading import Images
from raresight.pipeline.runtime import stores
from raresight.pipeline.runtime.errors import ParamsError, suggest


class Writer(Protocol):
    """What pyarrow's writers have in common."""

    def write_table(self, table: pa.Table) -> None: ...

    def close(self) -> None: ...


class _JsonLines:
    def __init__(self, sink: IO[bytes]):
        self._sink = sink

    def write_table(self, table: pa.Table) -> None:
        for row in table.to_pylist():
            self._sink.write(json.dumps(row, ensure_ascii=False).encode() + b"\n")

    def close(self) -> None:
        """Nothing is left to be written."""


def _csv(sink: IO[bytes], schema: pa.Schema) -> Writer:
    from pyarrow import csv

    return csv.CSVWriter(sink, schema)


def _parquet(sink: IO[bytes], schema: pa.Schema) -> Writer:
    from pyarrow import parquet

    return parquet.ParquetWriter(sink, schema)


WRITERS: Mapping[str, Callable[[IO[bytes], pa.Schema], Writer]] = {
    ".csv": _csv,
    ".parquet": _parquet,
    ".arrow": lambda sink, schema: pa.ipc.new_file(sink, schema),
    ".jsonl": lambda sink, schema: _JsonLines(sink),
}


def suffix_of(out: str | Path) -> str:
    """The end of a file's name, which says in which form it is to be written.

    ParamsError where it does not, or where a URL's store cannot be used.
    """
    suffix = PurePath(str(out)).suffix
    if suffix not in WRITERS:
        raise ParamsError(f"{out}: not a kind of file known. {suggest(suffix, WRITERS)}")
    if stores.is_url(out):
        stores.place(str(out))
    return suffix


@contextmanager
def written_whole(out: str | Path) -> Iterator[IO[bytes]]:
    """A file that is there when the block succeeds; when it fails ``out`` is as it was.

    What a URL names is copied there in one go at the end.
    """
    if stores.is_url(out):
        with TemporaryDirectory(prefix="raresight-out-") as folder:
            with Path(folder, "out").open("wb") as file:
                yield file
            stores.put(Path(folder, "out"), str(out))
        return
    out = Path(out)
    out.parent.mkdir(parents=True, exist_ok=True)
    with replaced(out) as new, new.open("wb") as file:
        yield file


def as_table(images: Images, applied: Applied, *, known: bool) -> pa.Table:
    """A row an image; with ``known``, also labels and groups, null where nobody knows them."""
    columns: dict[str, Any] = {
        "file": texts(images.files),
        "id": texts(images.ids),
    }
    if known:
        for name, values in (("label", images.labels), ("group", images.groups)):
            unknown = [None] * len(images.ids)
            columns[name] = texts(unknown if values is None else values)
    columns |= _by_class("score", applied.scores, applied)
    columns |= _by_class("probability", applied.probabilities, applied)
    columns["answer"] = texts(applied.answers.tolist())
    if applied.deployed is not None:
        columns |= _deployed(applied.deployed, applied)
    columns["unlike"] = flags(applied.unlike)
    columns |= {f"unlike.{name}": numbers(ratio) for name, ratio in applied.ratios.items()}
    return pa.Table.from_arrays([*columns.values()], names=[*columns])


def _deployed(deployed: Answers, applied: Applied) -> dict[str, pa.Array]:
    columns = _by_class("probability_at_prevalence", deployed.probabilities, applied)
    return columns | {"answer_at_prevalence": texts(deployed.answers.tolist())}


def _by_class(kind: str, values: Any, applied: Applied) -> dict[str, pa.Array]:
    return {
        f"{kind}.{label}": numbers(values[:, place]) for place, label in enumerate(applied.classes)
    }
