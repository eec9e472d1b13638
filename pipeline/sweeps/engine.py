"""Short trainings that differ in what they learn from, judged on validation: one engine.

What is done is kept beside the data, so that a sweep that was stopped goes on where it was.
"""

import base64
import json
import shutil
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch

from raresight.pipeline.core import seeds
from raresight.pipeline.core.files import MANIFEST, content_digest, sha256
from raresight.pipeline.training.folds import last_scores, to_the_end
from raresight.pipeline.training.inputs import TrainingImages
from raresight.pipeline.training.job import Job, there
from raresight.pipeline.training.params import TrainParams
from raresight.pipeline.training.runtime.distributed import ProcessGroup
from raresight.pipeline.training.runtime.paths import RESUME

FOLDER, MADE = ".sweep", "enlarged"  # below the data folder


@dataclass(frozen=True, kw_only=True)
class Arm:
    """One thing to learn from: ``rows`` int (n,) of the originals of ``images``, with their copies.

    ``name`` tells it from the others, ``seed`` draws all that is random in its training.
    """

    name: str
    seed: int
    images: TrainingImages
    rows: np.ndarray


@dataclass(frozen=True, kw_only=True)
class Measured:
    """The average precision on validation of an arm's training, after its last epoch.

    ``scores`` float32 (n,) are those of the positive class of the n validation originals, in the
    order of their rows; empty without a positive class.
    """

    name: str
    seed: int
    average_precision: float
    scores: np.ndarray = field(default_factory=lambda: np.empty(0, np.float32))


@dataclass(frozen=True, kw_only=True)
class SweepJob(Job):
    """A training of a sweep; ``key`` names all that it depends on."""

    key: str

    @property
    def folder(self) -> Path:
        return self.data / RESUME / f"sweep-{self.key}"


def sweep(
    arms: Iterable[Arm],
    params: TrainParams,
    *,
    data: Path,
    name: str,
    device: torch.device,
    on_done: Callable[[Measured], None] = lambda found: None,
) -> list[Measured]:
    """Train on each arm and judge it on validation originals; ``name`` keeps one sweep's results
    apart from another's.

    The last epoch counts: the best one would be chosen on what judges.
    """
    file = data / FOLDER / f"{name}.jsonl"
    known = _read(file)
    found = []
    for arm in arms:
        section = to_the_end(params).model_copy(update={"seed": arm.seed, "num_seeds": 1})
        key = _key(arm, section, data)
        if key not in known:
            known[key] = _train(arm, section, data, key, device)
            _keep(file, key, *known[key])
        reached, scores = known[key]
        found.append(
            Measured(name=arm.name, seed=arm.seed, average_precision=reached, scores=scores)
        )
        on_done(found[-1])
    return found


Reached = tuple[float, np.ndarray]  # the average precision, and the positive class's scores


def _train(arm: Arm, params: TrainParams, data: Path, key: str, device: torch.device) -> Reached:
    inputs = arm.images.inputs(params, arm.rows, device, judged=arm.images.rows("val"))
    job = SweepJob(
        params=params,
        replicate=1,
        inputs=inputs,
        data=data,
        resume="auto",
        group=ProcessGroup(),
        key=key,
    )
    trainer, history = job.fit(job.start())
    shutil.rmtree(job.folder, ignore_errors=True)
    positive = trainer.validation.positive
    scores = np.empty(0) if positive is None else last_scores(trainer)[:, positive]
    return float(history.epochs[-1].val_average_precision), scores.astype(np.float32)


def _key(arm: Arm, params: TrainParams, data: Path) -> str:
    """Of the images that are learned from, the params and the data."""
    images = arm.images
    ids = np.sort(images.originals.ids[arm.rows])
    told: dict[str, Any] = {
        "ids": content_digest("\n".join(ids.tolist()).encode()),
        "train": params.model_dump(mode="json"),
        "data": {each: sha256(data / each / MANIFEST) for each in there(data) if each != MADE},
    }
    if images.enlarged is not None and images.made_each != 0:
        shards = [one.sha256 for one in images.enlarged.description.shards]
        told["made"] = {"shards": shards, "each": images.made_each}
    return content_digest(json.dumps(told, sort_keys=True).encode())


def _keep(file: Path, key: str, reached: float, scores: np.ndarray) -> None:
    packed = base64.b64encode(scores.tobytes()).decode()
    row = {"key": key, "average_precision": reached, "scores": packed}
    file.parent.mkdir(exist_ok=True)
    with file.open("a", encoding="utf-8") as lines:
        lines.write("\n" + json.dumps(row))  # on a line of its own, also after one cut short


def _read(file: Path) -> dict[str, Reached]:
    """What is done already; a line that was cut short is not."""
    known: dict[str, Reached] = {}
    if file.is_file():
        for line in file.read_text(encoding="utf-8").splitlines():
            try:
                row = json.loads(line)
                scores = np.frombuffer(base64.b64decode(row["scores"]), np.float32)
                known[row["key"]] = row["average_precision"], scores
            except (ValueError, KeyError, TypeError):
                continue
    return known


def nested(
    targets: np.ndarray, groups: np.ndarray, positive: int, share: float, *, seed: int
) -> np.ndarray:
    """The first ``share`` of the groups that hold positives, in an order that ``seed`` draws, and
    every other image: which of n rows, bool (n,).

    A smaller share's positives are all among a larger one's.
    """
    mine = targets == positive
    names = np.unique(groups[mine])
    order = seeds.rng(seed, "nested positives", "").permutation(len(names))
    chosen = names[order[: max(1, round(share * len(names)))]]
    result: np.ndarray = ~mine | np.isin(groups, chosen)
    return result
