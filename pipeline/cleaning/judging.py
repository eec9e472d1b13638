"""Training images as nets see them that have not learned from them: scores, neighbors, distances.

The one engine of ``train.folds`` trains without each fold in turn; here it is asked what it makes
of the images that were held out.
"""

import shutil
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from raresight.pipeline.cleaning.features import features
from raresight.pipeline.cleaning.labels import neighbor_votes
from raresight.pipeline.cleaning.outliers import distances
from raresight.pipeline.cleaning.params import CleanParams
from raresight.pipeline.core.params import parse
from raresight.pipeline.models import device as devices
from raresight.pipeline.training.diagnosis.history import History
from raresight.pipeline.training.folds import Fit, Folds, cross_validate, make_folds
from raresight.pipeline.training.inputs import TrainingImages, open_images
from raresight.pipeline.training.job import Job
from raresight.pipeline.training.loop import Trainer
from raresight.pipeline.training.params import TrainParams
from raresight.pipeline.training.runtime.distributed import ProcessGroup
from raresight.pipeline.training.runtime.paths import RESUME
from raresight.pipeline.training.shown import fit_shown

_NAME = "clean-fold"  # of what is kept of a training that was stopped
_FEW = 2  # groups of a class, below which it cannot be learned from and held out, too


@dataclass(frozen=True, kw_only=True)
class Judgement:
    """Of the m originals at ``rows`` int (m,), ascending: ``scores`` float (m, K), at the classes'
    own shares, ``votes`` float (m, K) of their neighbors, and ``distances`` float (m,) from the
    middle of their class; all by nets that were trained without them, ``folds`` of them.

    ``epochs`` says how long each was trained.
    """

    rows: np.ndarray
    scores: np.ndarray
    votes: np.ndarray
    distances: np.ndarray
    folds: int
    epochs: int


def recipe(train: TrainParams, epochs: int | None) -> TrainParams:
    """The params of a training whose last epoch is asked, and no other: labels that may be false
    choose none."""
    document = train.model_dump(mode="json") | {
        "epochs": epochs or train.epochs,
        "num_seeds": 1,
        "folds": None,
        "checkpoint": "last",
        "early_stopping": None,
    }
    return parse(TrainParams, document)


def parted(images: TrainingImages, *, folds: int, seed: int) -> Folds | None:
    """The training images in ``folds`` parts: fewer where a class is in fewer groups, and None
    where the positive one, or every class, is in fewer than two.

    A class in one group alone is in no fold: held out, it would be one that the net never saw.
    """
    originals, rows = images.originals, images.rows("train")
    targets, groups = originals.targets[rows], images.groups[rows]
    counts = np.array([len(np.unique(groups[targets == k])) for k in range(len(originals.classes))])
    positive = originals.positive
    if positive is not None and counts[originals.classes.index(positive)] < _FEW:
        return None
    enough = counts >= _FEW
    if not enough.any():
        return None
    number = int(min(folds, counts[enough].min()))
    made = make_folds(
        images,
        rows[enough[targets]],
        folds=number,
        seed=seed,
        key="clean.folds",
        all_sources=True,
    )
    return replace(made, rows=rows)


def ask(
    params_file: Path,
    clean: CleanParams,
    train: TrainParams,
    data: Path,
    *,
    device: str,
    left_out: Sequence[str],
) -> Judgement | None:
    """The judgement of the training images in ``data`` but those ``left_out`` by id; None where a
    class is in too few groups to be held out. What is stopped is resumed from there."""
    where = devices.resolve(device)
    devices.prepare(where, train.threads)
    params = recipe(train, clean.epochs)
    images = open_images(params_file, params, data, left_out=left_out, enlarged=False)
    folds = parted(images, folds=clean.folds, seed=clean.seed)
    if folds is None:
        return None
    params = params.model_copy(update={"seed": clean.seed})
    fit = partial(fit_shown, name="clean")
    job = {"data": data, "resume": "auto", "group": ProcessGroup(), "device": where}
    found = judge(images, folds, params, fit, **job)
    for fold in range(1, found.folds + 1):
        shutil.rmtree(data / RESUME / f"{_NAME}-{fold}", ignore_errors=True)
    return found


def judge(
    images: TrainingImages, folds: Folds, params: TrainParams, fit: Fit, **job: Any
) -> Judgement:
    """Train without each fold in turn, and ask about it; ``job`` is what trainings need besides."""
    targets, classes = images.originals.targets, len(images.originals.classes)
    found: list[tuple[np.ndarray, np.ndarray, np.ndarray]] = []
    priors: list[np.ndarray] = []

    def fit_and_ask(one: Job, label: str) -> tuple[Trainer, History]:
        trainer, history = fit(one, label)
        held, rows = folds.held[len(found)], trainer.train_feed.rows
        # Its copies follow the originals in the feed, and say no more than they do.
        learned = rows[rows < len(targets)]
        seen = features(trainer.eval_model, trainer.train_feed.first(len(learned)), classes=classes)
        asked = features(trainer.eval_model, trainer.validation.feed, classes=classes)
        votes = neighbor_votes(asked, seen, targets[learned], classes)
        far = distances(asked, targets[held], seen, targets[learned])
        found.append((held, votes, far))
        priors.append(_assumed(trainer))
        return trainer, history

    scores = cross_validate(images, folds, params, fit_and_ask, name=_NAME, **job).scores
    order = np.argsort(np.concatenate([held for held, _, _ in found]), kind="stable")
    rows, votes, far = (np.concatenate(part)[order] for part in zip(*found, strict=True))
    shares = np.bincount(targets[images.rows("train")], minlength=classes)
    assumed = np.stack(priors)[scores.folds - 1]
    return Judgement(
        rows=rows,
        scores=_at_shares(scores.scores, assumed, shares),
        votes=votes,
        distances=far,
        folds=scores.num_folds,
        epochs=params.epochs,
    )


def _assumed(trainer: Trainer) -> np.ndarray:
    """The class shares that the scores take for granted, (K,); those shown where none is known."""
    epoch = trainer.progress.epoch - 1
    counts = trainer.class_counts(epoch)
    prior = trainer.params.loss.score_prior(counts, epoch)
    return counts / counts.sum() if prior is None else np.asarray(prior)


def _at_shares(scores: np.ndarray, assumed: np.ndarray, shares: np.ndarray) -> np.ndarray:
    """Scores (m, K) that took the shares ``assumed`` (m, K) for granted, at ``shares`` (K,)."""
    found = scores * shares / np.maximum(assumed, 1e-12)
    result: np.ndarray = found / np.maximum(found.sum(axis=1, keepdims=True), 1e-300)
    return result
