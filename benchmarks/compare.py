"""How often `raresight compare` errs, on pairs of versions whose truth is known.

``python -m benchmarks.compare [--pairs 100]`` prints, for each number of positives in the test set
and of trainings of each version, how often each metric was called better or worse; with ``--null``,
how often anything at all was called so between versions that do not differ, and how often the
primary metric finds a difference that there is. No time is measured.
"""

import argparse
import sys
import warnings
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from rich.console import Console
from rich.table import Table
from scipy.stats import norm

from raresight.pipeline.comparison.compare import Comparison, Side, compare
from raresight.pipeline.evaluation.decisions.predictions import Task, predict_labels
from raresight.pipeline.evaluation.decisions.thresholds import choose, choose_again
from raresight.pipeline.evaluation.params import EvaluateParams, MaxF1
from raresight.pipeline.evaluation.uncertainty.resampling import row_weights

TASK = Task(classes=("common", "rare"), positive="rare")
SHOWN = ("average_precision", "f1", "precision", "recall", "roc_auc", "accuracy")
_RULE = MaxF1()
_SHARED = 0.8  # of the variance of a score is the image's, the rest the training's
_TRAINED = ((1, 1), (2, 2), (3, 3), (5, 5), (10, 10))
_LUCK = 0.2  # standard deviation of the skill from training to training

Scores = tuple[np.ndarray, Sequence[np.ndarray]]  # targets (n,), and (n, 2) of each training


def simulate(
    rng: np.random.Generator, skills: Sequence[float], *, positives: int, negatives: int
) -> Scores:
    """Targets and the scores of a training each: positives lie ``skill`` further to the right."""
    targets = np.repeat([0, 1], [negatives, positives])
    image = np.sqrt(_SHARED) * rng.normal(size=len(targets))
    scores = []
    for skill in skills:
        own = np.sqrt(1 - _SHARED) * rng.normal(size=len(targets))
        rare = norm.cdf(skill * targets + image + own - 2)
        scores.append(np.stack([1 - rare, rare], axis=1))
    return targets, scores


def judge_pair(
    val: Scores, test: Scores, trainings: tuple[int, int], *, resamples: int, seed: int
) -> Comparison:
    """Compare two versions, the first of the scores being the old one's ``trainings``.

    Each training has its threshold from its own scores on ``val``.
    """
    positive = val[0] == 1
    params = EvaluateParams(num_bootstrap=resamples)
    outcomes, thresholds = [], []
    for on_val, on_test in zip(val[1], test[1], strict=True):
        chosen = choose(_RULE, on_val[:, 1], positive).value
        outcomes.append(predict_labels(TASK, test[0], on_test, threshold=chosen))
        again = np.random.default_rng(seed)  # the same resamples for all
        weights = row_weights(None, val[0], resamples=resamples, rng=again)
        thresholds.append(choose_again(_RULE, on_val[:, 1], positive, weights))
    old, new = slice(trainings[0]), slice(trainings[0], None)
    return compare(
        *(Side(outcomes=tuple(outcomes[k]), thresholds=tuple(thresholds[k])) for k in (old, new)),
        np.arange(len(test[0])),
        settings=params.intervals,
        rng=np.random.default_rng([seed, 1]),
    )


def simulated_pair(
    seed: int,
    skills: tuple[float, float] = (3, 3),
    *,
    positives: int = 20,
    negatives: int = 600,
    resamples: int = 200,
    trainings: tuple[int, int] = (1, 1),
    luck: float = 0.0,
) -> Comparison:
    """Two simulated versions, on validation and test sets of one size.

    ``luck`` is the standard deviation of the skill from training to training.
    """
    rng = np.random.default_rng(seed)
    drawn = np.repeat(skills, trainings) + luck * rng.normal(size=sum(trainings))
    val, test = (simulate(rng, drawn, positives=positives, negatives=negatives) for _ in range(2))
    return judge_pair(val, test, trainings, resamples=resamples, seed=seed)


def trained_pairs(
    count: int, *, trainings: tuple[int, int] = (1, 1), epochs: tuple[int, int] = (25, 25)
) -> Iterator[Comparison]:
    """Small networks on scikit-learn's digits, '8' against the rest, of two recipes.

    They differ by the number of ``epochs`` or, where it is the same, by the seed alone. Each pair
    is fitted on a split of its own; a third of the images is val and a third test.
    """
    from sklearn.datasets import load_digits

    images, labels = load_digits(return_X_y=True)
    targets = (labels == 8).astype(int)
    lengths = np.repeat(epochs, trainings)
    for number in range(count):
        part = np.random.default_rng(number).integers(0, 3, len(targets))
        learned = images[part == 0] / 16, targets[part == 0]
        models = [
            _fit(*learned, epochs=int(length), seed=len(lengths) * number + k)
            for k, length in enumerate(lengths)
        ]
        val, test = (
            (targets[part == k], [model.predict_proba(images[part == k] / 16) for model in models])
            for k in (1, 2)
        )
        yield judge_pair(val, test, trainings, resamples=400, seed=number)


