"""compare: two versions on the same test images, and whether their difference means anything."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import ValidationError

from pipeline.comparison.alignment import common, differing_params, differing_test_sets
from pipeline.comparison.compare import Comparison, chosen_again, compare
from pipeline.comparison.verdicts import WORSE, training_spread
from pipeline.core import seeds
from pipeline.core.errors import DataError, ParamsError, RaresightError, listing, suggest
from pipeline.evaluation.costs import row_costs
from pipeline.evaluation.outcome import Outcome, Task, answer
from pipeline.evaluation.params import ThresholdRule
from pipeline.evaluation.thresholds import choose
from pipeline.predictions.table import Predictions
from pipeline.stages.versions import Version, read_version

_RECHOSEN = 400  # thresholds, each on a resample of validation; used in turn
# What the train stage says of each replicate, on validation.
_REPLICATED = {"average_precision": "val_average_precision", "f1": "val_f1"}


@dataclass(frozen=True, kw_only=True)
class Report:
    """Two versions beside each other.

    ``params`` holds (old, new) of every key they give different values, ``counts`` the test images
    of each class, ``replicates`` the number of trainings of each version, and ``notes`` what the
    reader has to know to believe the verdicts.
    """

    old: str
    new: str
    on: str
    positive: str | None
    confidence: float
    counts: Mapping[str, int]
    params: Mapping[str, tuple[Any, Any]]
    replicates: tuple[int, int]
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
    before, after, notes = _same_images(*versions, shared=shared)
    task = _common_task(*versions)
    settings = _settings(versions[1])
    spreads = training_spreads(versions, settings.confidence)
    notes += [*_outdated(versions), *_caveats(task, spreads, before)]
    comparison = compare(
        _outcome(versions[0], before, task),
        _outcome(versions[1], after, task),
        after.groups,
        confidence=settings.confidence,
        resamples=settings.resamples,
        rng=seeds.rng(settings.seed, "compare", on),
        thresholds=_thresholds(versions, task, settings),
        spreads=spreads,
    )
    counts = np.bincount(after.targets, minlength=len(task.classes)).tolist()
    return Report(
        old=old,
        new=new,
        on=on,
        positive=task.positive,
        confidence=settings.confidence,
        counts=dict(zip(task.classes, counts, strict=True)),
        params=differing_params(*(version.params for version in versions)),
        replicates=tuple(_trainings(version) for version in versions),
        comparison=comparison,
        notes=tuple(notes),
    )


def fail_if_worse(report: Report, metrics: tuple[str, ...]) -> None:
    """Raise RaresightError (exit 1) where the new version is worse in one of ``metrics``."""
    found = {difference.name: difference for difference in report.comparison.differences}
    for name in metrics:
        if name not in found:
            raise ParamsError(f"--fail-if-worse: no metric '{name}'. {suggest(name, found)}")
    worse = [
        f"{name}: {found[name].old:.4g} in {report.old}, {found[name].new:.4g} in {report.new}"
        for name in metrics
        if found[name].verdict == WORSE
    ]
    if worse:
        raise RaresightError(f"{report.new} is worse than {report.old}:\n{listing(worse)}")


def _same_images(
    old: Version, new: Version, *, shared: bool
) -> tuple[Predictions, Predictions, list[str]]:
    problems = differing_test_sets(old.test, new.test)
    before, after = (
        common(old.test, new.test) if old.test.classes == new.test.classes else (old.test, new.test)
    )
    if problems and (not shared or old.test.classes != new.test.classes or not len(before.ids)):
        raise DataError(
            f"{old.name} and {new.name} were judged on different test images, so a difference "
            f"between them means nothing:\n{listing(problems)}\n"
            "Judge both on the same images, or compare on those they share with --shared."
        )
    notes = []
    if problems:
        notes.append(
            f"Compared on the {len(before.ids):,} images that both versions share; "
            f"{old.name} was judged on {len(old.test.ids):,}, {new.name} on {len(new.test.ids):,}."
        )
    if before.pixels is None or after.pixels is None:
        notes.append(
            "One version does not say which pixels it was judged on, so only the names and the "
            "labels of the test images are known to be the same."
        )
    return before, after, notes


def _common_task(old: Version, new: Version) -> Task:
    positives = [version.metrics["positive"] for version in (old, new)]
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
    section = version.params["evaluate"]
    return _Settings(**{key: section[key] for key in ("seed", "confidence", "resamples")})


def _outcome(version: Version, images: Predictions, task: Task) -> Outcome:
    threshold = version.metrics["threshold"]["model"] if task.positive is not None else None
    return answer(task, images.targets, images.scores, threshold=threshold)


def _thresholds(
    versions: tuple[Version, Version], task: Task, settings: _Settings
) -> tuple[np.ndarray, np.ndarray] | None:
    """Thresholds chosen again on resamples of each version's validation set."""
    if task.positive is None:
        return None
    return tuple(_chosen_again(version, task, settings) for version in versions)


def _chosen_again(version: Version, task: Task, settings: _Settings) -> np.ndarray:
    try:
        rule = ThresholdRule.model_validate(version.params["evaluate"]["threshold"])
    except ValidationError:
        raise ParamsError(
            f"evaluate.threshold of {version.name} is {version.params['evaluate']['threshold']}, "
            "which this version of Raresight does not know."
        ) from None
    val = version.val.take(np.argsort(version.val.ids))  # so that both resample the same images
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


def _trainings(version: Version) -> int:
    return version.params.get("train", {}).get("replicates", 1)


def training_spreads(versions: tuple[Version, Version], confidence: float) -> dict[str, float]:
    """What training again may do to a metric, where both versions were trained several times.

    The replicates are judged on validation, which no two of them differ in; the spread there is
    taken for that on test.
    """
    spreads = {}
    for name, stated in _REPLICATED.items():
        values = [
            version.training.get("replicates", {}).get(stated, {}).get("values", {})
            for version in versions
        ]
        known = [np.array([v for v in one.values() if v is not None]) for one in values]
        if min(map(len, known)) >= 2:
            spreads[name] = training_spread(*known, confidence=confidence)
    return spreads


def _outdated(versions: tuple[Version, Version]) -> Iterator[str]:
    for version in versions:
        if version.outdated:
            keys = ", ".join(version.outdated[:3]) + (", ..." if version.outdated[3:] else "")
            yield (
                f"The results of {version.name} were made with other params than it has now "
                f"({keys}): run `dvc repro`, or the comparison is of something else."
            )


def _caveats(task: Task, spreads: Mapping[str, float], images: Predictions) -> list[str]:
    notes = []
    if not spreads:
        notes.append(
            "Not both versions were trained several times: the verdicts are about these two "
            "models, and another seed alone may give a better or a worse one. For a verdict on "
            "the recipes, set train.replicates to 3 or more."
        )
    else:
        told = " and ".join(_REPLICATED[name] for name in spreads)
        notes.append(
            f"The spread of {told} over the trainings is in the intervals of "
            f"{' and '.join(spreads)}; the other verdicts are about these two models."
        )
    if len(np.unique(images.sources)) < len(images.ids):
        notes.append("Images of one source are resampled together; McNemar's test ignores that.")
    if task.positive is not None:
        notes.append(
            "Intervals hold the choice of the threshold too: each resample chooses it again on a "
            "resample of validation."
        )
    return notes
