"""Mutated files read as the stages and commands read them, without the work that they do after."""

import contextlib
import io
import json
import math
import random
import re
from collections.abc import Callable, Iterator, Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.torture.batches import Done, in_batches
from benchmarks.torture.damaging import Other, fit, mutated, picked
from benchmarks.torture.run import Run
from raresight.pipeline.cli import cli
from raresight.pipeline.commands import inspect, verify
from raresight.pipeline.core.provenance import MANIFEST
from raresight.pipeline.dataset.reader import Dataset
from raresight.pipeline.runtime.errors import DataError, RaresightError

BATCH = 25  # mutations that one process reads
MEMORY = 3e9  # bytes that a process may take at most, torch and the other libraries included
Reader = Callable[[Path, Path], None]  # of the params file and the data folder


def _stage(name: str) -> Any:
    return import_module(f"raresight.pipeline.stages.{name}")


def _augment(params: Path, data: Path) -> None:
    _stage("augment").run(params, data, workers=1)


def _split(params: Path, data: Path) -> None:
    _stage("split").run(params, data)


def _inspect(params: Path, data: Path) -> None:
    inspect.run(data / "generated")
    read = Dataset(data / "generated")
    read.frame()
    read.images[range(len(read))]
    for column in (read.masks, read.boxes):
        if column is not None:
            [column[row] for row in range(len(read))]


def _train(params: Path, data: Path) -> None:
    """Everything that a training learns from, up to its first step."""
    import torch

    from raresight.pipeline.cleaning.table import left_out
    from raresight.pipeline.core.inputs import require_inputs
    from raresight.pipeline.core.params import load_section
    from raresight.pipeline.training.inputs import open_inputs
    from raresight.pipeline.training.job import there
    from raresight.pipeline.training.params import TrainParams

    require_inputs(data, there(data))
    asked = load_section(params, "train", TrainParams)
    found = open_inputs(params, asked, data, torch.device("cpu"), left_out=left_out(data))
    assert all(map(math.isfinite, (*found.mean, *found.std)))


def _scores(params: Path, data: Path) -> None:
    """Everything that is judged, and the model's scores of it."""
    from raresight.pipeline.core.params import load_section
    from raresight.pipeline.evaluation.params import EvaluateParams
    from raresight.pipeline.evaluation.scoring import factors_of, model_scores, open_inputs

    dataset = Dataset(data / "generated")
    opened = open_inputs(dataset, data, "cpu")
    asked = load_section(params, "evaluate", EvaluateParams)
    for found in model_scores(opened, asked, device="cpu"):
        assert all(np.isfinite(scores).all() for scores in found.values())
    factors_of(dataset, opened.rows["test"])
    assert (dataset.targets < len(dataset.classes)).all()


def _predict(params: Path, data: Path) -> None:
    """The model on a few images, with its decision."""
    from raresight.pipeline.prediction.predictor import open_predictor

    predictor = open_predictor(data / "model", "cpu")
    images = np.random.default_rng(1).integers(0, 256, (4, *predictor.opened.image_shape), np.uint8)
    found = predictor.apply(images, prevalence=0.01)
    for values in (found.probabilities, *found.ratios.values()):
        assert np.isfinite(values).all()


def _command(*words: str) -> Reader:
    def command(params: Path, data: Path) -> None:
        _called("--debug", "--quiet", "--data", str(data), *words)

    return command


def _called(*words: str) -> None:
    """Run a command in this process; what it ends with is raised."""
    said = io.StringIO()
    with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
        code = cli(words, standalone_mode=False)
    if not isinstance(code, int) or code == 0:
        return
    if "error: unexpected" in said.getvalue():
        raise Other(said.getvalue())
    error = RaresightError(said.getvalue())
    error.exit_code = code
    raise error


_SHOW, _DIAGNOSE = _command("evaluate", "--show"), _command("diagnose")


def _page(params: Path, data: Path) -> None:
    """The text of the page, with its charts; no number is none there."""
    page = _stage("report").read_page(params, data)
    assert not re.search(r">\s*(\W?nan|\W?inf|None)\s*<", page.text), "not a number on the page"