def _fit(images: np.ndarray, targets: np.ndarray, *, epochs: int, seed: int):
    from sklearn.neural_network import MLPClassifier

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # they are stopped before they converge
        return MLPClassifier((12,), max_iter=epochs, random_state=seed).fit(images, targets)


def main() -> None:
    """Print the rates at which pairs are called better or worse."""
    parser = argparse.ArgumentParser("python -m benchmarks.compare")
    parser.add_argument("--pairs", type=int, default=100)
    parser.add_argument("--null", action="store_true", help="any false verdict, and power")
    asked = parser.parse_args()
    table = null_table(asked.pairs) if asked.null else rates_table(asked.pairs)
    Console(width=130).print(table)


# Skill of both, or of the old and the new version: near chance, then what a model may be.
_NULL = ((0.3, 0.3), (2.0, 2.0), (3.0, 3.0))
_REAL = ((2.0, 2.6),)


@dataclass(frozen=True, kw_only=True)
class Verdicts:
    """Shares of pairs: any metric called better or worse, any without adjustment, the primary."""

    any: float
    unadjusted: float
    primary: float


def verdicts(comparisons: Iterable[Comparison], *, level: float = 0.05) -> Verdicts:
    """How often pairs got any verdict but inconclusive."""
    found = []
    for comparison in comparisons:
        called = [one.ruling != "inconclusive" for one in comparison.differences]
        raw = [one.p is not None and one.p < level for one in comparison.differences]
        found.append((any(called), any(raw), called[0]))
    shares = np.mean(found, axis=0).tolist()
    return Verdicts(any=shares[0], unadjusted=shares[1], primary=shares[2])


def null_table(pairs: int) -> Table:
    """Versions that do not differ, whatever the luck of their seeds, and some that do."""
    columns = ("skills", "trainings", "positives", "any verdict", "unadjusted", "primary")
    table = Table(*columns, title=f"called better or worse, % of {pairs} pairs")
    for trainings, luck in (((1, 1), 0.0), ((3, 3), _LUCK)):
        for skills in (*_NULL, *_REAL):
            for positives in (10, 30, 100):
                options = {"positives": positives, "negatives": 600, "resamples": 1000}
                found = verdicts(
                    simulated_pair(seed, skills, trainings=trainings, luck=luck, **options)
                    for seed in range(pairs)
                )
                shares = (found.any, found.unadjusted, found.primary)
                name = f"{skills[0]:g} and {skills[1]:g}"
                cells = [f"{100 * share:.1f}" for share in shares]
                table.add_row(name, _each(trainings), str(positives), *cells)
                print(name, _each(trainings), positives, *cells, file=sys.stderr, flush=True)
    return table


def rates_table(pairs: int) -> Table:
    """Each metric, better and worse; for one training each what is said of the two models."""
    title = f"better / worse, % of {pairs} pairs"
    table = Table("versions", "trainings", "positives", *SHOWN, title=title)
    for name, skills in (("seed alone", (3.0, 3.0)), ("truly better", (2.6, 3.0))):
        for trainings in ((1, 1), (3, 3)):
            for positives in (10, 30, 100):
                options = {"positives": positives, "negatives": 30 * positives, "resamples": 400}
                found = (
                    simulated_pair(seed, skills, trainings=trainings, luck=_LUCK, **options)
                    for seed in range(pairs)
                )
                table.add_row(
                    f"simulated, {name}", _each(trainings), str(positives), *_rates(found)
                )
    for name, epochs in (("seed alone", (25, 25)), ("truly better", (25, 60))):
        for trainings in _TRAINED:
            found = trained_pairs(pairs, trainings=trainings, epochs=epochs)
            table.add_row(f"digits, {name}", _each(trainings), "58", *_rates(found))
    return table


def _each(trainings: tuple[int, int]) -> str:
    return f"{trainings[0]} and {trainings[1]}"


def _rates(comparisons: Iterator[Comparison]) -> list[str]:
    counts, total = Counter(), 0
    for comparison in comparisons:
        total += 1
        counts.update((found.name, found.ruling) for found in comparison.differences)
    return [
        f"{100 * counts[name, 'better'] / total:.0f} / {100 * counts[name, 'worse'] / total:.0f}"
        for name in SHOWN
    ]


if __name__ == "__main__":
    main()
