"""Intervals and point metrics of many scores, beside scikit-learn called for each.

The peer draws rows and calls scikit-learn for precision, recall, F1, average precision and ROC-AUC,
once a resample. Nobody waits for 2,000 of them: a few are timed, and the time scaled.
"""

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from benchmarks.measure import Goal, Measurement, Sizes, Timer, clock, interleave
from raresight.pipeline.evaluation.assessment import assess_values
from raresight.pipeline.evaluation.decisions.predictions import Task, predict_labels
from raresight.pipeline.evaluation.metrics import confusion
from raresight.pipeline.evaluation.metrics.ranking import curve, rank
from raresight.pipeline.evaluation.metrics.registry import METRICS
from raresight.pipeline.evaluation.metrics.table import ranking_quality
from raresight.pipeline.evaluation.uncertainty.resampling import (
    resample_rankings,
    smooth_confusion,
)
from raresight.pipeline.evaluation.uncertainty.row_bootstrap import resample_quality

RESAMPLES = 2000
_TIMED = 2  # resamples of the peer in a round
_LARGE = 1_000_000
TASK = Task(classes=("common", "rare"), positive="rare")


def measure(folder: Path, sizes: Sizes) -> Iterator[Measurement]:
    """Half of the rows are positive: a rare class has few levels, and costs us next to nothing."""
    for rows in sizes.judged:
        yield from _of_rows(rows, sizes.rounds)


def _of_rows(rows: int, rounds: int) -> Iterator[Measurement]:
    rng = np.random.default_rng(0)
    positive = np.arange(rows) < rows // 2
    scores = 1 / (1 + np.exp(-rng.normal(size=rows) - 1.5 * positive + 0.75))
    actual, called = positive.astype(int), (scores >= 0.5).astype(int)
    work = {
        "binned": lambda: _binned(scores, positive, rng),
        "exact": lambda: _exact(scores, positive, rng),
        "decisions": lambda: _decisions(actual, called, rng),
        "points": lambda: _points(scores, positive),
        "points of scikit-learn": lambda: _peer_points(scores, positive),
    }
    timers = {name: clock(task) for name, task in work.items()}
    peer = _scaled(lambda: _peer_resamples(scores, positive, rng))
    seconds = dict(
        zip((*timers, "peer"), interleave(*timers.values(), peer, rounds=rounds), strict=True)
    )
    loop = f"scikit-learn in a loop ({_TIMED} resamples timed, scaled)"
    ratio = 1500 if rows >= _LARGE else 150
    named = (
        ("binned", "P, R, F1, AP, ROC-AUC, binned", Goal(kind="speed-up", bound=ratio)),
        ("exact", "P, R, F1, AP, ROC-AUC, exact", Goal(kind="speed-up", bound=75)),
        ("decisions", "P, R, F1 alone", Goal(kind="seconds", bound=0.005)),
    )
    for name, what, goal in named:
        yield Measurement(
            what=f"{RESAMPLES:,} resamples of {what}; {rows:,} rows",
            peer=loop,
            ours=seconds[name],
            theirs=seconds["peer"],
            goal=goal,
        )
    yield Measurement(
        what=f"curves and point metrics; {rows:,} rows",
        peer="a call of scikit-learn for each",
        ours=seconds["points"],
        theirs=seconds["points of scikit-learn"],
        goal=Goal(kind="speed-up", bound=9),
    )


def _binned(scores: np.ndarray, positive: np.ndarray, rng: np.random.Generator) -> None:
    _decisions(positive.astype(int), (scores >= 0.5).astype(int), rng)
    resample_rankings(
        *([rank(scores, positive)], positive.astype(int), ranking_quality),
        resamples=RESAMPLES,
        rng=rng,
    )


def _exact(scores: np.ndarray, positive: np.ndarray, rng: np.random.Generator) -> None:
    _decisions(positive.astype(int), (scores >= 0.5).astype(int), rng)
    ranking = rank(scores, positive)
    resample_quality([ranking], positive.astype(int), resamples=RESAMPLES, rng=rng)


def _decisions(actual: np.ndarray, called: np.ndarray, rng: np.random.Generator) -> None:
    counts = confusion.confusion(actual, called, num_classes=2)
    drawn = smooth_confusion(counts, resamples=RESAMPLES, rng=rng)
    for name in ("precision", "recall", "f1"):
        values = METRICS[name].decided(drawn)
        assert values is not None
        np.quantile(values[:, 1], [0.025, 0.975])


def _points(scores: np.ndarray, positive: np.ndarray) -> None:
    """Every metric of both classes, and both curves."""
    both = np.stack([1 - scores, scores], axis=1)
    outcome = predict_labels(TASK, positive.astype(int), both, threshold=0.5)
    assess_values(outcome)
    curve(outcome.main_ranking)


def _peer_points(scores: np.ndarray, positive: np.ndarray) -> None:
    """What :func:`_points` gives, by one call each."""
    from sklearn import metrics as sk

    called, others = scores >= 0.5, 1 - scores
    for average in ("binary", "macro", "weighted"):
        sk.precision_score(positive, called, average=average)
        sk.recall_score(positive, called, average=average)
        sk.f1_score(positive, called, average=average)
    sk.recall_score(~positive, ~called)
    sk.precision_score(~positive, ~called)
    sk.f1_score(~positive, ~called)
    sk.accuracy_score(positive, called)
    sk.balanced_accuracy_score(positive, called)
    sk.matthews_corrcoef(positive, called)
    sk.confusion_matrix(positive, called)
    for truth, score in ((positive, scores), (~positive, others)):
        sk.roc_auc_score(truth, score)
        sk.average_precision_score(truth, score)
    sk.roc_curve(positive, scores)
    sk.precision_recall_curve(positive, scores)


def _peer_resamples(scores: np.ndarray, positive: np.ndarray, rng: np.random.Generator) -> None:
    from sklearn import metrics as sk

    kinds = np.flatnonzero(positive), np.flatnonzero(~positive)
    for _ in range(_TIMED):
        rows = np.concatenate([rng.choice(kind, len(kind)) for kind in kinds])
        truth, score = positive[rows], scores[rows]
        called = score >= 0.5
        sk.precision_score(truth, called)
        sk.recall_score(truth, called)
        sk.f1_score(truth, called)
        sk.average_precision_score(truth, score)
        sk.roc_auc_score(truth, score)


def _scaled(work) -> Timer:
    timer = clock(work)
    return lambda: timer() * RESAMPLES / _TIMED
