"""The simulated test sets of :mod:`benchmarks.coverage`, with their truth.

Scores of negatives are N(0, 1), those of positives N(skill, spread). In groups of four images half
of the variance is the group's.
"""

from collections.abc import Callable, Iterator, Mapping

import numpy as np
from scipy.stats import norm

from benchmarks import coverage_peers as peers
from benchmarks.coverage_peers import CONFIDENCE, RESAMPLES, Ends
from raresight.pipeline.evaluation.assessment import assess
from raresight.pipeline.evaluation.decisions.predictions import (
    Predictions,
    Task,
    predict_labels,
)
from raresight.pipeline.evaluation.decisions.thresholds import choose
from raresight.pipeline.evaluation.metrics.calibration import calibration_figures
from raresight.pipeline.evaluation.metrics.confusion import f1
from raresight.pipeline.evaluation.metrics.table import by_decision
from raresight.pipeline.evaluation.params import PrecisionTarget
from raresight.pipeline.evaluation.prevalence import at_prevalence, deploy, reweight_to_prevalence
from raresight.pipeline.evaluation.uncertainty.estimates import Estimate
from raresight.pipeline.evaluation.uncertainty.influence import roc_auc_influence, spread
from raresight.pipeline.evaluation.uncertainty.settings import IntervalSettings

Case = Mapping[str, tuple[float, Ends | None, Ends | None]]
Draw = Callable[[np.random.Generator], Case]
TASK = Task(classes=("common", "rare"), positive="rare")
SETTINGS = IntervalSettings(
    confidence_level=CONFIDENCE, num_bootstrap=RESAMPLES, proportion_interval="wilson"
)
THRESHOLD = 1.8
EACH = 4  # images of a group
_QUANTILES = (np.arange(100_000) + 0.5) / 100_000


def deployed_average_precision() -> Iterator[tuple[str, Draw]]:
    """2,000 and 50,000 negatives, at prevalences that these can tell and cannot."""
    for negatives in (2000, 50_000):
        for prevalence in (1e-2, 1e-3, 1e-4):
            for positives in (10, 30, 100):
                name = f"{positives} positives, {negatives:,} negatives, at {prevalence:g}"
                yield name, _deployed_ap(positives, negatives, prevalence)


def _deployed_ap(positives: int, negatives: int, prevalence: float) -> Draw:
    truth = _average_precision(2.5, 1.0, prevalence)

    def draw(rng: np.random.Generator) -> Case:
        outcome = _outcome(rng, positives, negatives)
        ours = deploy(outcome, prevalence=prevalence, settings=SETTINGS, rng=rng)
        other = peers.resampled_average_precision(outcome, prevalence, rng)
        return {"average precision": (truth, ours["average_precision"].interval, other)}

    return draw


def deployed_precision() -> Iterator[tuple[str, Draw]]:
    for positives in (30, 100):
        for recall in (0.6, 0.9):
            for negatives, rate in ((1000, 0.01), (6000, 1e-3), (60_000, 1e-3), (6000, 0.05)):
                name = f"{positives} positives, recall {recall:g}, {negatives:,} x {rate:g}"
                yield name, _deployed_precision(positives, recall, negatives, rate)


def _deployed_precision(positives: int, recall: float, negatives: int, rate: float) -> Draw:
    truth = at_prevalence(recall=recall, specificity=1 - rate, prevalence=1e-3)["precision"]
    assert truth is not None  # something is predicted positive

    def draw(rng: np.random.Generator) -> Case:
        tp, fp = rng.binomial(positives, recall), rng.binomial(negatives, rate)
        counts = np.array([[negatives - fp, fp], [positives - tp, tp]])
        ours = reweight_to_prevalence(counts, prevalence=1e-3, positive="rare", settings=SETTINGS)
        other = peers.corners(counts, 1e-3).get("precision")
        return {"precision at 0.001": (truth, ours["precision"].interval, other)}

    return draw


def groups() -> Iterator[tuple[str, Draw]]:
    """Positives of 5, 10 and 30 groups, beside negatives of 100."""
    for positive_groups in (5, 10, 30):
        yield f"{positive_groups} groups of {EACH} positives", _groups(positive_groups, own=True)
        yield f"{positive_groups} of the negatives' groups", _groups(positive_groups, own=False)


