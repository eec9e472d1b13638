"""A trained model with its decision: pixels in; scores, probabilities, answers and warnings out."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from raresight.pipeline.evaluation.decisions.kept import KeptDecision
from raresight.pipeline.evaluation.decisions.unlike import exceeded, pixel_statistics
from raresight.pipeline.prediction.model_folder import ModelFolder, open_model_folder
from raresight.pipeline.runtime.errors import DataError
from raresight.pipeline.runtime.importing import without_collecting


@dataclass(frozen=True, kw_only=True, eq=False)
class Answers:
    """What a decision makes of scores: ``probabilities`` (n, K) and answers, class names (n,)."""

    probabilities: np.ndarray
    answers: np.ndarray


@dataclass(frozen=True, kw_only=True, eq=False)
class Applied:
    """A model applied to n images, of K ``classes``.

    ``scores`` (n, K) are as the model gives them; ``probabilities`` (n, K) are calibrated and right
    where the classes have the shares that they had in validation; ``answers`` (n,) are those at the
    kept threshold. ``unlike``, bool (n,), says that an image is not like the training images, and
    ``ratios`` by which measure: its distance, as a multiple of the one that flags it. ``deployed``
    is known where a prevalence was given.
    """

    classes: tuple[str, ...]
    scores: np.ndarray
    probabilities: np.ndarray
    answers: np.ndarray
    unlike: np.ndarray
    ratios: Mapping[str, np.ndarray]
    deployed: Answers | None = None


class Predictor:
    """The model of a folder, ready to be applied; see :func:`open_predictor`."""

    def __init__(self, opened: ModelFolder, scorer: Any):
        self.opened = opened
        self.scorer = scorer
        self.classes: tuple[str, ...] = scorer.classes

    @property
    def decision(self) -> KeptDecision:
        """How it answers; InputMissing where evaluate has not decided that."""
        return self.opened.decided

    def check(self, images: np.ndarray) -> np.ndarray:
        """``images`` as uint8 (n, H, W, C); DataError where they are of another shape or type."""
        array, shape = np.asarray(images), self.opened.image_shape
        if array.dtype != np.uint8 or array.shape[1:] != shape:
            raise DataError(
                f"images must be uint8 (n, {', '.join(map(str, shape))}). "
                f"Got {array.dtype} {array.shape}."
            )
        return array

    def scores(self, images: np.ndarray) -> np.ndarray:
        """Scores (n, K) of images, uint8 (n, H, W, C); a row sums to 1."""
        array = self.check(images)
        found: np.ndarray = self.scorer.scores(array, np.arange(len(array)))
        return found

    def apply(
        self,
        images: np.ndarray,
        *,
        prevalence: float | None = None,
        statistics: np.ndarray | None = None,
    ) -> Applied:
        """The model on images, uint8 (n, H, W, C).

        With a ``prevalence``, the share of positives in (0, 1) where the images come from, also
        what is right there. ``statistics`` (n, 8) are those of the pixels where they are known.
        """
        decision, images = self.decision, self.check(images)
        scores, features = self.scorer.scores_and_features(images, np.arange(len(images)))
        if not np.isfinite(scores).all():
            raise DataError(f"{self.opened.folder}: the scores are not numbers. Train it again.")
        seen = {"features": features, "pixels": statistics}
        if statistics is None:
            seen["pixels"] = pixel_statistics(images)
        ratios = {name: one.ratios(seen[name]) for name, one in decision.unlike.items()}
        kept = _answers(decision, scores)
        return Applied(
            classes=self.classes,
            scores=scores,
            probabilities=kept.probabilities,
            answers=kept.answers,
            unlike=exceeded(ratios),
            ratios=ratios,
            deployed=None
            if prevalence is None
            else _answers(decision.at_prevalence(prevalence), scores),
        )


def _answers(decision: KeptDecision, scores: np.ndarray) -> Answers:
    names = np.asarray(decision.task.classes)
    return Answers(
        probabilities=decision.calibrator(scores), answers=names[decision.decide(scores)]
    )


def open_predictor(folder: Path, device: str = "auto", *, need_decision: bool = True) -> Predictor:
    """The model of ``folder`` on ``device`` (auto, cpu, cuda, cuda:N), with its decision.

    Raises as :func:`~raresight.pipeline.prediction.model_folder.open_model_folder` does, and
    DeviceError where the device is not there.
    """
    return load_predictor(open_model_folder(folder, need_decision=need_decision), device)


def load_predictor(opened: ModelFolder, device: str = "auto") -> Predictor:
    """The model of a folder that is in order, as :func:`open_predictor`."""
    with without_collecting():
        from raresight.pipeline.models.checkpoint import load_model  # it loads torch

    return Predictor(opened, load_model(opened.folder, device))