def _verify(params: Path, data: Path) -> None:
    if said := [*_named(data)]:
        raise DataError(said[0])


# What reads the files of an output, by the stage that has to be there for it.
_READERS: Mapping[str, Mapping[str, Reader]] = {
    "generated": {
        "augment": _augment,
        "split": _inspect,
        "train": _train,
        "evaluate": _scores,
    },
    "augmented": {"split": _split, "train": _train},
    "splits": {"train": _train, "evaluate": _scores, "report": _page},
    "cleaning": {"train": _train, "report": _page},
    "enlarged": {"train": _train, "report": _page},
    "model": {"evaluate": _scores, "report": _predict},
    "training": {"train": _DIAGNOSE, "report": _page},
    "evaluation": {"evaluate": _SHOW, "report": _page},
    "decision": {"evaluate": _predict, "report": _page},
}
# Which readers a file has of those of its folder, where it is not all of them.
_OF_FILE: Mapping[str, tuple[Reader, ...]] = {
    "evaluation/results.json": (_SHOW, _page),
    "training/results.json": (_DIAGNOSE, _page),
    "training/curves/curves.tsv": (_DIAGNOSE, _page),
    "splits/splits.arrow": (_train, _scores),
}
# Read by DVC's tables and plots alone.
_DVC_ALONE = ("metrics.json", "roc", "pr", "confusion", "per_class.tsv", "scores.tsv", "worst")


def mutations(run: Run) -> Iterator[int]:
    """Batches of files that are nonsense: `verify` names each, and with manifests made to fit
    whoever reads it refuses it, or can read it."""
    while True:
        jobs = [_Job(run) for _ in range(BATCH)]
        for job, done in zip(jobs, in_batches(jobs, run.project.root / "log"), strict=True):
            _count(run, job, done)
        yield BATCH


class _Job:
    """One mutated file in a copy of the project of its own, and what reads it."""

    def __init__(self, run: Run):
        self.seed, self.project, source = run.rng.random(), run.project, run.project.data("new")
        there = [name for name in _READERS if (source / name).is_dir()]
        folder = run.rng.choice([name for name in there if self._readers(name)])
        self.path = picked(source / folder, run.rng, but=_DVC_ALONE).relative_to(source)
        readers = self._readers(folder)
        own = _OF_FILE.get(self.path.as_posix(), tuple(readers))
        readers = [one for one in readers if one in own] or readers
        self.reader = _verify if self.path.name == MANIFEST else run.rng.choice(readers)

    def _readers(self, folder: str) -> list[Reader]:
        return [one for stage, one in _READERS[folder].items() if stage in self.project.stages]

    def __call__(self) -> None:
        data = self.project.copy("mutated")
        place, good = data / self.path, (data / self.path).read_bytes()
        place.write_bytes(bad := mutated(good, random.Random(self.seed)))
        if bad == good or (self.path.name == MANIFEST and _same(bad, good)):
            return
        if not any(_named(data)):
            raise Other("verify does not name it")
        if self.path.name != MANIFEST:
            fit(place, data)
        self.reader(self.project.params("new"), data)


def _same(one: bytes, other: bytes) -> bool:
    """Whether two texts of JSON say the same: a part of a manifest may stand there twice."""
    try:
        return bool(json.loads(one) == json.loads(other))
    except (ValueError, RecursionError):
        return False


def _named(data: Path) -> Iterator[str]:
    try:
        for lines in verify.run(data).values():
            yield from lines
    except RaresightError as error:
        yield str(error)


def _count(run: Run, job: _Job, done: Done) -> None:
    run.peaks.append(done.peak)
    run.slowest.append(done.seconds)
    run.counts["mutations: tried"] += 1
    if done.kind in ("read", "refused"):
        what = "could be read" if done.kind == "read" else f"refused ({done.code})"
        run.counts[f"mutations: {what}"] += 1
    else:
        name = getattr(job.reader, "__name__", "")
        run.counts[f"WRONG mutations: {done.kind} {job.path} [{name}] {done.said[-300:]!r}"] += 1
    run.counts["WRONG mutations: takes too much memory"] += done.peak > MEMORY