def _groups(count: int, *, own: bool) -> Draw:
    negative_groups, skill = 100, 2.5
    recall, specificity = float(norm.sf(THRESHOLD - skill)), float(norm.cdf(THRESHOLD))
    targets = np.repeat([0, 1], [negative_groups * EACH, count * EACH])
    truth = {
        "recall": recall,
        "specificity": specificity,
        "f1": _f1(targets, recall, specificity),
        "roc_auc": float(norm.cdf(skill / np.sqrt(2))),
        "average_precision": _average_precision(skill, 1.0, float(targets.mean())),
        "brier": _brier(targets, skill),
        "deployed recall": recall,
        "deployed precision": at_prevalence(
            recall=recall, specificity=specificity, prevalence=0.01
        )["precision"]
        or 0.0,
    }
    of_positives = np.arange(count * EACH) // EACH
    number = np.concatenate(
        [np.arange(negative_groups * EACH) // EACH, of_positives + own * negative_groups]
    )

    def draw(rng: np.random.Generator) -> Case:
        shared = rng.normal(size=number.max() + 1)[number]
        noise = rng.normal(size=len(targets))
        scores = (shared + noise) / np.sqrt(2) + skill * targets
        outcome = _judged(scores, targets, number)
        ours: dict[str, Estimate] = dict(assess(outcome, settings=SETTINGS, rng=rng).overall)
        ours |= calibration_figures(
            *(outcome.scores, targets, 1), bins=5, settings=SETTINGS, groups=number
        )
        deployed = deploy(outcome, prevalence=0.01, settings=SETTINGS, rng=rng)
        ours |= {f"deployed {name}": deployed[name] for name in ("recall", "precision")}
        other: dict[str, Ends | None] = peers.of_decisions(outcome, rng)
        other |= peers.of_ranking(outcome, rng)
        there = peers.corners(outcome.confusion, 0.01)
        other |= {f"deployed {name}": ends for name, ends in there.items()}
        other["brier"] = peers.normal_mean((outcome.scores[:, 1] - targets) ** 2, targets == 1)
        return {
            name: (value, ours[name].interval, other.get(name)) for name, value in truth.items()
        }

    return draw


def rankings() -> Iterator[tuple[str, Draw]]:
    """Average precision, ROC-AUC and the Brier score of independent images."""
    for positives, negatives in ((10, 500), (30, 2000), (100, 2000), (300, 5000)):
        for skill, wide in ((1.0, 1.0), (2.5, 1.0), (4.0, 1.0), (2.5, 0.3)):
            name = f"{positives} N({skill:g}, {wide:g}), {negatives:,} negatives"
            yield name, _rankings(positives, negatives, skill, wide)


def _rankings(positives: int, negatives: int, skill: float, wide: float) -> Draw:
    targets = np.repeat([0, 1], [negatives, positives])
    share = float(targets.mean())
    truth = {
        "average_precision": _average_precision(skill, wide, share),
        "roc_auc": float(norm.cdf(skill / np.sqrt(1 + wide**2))),
        "brier": _brier(targets, skill, wide),
    }

    def draw(rng: np.random.Generator) -> Case:
        outcome = _outcome(rng, positives, negatives, skill, wide)
        ours: dict[str, Estimate] = dict(assess(outcome, settings=SETTINGS, rng=rng).overall)
        ours |= calibration_figures(outcome.scores, targets, 1, bins=5, settings=SETTINGS)
        ranking = outcome.main_ranking
        found = spread(roc_auc_influence(*ranking.counts()), ranking, None)
        assert found is not None  # both kinds have several rows
        values = {name: float(ours[name].value or 0.0) for name in truth}
        other = {
            "average_precision": peers.by_positives_alone(values["average_precision"], positives),
            "roc_auc": peers.by_exponential_scores(values["roc_auc"], found.variance, ranking),
            "brier": peers.normal_mean((outcome.scores[:, 1] - targets) ** 2, targets == 1),
        }
        return {name: (truth[name], ours[name].interval, other[name]) for name in truth}

    return draw


def many_classes() -> Iterator[tuple[str, Draw]]:
    """Small classes of which each is right equally often, mistakes spread evenly."""
    for classes, images, right in ((3, 10, 0.9), (10, 10, 0.98), (10, 10, 0.8), (20, 5, 0.98)):
        yield f"{classes} classes of {images}, right {right:g}", _many(classes, images, right)


def _many(classes: int, images: int, right: float) -> Draw:
    task = Task(classes=tuple(f"c{number:02}" for number in range(classes)), positive=None)
    shares = np.full((classes, classes), (1 - right) / (classes - 1))
    np.fill_diagonal(shares, right)
    names = ("balanced_accuracy", "macro_f1", "macro_precision", "mcc")
    expected = by_decision(shares * images, task)
    targets = np.repeat(np.arange(classes), images)

    def draw(rng: np.random.Generator) -> Case:
        counts = [rng.multinomial(images, row) for row in shares]
        predicted = np.concatenate([np.repeat(np.arange(classes), row) for row in counts])
        scores = np.full((len(targets), classes), 0.1)
        scores[np.arange(len(targets)), predicted] = 1.0
        outcome = Predictions(task=task, targets=targets, scores=scores, predicted=predicted)
        ours = assess(outcome, settings=SETTINGS, rng=rng).overall
        other = peers.smoothed(outcome, rng)
        found = np.diag(outcome.confusion)
        ends = [SETTINGS.proportion(int(k), images) or (0.0, 1.0) for k in found]
        other["balanced_accuracy"] = peers.squares(ends, (found / images).tolist())
        return {
            name: (float(expected["", name]), ours[name].interval, other.get(name))
            for name in names
        }

    return draw


def precision_rule() -> Iterator[tuple[str, Draw]]:
    """Is the precision had that is promised with 95 % confidence? Beside the plain rule."""
    for skill, prevalence, negatives in (
        *((2.5, 1e-3, negatives) for negatives in (1000, 6000, 60_000)),
        (2.5, 1e-4, 6000),
        (2.5, 1e-2, 6000),
        (4.0, 1e-2, 1000),
        (4.0, 1e-3, 20_000),
    ):
        name = f"30 N({skill:g}, 1), {negatives:,} negatives, 0.5 at {prevalence:g}"
        yield name, _promise(skill, prevalence, negatives)


def _promise(skill: float, prevalence: float, negatives: int) -> Draw:
    """The truth is the precision reached, and the interval everything from the target up."""
    positive = np.arange(30 + negatives) < 30
    sure = PrecisionTarget(target=0.5, prevalence=prevalence, confidence=CONFIDENCE)
    plain = PrecisionTarget(target=0.5, prevalence=prevalence)

    def draw(rng: np.random.Generator) -> Case:
        scores = norm.cdf(rng.normal(size=len(positive)) + skill * positive)
        ours, other = (choose(rule, scores, positive) for rule in (sure, plain))
        found = {}
        for name, chosen in (("ours", ours), ("plain", other)):
            value = norm.ppf(chosen.value)
            recall, specificity = float(norm.sf(value - skill)), float(norm.cdf(value))
            found[name] = at_prevalence(
                recall=recall, specificity=specificity, prevalence=prevalence
            )["precision"]
        return {
            "promise kept": (found["ours"] or 0.0, None if ours.reason else (0.5, 1.0), None),
            "plain rule": (found["plain"] or 0.0, (0.5, 1.0), None),
        }

    return draw


def _outcome(
    rng: np.random.Generator,
    positives: int,
    negatives: int,
    skill: float = 2.5,
    wide: float = 1.0,
) -> Predictions:
    scores = np.concatenate([rng.normal(size=negatives), rng.normal(skill, wide, size=positives)])
    return _judged(scores, np.repeat([0, 1], [negatives, positives]), None)


def _judged(scores: np.ndarray, targets: np.ndarray, groups: np.ndarray | None) -> Predictions:
    both = np.stack([norm.sf(scores), norm.cdf(scores)], axis=1)
    return predict_labels(TASK, targets, both, threshold=float(norm.cdf(THRESHOLD)), groups=groups)


def _average_precision(skill: float, wide: float, share: float) -> float:
    rates = norm.sf(norm.isf(_QUANTILES) * wide + skill)
    found = _QUANTILES * share
    return float((found / (found + rates * (1 - share))).mean())


def _brier(targets: np.ndarray, skill: float, wide: float = 1.0) -> float:
    normal, share = norm.isf(_QUANTILES), targets.mean()
    missed = ((norm.cdf(normal * wide + skill) - 1) ** 2).mean()
    return float(share * missed + (1 - share) * (norm.cdf(normal) ** 2).mean())


def _f1(targets: np.ndarray, recall: float, specificity: float) -> float:
    negatives, positives = np.bincount(targets)
    shares = np.array([[specificity, 1 - specificity], [1 - recall, recall]])
    return float(f1(shares * [[negatives], [positives]])[1])
