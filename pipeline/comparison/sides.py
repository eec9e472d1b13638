"""What two versions are compared on: images that both know, the task, and each one's answers."""

import numpy as np
from pydantic import ValidationError

from raresight.pipeline.comparison.alignment import common, differing_test_sets
from raresight.pipeline.comparison.compare import Side
from raresight.pipeline.comparison.versions import Training, Version
from raresight.pipeline.core import seeds
from raresight.pipeline.evaluation.decisions.calibrate_and_threshold import chosen_again
from raresight.pipeline.evaluation.decisions.predictions import Predictions, Task, predict_labels
from raresight.pipeline.evaluation.params import EvaluateParams, ThresholdRule, threshold_rule
from raresight.pipeline.evaluation.predictions_table import PredictionsTable
from raresight.pipeline.runtime.errors import DataError, ParamsError, listing

RECIPES, MODELS, DECISIONS = "recipes", "models", "decisions"


def same_images(
    old: Version, new: Version, *, shared: bool
) -> tuple[tuple[np.ndarray, np.ndarray], list[str]]:
    """The rows of the images in each, and what has to be said of them.

    Raises DataError where they differ, unless ``shared`` asks for those that both have.
    """
    problems = differing_test_sets(old.test, new.test)
    rows = common(old.test, new.test)
    if problems and (not shared or old.test.classes != new.test.classes or not len(rows[0])):
        raise DataError(
            f"{old.name} and {new.name} were judged on different test images, so a difference "
            f"between them means nothing:\n{listing(problems)}\n"
            "Judge both on the same images, or compare on those they share with --shared."
        )
    notes = []
    if problems:
        notes.append(
            f"Compared on the {len(rows[0]):,} images that both versions share; "
            f"{old.name} was judged on {len(old.test.ids):,}, {new.name} on {len(new.test.ids):,}."
        )
    if old.test.pixels is None or new.test.pixels is None:
        notes.append(
            "One version does not say which pixels it was judged on, so only the names and the "
            "labels of the test images are known to be the same."
        )
    return rows, notes


def common_task(old: Version, new: Version) -> Task:
    """The task of both; DataError where their results are about different classes."""
    positives = [version.results["positive"] for version in (old, new)]
    if positives[0] != positives[1]:
        raise DataError(
            f"generate.positive is {positives[0]!r} in {old.name} and {positives[1]!r} in "
            f"{new.name}: their results are about different classes."
        )
    return Task(classes=new.test.classes, positive=positives[1])


def settings_of(version: Version) -> EvaluateParams:
    """The seed and the intervals that a version's params ask for, with defaults for the others."""
    asked = version.params.get("evaluate") or {}
    names = ("seed", "confidence_level", "num_bootstrap", "proportion_interval")
    return EvaluateParams.model_validate({key: asked[key] for key in names if key in asked})


def about(old: Version, new: Version) -> str:
    """What a difference is about: RECIPES, MODELS or (of the same models) DECISIONS."""
    before, after = old.trainings, new.trainings
    if len(before) == len(after) and all(map(_same_model, before, after)):
        return DECISIONS
    return MODELS if min(len(before), len(after)) == 1 else RECIPES


def _same_model(old: Training, new: Training) -> bool:
    pairs = [(old.test, new.test), *([(old.val, new.val)] if old.val and new.val else [])]
    return all(
        np.array_equal(left.ids, right.ids) and np.array_equal(left.scores, right.scores)
        for left, right in pairs
    )


def side(version: Version, rows: np.ndarray, task: Task, settings: EvaluateParams) -> Side:
    """Each training's answers, and its thresholds chosen again on resamples of validation.

    A threshold is chosen on few positives, so two trainings of one recipe get two thresholds, and
    their precision and recall differ for no reason that would hold again. Taking that into each
    resample is what keeps such pairs from being called better or worse: without it, one pair in
    four was, at 30 positives in each set. Both versions see the same resamples.
    """
    outcomes, thresholds = [], []
    for training in version.trainings:
        images = training.test.take(rows)
        outcomes.append(answers(images, training.threshold, task))
        if training.val is not None:
            thresholds.append(_chosen_again(version, training.val, task, settings))
    return Side(outcomes=tuple(outcomes), thresholds=tuple(thresholds) or None)


def answers(images: PredictionsTable, threshold: float | None, task: Task) -> Predictions:
    """What a version said of ``images``, by its own threshold or as its costs decided."""
    if task.positive is None and images.predicted is not None:  # costs may have decided
        return Predictions(
            task=task, targets=images.labels, scores=images.scores, predicted=images.predicted
        )
    return predict_labels(task, images.labels, images.scores, threshold=threshold)


def _chosen_again(
    version: Version, images: PredictionsTable, task: Task, settings: EvaluateParams
) -> np.ndarray:
    """The threshold of each resample of validation, float (R,)."""
    val = images.take(np.argsort(images.ids))  # so that all resample the same images
    return chosen_again(
        _rule(version),
        val.scores,
        val.labels,
        task,
        groups=val.groups,
        resamples=settings.num_bootstrap,
        rng=seeds.rng(settings.seed, "compare", "validation"),
    )


def _rule(version: Version) -> ThresholdRule:
    asked = version.params["evaluate"].get("threshold", {})
    try:
        return threshold_rule(asked)
    except ValidationError:
        raise ParamsError(
            f"evaluate.threshold of {version.name} is {asked}, which this version of Raresight "
            "does not know."
        ) from None
