"""predict: a trained model applied to images that nobody labelled."""

import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import IO

import pyarrow as pa

from raresight.pipeline.prediction.inputs import find_inputs, images_under_way
from raresight.pipeline.prediction.model_folder import open_model_folder
from raresight.pipeline.prediction.predictor import Applied, Predictor, load_predictor
from raresight.pipeline.prediction.reading import Images
from raresight.pipeline.prediction.table import (
    WRITERS,
    Writer,
    as_table,
    suffix_of,
    written_whole,
)
from raresight.pipeline.runtime.errors import DataError, listing
from raresight.pipeline.runtime.progress import track

STDOUT = Path("-")


@dataclass(frozen=True, kw_only=True)
class Options:
    """What to predict with, and where to.

    ``out`` is a file whose suffix says its form, a path or a URL (str), or ``-``: stdout, in the
    form ``stdout_as``. Up to
    ``max_unreadable`` files that cannot be read are left out. ``like`` names the source whose
    files new ones are like, where the model learned from several that were read in other ways.
    """

    model: Path
    out: str | Path
    stdout_as: str = ".csv"
    prevalence: float | None = None
    max_unreadable: int = 0
    workers: int | None = None
    executor: str = "local"
    device: str = "auto"
    like: str | None = None


@dataclass(kw_only=True)
class Summary:
    """What was predicted: how many images got each answer, were unlike, and were not readable.

    ``unlike_by`` counts the images that each measure flags; ``passed_over`` files in folders that
    are no images; ``threshold`` is the one kept, None without a positive class.
    """

    images: int = 0
    answers: dict[str, int] = field(default_factory=dict)
    unlike: int = 0
    unlike_by: dict[str, int] = field(default_factory=dict)
    unreadable: list[tuple[str, str]] = field(default_factory=list)
    passed_over: int = 0
    threshold: float | None = None
    out: str = ""

    def count(self, applied: Applied) -> None:
        """Add the images of a chunk."""
        self.images += len(applied.answers)
        for answer in applied.answers.tolist():
            self.answers[answer] = self.answers.get(answer, 0) + 1
        self.unlike += int(applied.unlike.sum())
        for name, ratio in applied.ratios.items():
            self.unlike_by[name] = self.unlike_by.get(name, 0) + int((ratio > 1).sum())


def run(names: Sequence[str], options: Options) -> Summary:
    """Predict every image of ``names``: files, folders, tables, datasets, ``-`` (a list on stdin).

    Raises DataError, with every file that cannot be read, where they are more than allowed; no
    table is written then.
    """
    suffix = options.stdout_as if options.out == STDOUT else suffix_of(options.out)
    opened = open_model_folder(options.model, need_decision=True)
    if options.prevalence is not None:
        opened.decided.at_prevalence(options.prevalence)  # refused before any image is read
    inputs = find_inputs(_listed(names), opened.image_shape)
    images = images_under_way(
        inputs,
        opened.image_shape[:2],
        opened.reading(options.like),
        workers=options.workers,
        executor=options.executor,
    )
    with images as chunks, _sink(options.out) as sink:
        predictor = load_predictor(opened, options.device)  # the first images are read meanwhile
        summary = Summary(
            answers=dict.fromkeys(predictor.classes, 0),
            threshold=predictor.decision.threshold,
            out=str(options.out),
        )
        shown = track(chunks, total=len(inputs), description="predict", images=_size)
        start = partial(WRITERS[suffix], sink)
        _write(predictor, shown, options, start, summary, known=inputs.labelled)
    return summary


def _listed(names: Sequence[str]) -> list[str]:
    """The names, with the lines of stdin in the place of ``-``."""
    found: list[str] = []
    for name in names:
        lines = sys.stdin.read().splitlines() if name == "-" else [name]
        found += [line for line in lines if line]
    return found


@contextmanager
def _sink(out: str | Path) -> Iterator[IO[bytes]]:
    if out == STDOUT:
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
        return
    with written_whole(out) as sink:
        yield sink


def _write(
    predictor: Predictor,
    chunks: Iterable[Images],
    options: Options,
    start: Callable[[pa.Schema], Writer],
    summary: Summary,
    *,
    known: bool,
) -> None:
    writer: Writer | None = None
    for images in chunks:
        summary.unreadable += images.unreadable
        summary.passed_over += len(images.passed_over)
        if len(summary.unreadable) > options.max_unreadable or not len(images.ids):
            continue  # the rest is read, to name every file, and not predicted
        applied = predictor.apply(
            images.pixels, prevalence=options.prevalence, statistics=images.statistics
        )
        summary.count(applied)
        table = as_table(images, applied, known=known)
        writer = writer or start(table.schema)
        writer.write_table(table)
    _refuse(summary, options.max_unreadable)
    if writer is not None:
        writer.close()


def _size(images: Images) -> int:
    return len(images.ids) + len(images.unreadable) + len(images.passed_over)


def _refuse(summary: Summary, allowed: int) -> None:
    bad = summary.unreadable
    if len(bad) > allowed:
        raise DataError(
            f"{len(bad)} files cannot be read, and --max-unreadable allows {allowed}:\n"
            f"{unreadable_lines(summary)}\n"
            "Repair or remove them, or raise --max-unreadable to leave out that many."
        )
    if not summary.images:
        files = len(bad) + summary.passed_over
        raise DataError(f"none of {files} files is an image:\n{unreadable_lines(summary)}")


def unreadable_lines(summary: Summary, limit: int = 50) -> str:
    """The files that cannot be read, one a line, with the reason."""
    return listing((f"{file}: {why}" for file, why in summary.unreadable), limit)
