"""How often `raresight compare` errs, on pairs of versions whose truth is known.

``python -m benchmarks.compare [--pairs 100]`` prints, for each number of positives in the test set,
how often each metric was called better or worse. No time is measured.
"""

import argparse
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence

import numpy as np
from rich.console import Console
from rich.table import Table
from scipy.stats import norm

from pipeline.comparison.compare import Comparison, chosen_again, compare
from pipeline.comparison.verdicts import training_spread
from pipeline.evaluation.outcome import Task, answer
from pipeline.evaluation.params import ThresholdRule
from pipeline.evaluation.ranking import average_precision, rank
from pipeline.evaluation.thresholds import choose

TASK = Task(classes=("common", "rare"), positive="rare")
SHOWN = ("average_precision", "f1", "precision", "recall", "accuracy")
_RULE = ThresholdRule(rule="max_f1")
_SHARED = 0.8  # of the variance of a score is the image's, the rest the training's

Scores = tuple[np.ndarray, Sequence[np.ndarray]]  # targets (n,), and (n, 2) of each version


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
    val: Scores,
    test: Scores,
    *,
    resamples: int,
    seed: int,
    spreads: Mapping[str, float] | None = None,
) -> Comparison:
    """Compare two versions; each has its threshold from its own scores on ``val``."""
    outcomes, thresholds = [], []
    every = np.arange(len(val[0]))
    for on_val, on_test in zip(val[1], test[1], strict=True):
        pick = _picker(val[0], on_val)
        outcomes.append(answer(TASK, test[0], on_test, threshold=pick(every)))
        again = np.random.default_rng(seed)  # the same resamples for both
        thresholds.append(chosen_again(pick, every, val[0], resamples=resamples // 2, rng=again))
    return compare(
        *outcomes,
        np.arange(len(test[0])),
        confidence=0.95,
        resamples=resamples,
        rng=np.random.default_rng([seed, 1]),
        thresholds=tuple(thresholds),
        spreads=spreads,
    )


def _picker(targets: np.ndarray, scores: np.ndarray) -> Callable[[np.ndarray], float]:
    return lambda rows: choose(_RULE, scores[rows, 1], targets[rows] == 1).value


def simulated_pair(
    seed: int,
    skills: Sequence[float] = (3, 3),
    *,
    positives: int = 20,
    negatives: int = 600,
    resamples: int = 200,
) -> Comparison:
    """Two simulated versions, on validation and test sets of one size."""
    rng = np.random.default_rng(seed)
    val, test = (simulate(rng, skills, positives=positives, negatives=negatives) for _ in range(2))
    return judge_pair(val, test, resamples=resamples, seed=seed)


def trained_pairs(count: int, *, replicates: int = 1) -> Iterator[Comparison]:
    """Small networks on scikit-learn's digits, '8' against the rest, that differ by seed alone.

    Each pair is fitted on a split of its own; a third of the images is val and a third test. With
    ``replicates`` each version is trained that often, and the first training is compared.
    """
    from sklearn.datasets import load_digits
    from sklearn.neural_network import MLPClassifier

    images, labels = load_digits(return_X_y=True)
    targets = (labels == 8).astype(int)
    for number in range(count):
        part = np.random.default_rng(number).integers(0, 3, len(targets))
        models = [
            MLPClassifier((12,), max_iter=25, random_state=2 * replicates * number + k).fit(
                images[part == 0] / 16, targets[part == 0]
            )
            for k in range(2 * replicates)
        ]
        val, test = (
            (targets[part == k], [model.predict_proba(images[part == k] / 16) for model in models])
            for k in (1, 2)
        )
        spreads = _spreads(val) if replicates > 1 else None
        pair = [(targets, scores[:2]) for targets, scores in (val, test)]
        yield judge_pair(*pair, resamples=400, seed=number, spreads=spreads)


def _spreads(val: Scores) -> dict[str, float]:
    """The spread over trainings, of which every other one is of the old version."""
    positive = val[0] == 1
    tallies = [rank(scores[:, 1], positive).counts() for scores in val[1]]
    values = {
        "average_precision": [average_precision(*tally) for tally in tallies],
        "f1": [choose(_RULE, scores[:, 1], positive).score for scores in val[1]],
    }
    return {
        name: training_spread(np.array(found[::2]), np.array(found[1::2]), confidence=0.95)
        for name, found in values.items()
    }


def main() -> None:
    """Print the rates at which pairs are called better or worse."""
    parser = argparse.ArgumentParser("python -m benchmarks.compare")
    parser.add_argument("--pairs", type=int, default=100)
    pairs = parser.parse_args().pairs
    table = Table("versions", "positives", *SHOWN, title=f"better / worse, % of {pairs} pairs")
    for title, skills in (("seed alone", (3.0, 3.0)), ("truly better", (2.6, 3.0))):
        for positives in (10, 30, 100):
            options = {"positives": positives, "negatives": 30 * positives, "resamples": 400}
            found = (simulated_pair(seed, skills, **options) for seed in range(pairs))
            table.add_row(title, str(positives), *_rates(found))
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # they are stopped before they converge
        for replicates in (1, 3):
            title = f"digits, seed alone, {replicates} training{'s' * (replicates > 1)} each"
            table.add_row(title, "58", *_rates(trained_pairs(pairs, replicates=replicates)))
    Console(width=110).print(table)


def _rates(comparisons: Iterator[Comparison]) -> list[str]:
    counts, total = Counter(), 0
    for comparison in comparisons:
        total += 1
        counts.update((found.name, found.verdict) for found in comparison.differences)
    return [
        f"{100 * counts[name, 'better'] / total:.0f} / {100 * counts[name, 'worse'] / total:.0f}"
        for name in SHOWN
    ]


if __name__ == "__main__":
    main()
