"""Out-of-fold scores: every image is scored by a training that did not learn from its fold.

What few images cannot spare for validation is decided on the scores of all of them: thresholds and
calibration, how many epochs to train, which labels look wrong, which params are better.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from raresight.pipeline.core import seeds
from raresight.pipeline.models.out_of_fold import OutOfFold
from raresight.pipeline.runtime.errors import DataError
from raresight.pipeline.training.diagnosis.history import Epoch, History
from raresight.pipeline.training.inputs import TrainingImages
from raresight.pipeline.training.job import Job, Weights, later
from raresight.pipeline.training.loop import Trainer
from raresight.pipeline.training.optim.early_stopping import best_epoch
from raresight.pipeline.training.params import TrainParams
from raresight.pipeline.training.runtime.paths import RESUME
from raresight.pipeline.training.scores import ranking
from raresight.pipeline.training.state import State

Fit = Callable[[Job, str], tuple[Trainer, History]]  # a job and what it is called


def to_the_end(params: TrainParams) -> TrainParams:
    """The params of a training that looks at no validation: it stops nowhere, and keeps its end."""
    return params.model_copy(update={"early_stopping": None, "checkpoint": "last"})


@dataclass(frozen=True, kw_only=True)
class Folds:
    """Row numbers of originals: ``held`` of each fold, and ``rows``, all that are learned from.

    What is in ``rows`` and in no fold is in every training: images that may never be validated on.
    """

    rows: np.ndarray
    held: Sequence[np.ndarray]

    def learned(self, fold: int) -> np.ndarray:
        """What the training without the fold (from 0) learns from, ascending."""
        return np.setdiff1d(self.rows, self.held[fold])

    @property
    def scored(self) -> np.ndarray:
        """All that gets scores, fold by fold."""
        return np.concatenate(list(self.held))


def make_folds(
    images: TrainingImages,
    rows: np.ndarray,
    *,
    folds: int,
    seed: int,
    key: str = "train.folds",
    all_sources: bool = False,
) -> Folds:
    """Part ``rows`` of the originals into ``folds``, groups kept together and classes spread alike.

    ``key`` is what params.yaml calls their number. Images of a source that never reaches
    validation, such as drawn ones beside real ones, are in no fold unless ``all_sources`` is set.
    Raises DataError where a fold would lack the positive class.
    """
    originals = images.originals
    names = originals.source_names[rows]
    sources = np.unique(names).tolist()
    reaching = [name for name in sources if "val" in originals.description.splits_of(name)]
    scored = rows if all_sources else rows[np.isin(names, reaching)]
    groups, targets = images.groups[scored], originals.targets[scored]
    if originals.positive is not None:
        label = originals.positive
        found = len(np.unique(groups[targets == originals.classes.index(label)]))
        if found < folds:
            raise DataError(
                f"{key} is {folds}, but '{label}' is in {found} groups of these images, and each "
                f"fold needs one. Set {key} to {max(found, 2)} or less, or add images of "
                f"'{label}'."
            )
    fold = assign_folds(targets, groups, folds=folds, seed=seed)
    return Folds(rows=rows, held=[scored[fold == number] for number in range(folds)])


def assign_folds(targets: np.ndarray, groups: np.ndarray, *, folds: int, seed: int) -> np.ndarray:
    """The fold of every row, int (n,) from 0, by ``targets`` int (n,) and ``groups`` (n,).

    Rows of one group share a fold. The largest groups are placed first, each where its classes are
    most missing; the seed decides between alike ones.
    """
    names, owner = np.unique(groups, return_inverse=True)
    counts = np.zeros((len(names), int(targets.max()) + 1))
    np.add.at(counts, (owner, targets), 1)
    share = counts / np.maximum(counts.sum(axis=0), 1)  # of each class, so that a rare one counts
    chance = seeds.rng(seed, "folds", "").permutation(len(names))
    order = np.lexsort((chance, -share.max(axis=1)))
    held, placed = np.zeros((folds, counts.shape[1])), np.empty(len(names), np.int64)
    size = np.zeros(folds)
    for group in order:
        # How uneven the classes become, by what is held already; then the fold with fewest images.
        place = np.lexsort((size, np.round((held * share[group]).sum(axis=1), 12)))[0]
        held[place] += share[group]
        size[place] += counts[group].sum()
        placed[group] = place
    return placed[owner]


class FoldTrainer(Trainer):
    """Keeps what every epoch said of the fold that is held out."""

    def __init__(self, *args: Any, **kwargs: Any):
        super().__init__(*args, **kwargs)
        self.held: list[torch.Tensor] = []

    def _end_epoch(self) -> None:
        super()._end_epoch()
        self.held.append(torch.from_numpy(self.validation.scores))

    def state(self) -> State:
        return super().state() | {"held": self.held}

    def load_state(self, state: State) -> None:
        super().load_state(state)
        self.held = state["held"]


@dataclass(frozen=True, kw_only=True)
class FoldJob(Job):
    """The training without the ``fold`` (from 1); its inputs are judged on that fold.

    With ``chooses`` the scores of every epoch are kept, to choose one of them. ``name`` keeps what
    was stopped apart from other trainings with folds.
    """

    fold: int
    chooses: bool
    name: str = "fold"

    @property
    def folder(self) -> Path:
        return self.data / RESUME / f"{self.name}-{self.fold}"

    def trainer(self, weights: Weights | None = None) -> Trainer:
        return self.trainer_by(FoldTrainer if self.chooses else Trainer, weights)


@dataclass(frozen=True, kw_only=True)
class CrossValidation:
    """What the trainings without a fold found.

    ``scores`` are the out-of-fold scores after the epoch that ``history`` keeps. Its curves are
    means over the folds and, for how well they are ranked, of all held-out images together.
    ``stop_after`` is that epoch of the recipe where it was chosen, None where it is the last one
    anyway.
    ``counts`` are the images of each class that were held out.
    """

    scores: OutOfFold
    history: History
    stop_after: int | None
    counts: Mapping[str, int]

    @property
    def summary(self) -> dict[str, Any]:
        """How many images were held out of how many trainings, and what was chosen by them."""
        return {
            "folds": self.scores.num_folds,
            "images": len(self.scores.ids),
            "per_class": dict(self.counts),
            "epoch": self.history.kept.epoch,
            "epoch_is": "the last" if self.stop_after is None else "chosen",
        }


def cross_validate(
    images: TrainingImages, folds: Folds, params: TrainParams, fit: Fit, **job: Any
) -> CrossValidation:
    """Train without each of ``folds`` in turn and score it; ``job`` is what :class:`Job` needs.

    The epoch is the one that ranks all held-out images best, by their pooled average precision;
    the last one where ``params`` ask for that, or for a second stage.
    """
    device = job.pop("device")
    chooses = params.checkpoint == "best" and params.classifier_retraining is None
    histories, found = [], list[list[np.ndarray]]()
    for number, held in enumerate(folds.held, 1):
        one = FoldJob(
            params=to_the_end(params),
            replicate=1,
            inputs=images.inputs(params, folds.learned(number - 1), device, judged=held),
            fold=number,
            chooses=chooses,
            **job if number == 1 else {**job, "resume": later(job["resume"])},
        )
        trainer, history = fit(one, f"fold {number}/{len(folds.held)}, ")
        histories.append(history)
        found.append(_scores(trainer))
    originals, rows = images.originals, folds.scored
    pooled = [np.concatenate(parts) for parts in zip(*found, strict=True)]
    positive = originals.positive
    index = None if positive is None else originals.classes.index(positive)
    quality = [ranking(scores, originals.targets[rows], index) for scores in pooled]
    chosen = best_epoch([precision for precision, _ in quality])
    epochs = list(_mean_curves(histories, quality))
    order = np.argsort(rows, kind="stable")
    numbers = np.repeat(np.arange(len(folds.held)) + 1, [len(held) for held in folds.held])
    scores = OutOfFold(
        classes=originals.classes,
        ids=originals.ids[rows][order],
        folds=numbers[order],
        scores=pooled[chosen][order].astype(np.float64),
    )
    kept = epochs[len(epochs) - len(pooled) + chosen]
    counts = np.bincount(originals.targets[rows], minlength=len(originals.classes))
    return CrossValidation(
        scores=scores,
        history=History(epochs=epochs, best=kept),
        stop_after=kept.epoch - params.pretrain_epochs if chooses else None,
        counts=dict(zip(originals.classes, counts.tolist(), strict=True)),
    )


def _scores(trainer: Trainer) -> list[np.ndarray]:
    """The held-out scores (n, K) of every epoch that may be chosen."""
    if isinstance(trainer, FoldTrainer):
        return [scores.numpy() for scores in trainer.held]
    return [last_scores(trainer)]


def last_scores(trainer: Trainer) -> np.ndarray:
    """The scores (n, K) that a training which has ended gives the images that it is judged on."""
    epoch = trainer.progress.epoch - 1
    counts = trainer.class_counts(epoch)
    return trainer.validation(trainer.eval_model, trainer.loss_in(epoch), counts)[1]


def _mean_curves(
    histories: Sequence[History], quality: Sequence[tuple[float, float]]
) -> Iterator[Epoch]:
    """Each epoch's mean over the folds; its ranking where all folds' scores of it are known."""
    rows = [[asdict(epoch) for epoch in history.epochs] for history in histories]
    known = len(rows[0]) - len(quality)
    for number, several in enumerate(zip(*rows, strict=True)):
        mean: dict[str, Any] = {
            name: float(np.mean([one[name] for one in several])) for name in several[0]
        }
        mean["epoch"] = several[0]["epoch"]
        if number >= known:
            mean["val_average_precision"], mean["val_f1"] = quality[number - known]
        yield Epoch(**mean)
