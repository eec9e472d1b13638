"""compare: two versions on the same test images, and whether their difference means anything."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import ValidationError

from raresight.pipeline.comparison.alignment import common, differing_params, differing_test_sets
from raresight.pipeline.comparison.compare import Comparison, Side, chosen_again, compare
from raresight.pipeline.comparison.verdicts import WORSE
from raresight.pipeline.comparison.versions import Training, Version, read_version
from raresight.pipeline.core import seeds
from raresight.pipeline.evaluation.decisions.costs import row_costs
from raresight.pipeline.evaluation.decisions.predictions import Predictions, Task, predict_labels
from raresight.pipeline.evaluation.decisions.thresholds import choose
from raresight.pipeline.evaluation.params import EvaluateParams, threshold_rule
from raresight.pipeline.evaluation.predictions_table import PredictionsTable
from raresight.pipeline.runtime.errors import (
    DataError,
    ParamsError,
    RaresightError,
    listing,
    suggest,
)

RECIPES, MODELS, DECISIONS = "recipes", "models", "decisions"
_RECHOSEN = 400  # thresholds, each on a resample of validation; used in turn


@dataclass(frozen=True, kw_only=True)
class Report:
    """Two versions beside each other.

    ``params`` holds (old, new) of every key they give different values, ``counts`` the test images
    of each class, ``num_seeds`` the number of trainings of each version, and ``notes`` what the
    reader has to know to believe the verdicts. ``about`` is what the intervals are about: the two
    ``recipes`` or, where one was trained once, the two ``models``; ``decisions`` where the models
    are the same and decide otherwise.
    """

    old: str
    new: str
    on: str
    positive: str | None
    confidence: float
    counts: Mapping[str, int]
    params: Mapping[str, tuple[Any, Any]]
    num_seeds: tuple[int, int]
    about: str
    comparison: Comparison
    notes: tuple[str, ...]


def run(
    params_file: Path,
    data: Path,
    *,
    old: str,
    new: str,
    on: str = "test",
    shared: bool = False,
) -> Report:
    """Compare the versions ``old`` and ``new``; a positive difference favours ``new``.

    ``on`` names the images: ``test`` or ``perturbed``. Raises DataError when the versions were
    judged on different images, unless ``shared`` asks for those that both have.
    """
    versions = tuple(read_version(name, params_file, data, test=on) for name in (old, new))
    rows, notes = _same_images(*versions, shared=shared)
    task = _common_task(*versions)
    settings = _settings(versions[1])
    about = _about(versions)
    images = versions[1].test.take(rows[1])
    params = differing_params(*(version.params for version in versions))
    notes += [*_outdated(versions), *_caveats(versions, about, params), *_method(task, images)]
    comparison = compare(
        *(_side(*pair, task, settings) for pair in zip(versions, rows, strict=True)),
        images.groups,
        confidence=settings.confidence,
        resamples=settings.resamples,
        rng=seeds.rng(settings.seed, "compare", on),
        same_models=about == DECISIONS,
    )
    counts = np.bincount(images.targets, minlength=len(task.classes)).tolist()
    return Report(
        old=old,
        new=new,
        on=on,
        positive=task.positive,
        confidence=settings.confidence,
        counts=dict(zip(task.classes, counts, strict=True)),
        params=params,
        num_seeds=tuple(len(version.trainings) for version in versions),
        about=about,
        comparison=comparison,
        notes=tuple(notes),
    )


def fail_if_worse(report: Report, metrics: tuple[str, ...]) -> None:
    """Raise RaresightError (exit 1) where the new version is worse in one of ``metrics``.

    That is the recipe where trainings tell, and else the model: a check in CI is of what would be
    used, and a model that is surely worse on these images fails it, be it bad luck or not.
    """
    found = {difference.name: difference for difference in report.comparison.differences}
    for name in metrics:
        if name not in found:
            raise ParamsError(f"--fail-if-worse: no metric '{name}'. {suggest(name, found)}")
    worse = [
        f"{name}: {found[name].old:.4g} in {report.old}, {found[name].new:.4g} in {report.new}"
        for name in metrics
        if found[name].ruling == WORSE
    ]
    if worse:
        what = "The model of " if report.about == MODELS else ""
        raise RaresightError(f"{what}{report.new} is worse than {report.old}:\n{listing(worse)}")


def _same_images(
    old: Version, new: Version, *, shared: bool
) -> tuple[tuple[np.ndarray, np.ndarray], list[str]]:
    """The rows of the images in each, and what has to be said of them."""
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


def _common_task(old: Version, new: Version) -> Task:
    positives = [version.results["positive"] for version in (old, new)]
    if positives[0] != positives[1]:
        raise DataError(
            f"generate.positive is {positives[0]!r} in {old.name} and {positives[1]!r} in "
            f"{new.name}: their results are about different classes."
        )
    return Task(classes=new.test.classes, positive=positives[1])


@dataclass(frozen=True, kw_only=True)
class _Settings:
    seed: int
    confidence: float
    resamples: int


def _settings(version: Version) -> _Settings:
    """Those of the version's params, and the defaults where it says nothing."""
    asked = version.params.get("evaluate", {})
    known = {
        key: asked[key] for key in ("seed", "confidence_level", "num_bootstrap") if key in asked
    }
    params = EvaluateParams(**known)
    return _Settings(
        seed=params.seed, confidence=params.confidence_level, resamples=params.num_bootstrap
    )


