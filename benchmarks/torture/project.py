"""A tiny project in two versions, each run whole once: what every round is held against."""

import hashlib
import os
import random
import shutil
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.torture import child
from raresight.pipeline.core.provenance import MANIFEST
from raresight.pipeline.stages.table import STAGES

PARAMS = """
generate:
  seed: {seed}
  image_size: 16
  positive: square
  sources:
    - generator: shapes
      options: {{classes: [circle, square], grounds: [plain]}}
      counts: {{circle: 130, square: 40}}
augment: {{seed: {seed}, copies: {{square: 2}}}}
split: {{seed: {seed}, ratios: {{train: 0.6, val: 0.2, test: 0.2}}}}
clean: {{}}
enlarge: {{}}
train:
  seed: {seed}
  epochs: 2
  batch_size: 32
  threads: 1
  model: {{name: small_cnn, width: 4, blocks: [1]}}
evaluate: {{seed: {seed}, num_bootstrap: 100, threads: 1, slices: {{min_images: 5}}}}
report: {{}}
"""
VERSIONS = {"old": 1, "new": 2}  # the seed of each
_WEIGHTS = {"report": 0.2, "train": 0.7, "evaluate": 0.7}
WITHOUT_TORCH = ("check", "generate", "augment", "split")


@dataclass(frozen=True, kw_only=True)
class Project:
    """The folder with both versions, the stages that are run in it, in their order, and the
    ``seconds`` that each took when it was loaded."""

    root: Path
    stages: Sequence[str]
    seconds: dict[str, float] = field(default_factory=dict)

    def params(self, version: str) -> Path:
        return self.root / f"{version}.yaml"

    def data(self, version: str) -> Path:
        return self.root / version

    def words(self, stage: str, version: str, data: Path, *, workers: int = 1) -> list[str]:
        """The command line of a stage, in so many processes where it takes several."""
        given = ["--params", str(self.params(version)), "--data", str(data), "--quiet", stage]
        return given + (["--workers", str(workers)] if "workers" in STAGES[stage].options else [])

    def copy(self, name: str) -> Path:
        """The new version's data in a folder of its own, without the page and hidden files."""
        place = self.root / name
        shutil.rmtree(place, ignore_errors=True)
        without = shutil.ignore_patterns(".*", "report", "live")
        return Path(shutil.copytree(self.data("new"), place, ignore=without))

    def any_stage(self, rng: random.Random) -> str:
        """A stage at random; those that take long are rarer."""
        weights = [_WEIGHTS.get(stage, 1.0) for stage in self.stages]
        return rng.choices(self.stages, weights)[0]

    def between(self, stage: str) -> Path:
        """A data folder as it is before ``stage`` runs anew: before it all is new, the rest old."""
        place = self.root / "work"
        shutil.rmtree(place, ignore_errors=True)
        shutil.copytree(self.data("new"), place, symlinks=True)
        for name in self.stages[self.stages.index(stage) :]:
            for output in outputs(name):
                _remove(place / output)
                _copy(self.data("old") / output, place / output)
        return place


def make(root: Path, stages: Sequence[str] = tuple(STAGES)) -> Project:
    """Both versions, each stage once; RuntimeError where one fails."""
    project = Project(root=root, stages=stages)
    for version, seed in VERSIONS.items():
        project.params(version).write_text(PARAMS.format(seed=seed))
        for stage in stages:
            ended = child.run(
                project.words(stage, version, project.data(version)), log=root / "log"
            )
            if ended.code != 0:
                raise RuntimeError(f"{stage} of {version}: {ended.code}\n{ended.said}")
            child.load_as(root / "log")
            project.seconds[stage] = ended.seconds
    return project


def outputs(stage: str) -> tuple[str, ...]:
    """Every path below the data folder that a stage writes."""
    found = STAGES[stage]
    return (*found.outputs, *found.results, *found.metrics)


def state(data: Path, path: str) -> str:
    """A digest of an output without what is time: images a second, and sums of it."""
    place, found = data / path, hashlib.sha256()
    files = sorted(place.rglob("*")) if place.is_dir() else [place]
    for file in (file for file in files if file.is_file()):
        found.update(file.relative_to(data).as_posix().encode())
        found.update(b"" if _is_time(file) else file.read_bytes())
    return found.hexdigest() if place.exists() else "absent"


def _is_time(file: Path) -> bool:
    """The curves have a column of images a second; what is made from them tells it."""
    return "curves" in file.parts or "report" in file.parts or file.name == MANIFEST


def leftovers(data: Path) -> list[str]:
    """Half outputs that a run left."""
    return [
        str(path.relative_to(data))
        for path in data.rglob(".*.new*")
        if ".verified" not in path.name and not _inside_hidden(path, data)
    ]


def _inside_hidden(path: Path, data: Path) -> bool:
    return any(part.startswith(".") for part in path.relative_to(data).parts[:-1])


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def _copy(source: Path, target: Path) -> None:
    os.makedirs(target.parent, exist_ok=True)
    (shutil.copytree if source.is_dir() else shutil.copy2)(source, target)