def _about(versions: tuple[Version, Version]) -> str:
    old, new = (version.trainings for version in versions)
    if len(old) == len(new) and all(map(_same_model, old, new)):
        return DECISIONS
    return MODELS if min(len(old), len(new)) == 1 else RECIPES


def _same_model(old: Training, new: Training) -> bool:
    pairs = [(old.test, new.test), *([(old.val, new.val)] if old.val and new.val else [])]
    return all(
        np.array_equal(left.ids, right.ids) and np.array_equal(left.scores, right.scores)
        for left, right in pairs
    )


def _side(version: Version, rows: np.ndarray, task: Task, settings: _Settings) -> Side:
    """Each training's answers, and its thresholds chosen again on resamples of validation."""
    outcomes, thresholds = [], []
    for training in version.trainings:
        images = training.test.take(rows)
        outcomes.append(_outcome(images, training.threshold, task))
        if training.val is not None:
            thresholds.append(_chosen_again(version, training.val, task, settings))
    return Side(outcomes=tuple(outcomes), thresholds=tuple(thresholds) or None)


def _outcome(images: PredictionsTable, threshold: float | None, task: Task) -> Predictions:
    if task.positive is None and images.predicted is not None:  # costs may have decided
        return Predictions(
            task=task, targets=images.targets, scores=images.scores, predicted=images.predicted
        )
    return predict_labels(task, images.targets, images.scores, threshold=threshold)


def _chosen_again(
    version: Version, images: PredictionsTable, task: Task, settings: _Settings
) -> np.ndarray:
    try:
        rule = threshold_rule(version.params["evaluate"].get("threshold", {}))
    except ValidationError:
        raise ParamsError(
            f"evaluate.threshold of {version.name} is {version.params['evaluate']['threshold']}, "
            "which this version of Raresight does not know."
        ) from None
    val = images.take(np.argsort(images.ids))  # so that all resample the same images
    index = task.positive_index

    def pick(rows: np.ndarray) -> float:
        scores, targets = val.scores[rows], val.targets[rows]
        costs = row_costs(rule, task, scores, targets)
        return choose(rule, scores[:, index], targets == index, costs=costs).value

    return chosen_again(
        pick,
        val.groups,
        val.targets,
        resamples=min(settings.resamples, _RECHOSEN),
        rng=seeds.rng(settings.seed, "compare", "validation"),
    )


def _outdated(versions: tuple[Version, Version]) -> Iterator[str]:
    for version in versions:
        if version.outdated:
            keys = ", ".join(version.outdated[:3]) + (", ..." if version.outdated[3:] else "")
            yield (
                f"The results of {version.name} were made with other params than it has now "
                f"({keys}): run `dvc repro`, or the comparison is of something else."
            )


def _caveats(
    versions: tuple[Version, Version], about: str, params: Mapping[str, Any]
) -> Iterator[str]:
    """What the verdicts are about."""
    if about == DECISIONS:
        yield "Both versions have the same models, so no seed is in the differences."
        return
    if params and all(key.rpartition(".")[2] == "seed" for key in params):
        yield f"Nothing but seeds differs ({', '.join(params)}): the recipe is the same."
    for version in versions:
        asked = version.params.get("train", {}).get("num_seeds", 1)
        if asked > len(version.trainings):
            yield (
                f"train.num_seeds of {version.name} is {asked}, but its results are of "
                f"{len(version.trainings)} training: run `dvc repro` there."
            )
    if about == RECIPES:
        yield (
            "Values are means over the trainings; intervals hold the test images and the seeds, so "
            "the verdicts are about the recipes."
        )
        if min(len(version.trainings) for version in versions) == 2:
            yield "Two trainings hardly tell how far a third would be off: three or more do."
        return
    once = [version.name for version in versions if len(version.trainings) == 1]
    yield (
        f"{' and '.join(once)} {'were' if once[1:] else 'was'} trained once, so better and worse "
        "are about these two models: another seed alone may give a better or a worse one. For a "
        "verdict on the recipes, set train.num_seeds to 3 or more in both."
    )


def _method(task: Task, images: PredictionsTable) -> Iterator[str]:
    if len(np.unique(images.group_names)) < len(images.ids):
        yield "Images of one group are resampled together; McNemar's test ignores that."
    if task.positive is not None:
        yield (
            "Intervals hold the choice of the threshold too: each resample chooses it again on a "
            "resample of validation."
        )
