import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import norm
from sklearn import metrics as sk

from raresight.pipeline.evaluation.metrics.ranking import (
    average_precision,
    curve,
    hanley_mcneil_variance,
    precision_at,
    rank,
    roc_auc,
)

rows = st.lists(st.tuples(st.integers(0, 8), st.booleans()), min_size=2, max_size=60).filter(
    lambda rows: len({positive for _, positive in rows}) == 2
)


def split(rows):
    """Scores with many ties, and which rows are positive."""
    scores, positive = zip(*rows, strict=True)
    return np.array(scores) / 8, np.array(positive)


@given(rows)
def test_agrees_with_scikit_learn_with_ties(rows):
    scores, positive = split(rows)
    counts = rank(scores, positive).counts()
    expected = sk.average_precision_score(positive, scores)
    assert average_precision(*counts) == pytest.approx(expected, abs=1e-9)
    assert roc_auc(*counts) == pytest.approx(sk.roc_auc_score(positive, scores), abs=1e-9)


@given(rows, st.floats(1e-4, 0.9))
def test_reweighting_is_weighting_the_negatives(rows, prevalence):
    scores, positive = split(rows)
    odds = (1 - prevalence) / prevalence
    weights = np.where(positive, 1.0, odds * positive.sum() / (~positive).sum())
    expected = sk.average_precision_score(positive, scores, sample_weight=weights)
    counts = rank(scores, positive).counts()
    assert average_precision(*counts, prevalence=prevalence) == pytest.approx(expected, abs=1e-9)


@given(rows)
def test_only_the_order_of_the_scores_matters(rows):
    scores, positive = split(rows)
    plain, bent = rank(scores, positive), rank(np.exp(7 * scores), positive)
    assert (plain.level == bent.level).all()


@given(rows)
def test_neighbouring_scores_of_negatives_alone_share_a_level(rows):
    scores, positive = split(rows)
    ranking = rank(scores, positive)
    positives, negatives = ranking.counts()
    lonely = positives == 0
    assert not (lonely[1:] & lonely[:-1]).any()
    assert positives.sum() + negatives.sum() == len(scores)


@given(rows)
def test_a_row_of_a_higher_score_never_has_a_lower_rank(rows):
    scores, positive = split(rows)
    level = rank(scores, positive).level
    order = np.argsort(-scores, kind="stable")
    assert (np.diff(level[order]) >= 0).all()
    assert level.min() == 0


@given(rows)
def test_the_curve_ends_where_everything_is_called_positive(rows):
    scores, positive = split(rows)
    points = curve(rank(scores, positive))
    last = (points.recall[-1], points.precision[-1], points.false_positive_rate[-1])
    assert last == pytest.approx((1, positive.mean(), 1))
    gained = np.diff(points.recall, prepend=0)
    expected = sk.average_precision_score(positive, scores)
    assert (gained * points.precision).sum() == pytest.approx(expected)


def test_a_long_curve_is_thinned_and_keeps_its_ends():
    positive = np.arange(400) % 2 == 0
    whole = curve(rank(np.linspace(1, 0, 400), positive))
    thin = curve(rank(np.linspace(1, 0, 400), positive), max_points=10)
    assert len(thin.recall) == 10
    assert (thin.recall[0], thin.recall[-1]) == (whole.recall[0], 1)


def test_average_precision_falls_with_the_prevalence():
    # Scores at the quantiles of N(2, 1) and N(0, 1): ROC-AUC = Phi(2 / sqrt 2) = 0.921, and
    # the integral of precision over recall is 0.92 at one half and 0.009 at 1 in 10,000.
    positives = norm.ppf((np.arange(2_000) + 0.5) / 2_000) + 2
    negatives = norm.ppf((np.arange(500_000) + 0.5) / 500_000)
    positive = np.repeat([True, False], [2_000, 500_000])
    counts = rank(np.concatenate([positives, negatives]), positive).counts()
    assert roc_auc(*counts) == pytest.approx(norm.cdf(np.sqrt(2)), abs=1e-4)
    assert average_precision(*counts, prevalence=0.5) == pytest.approx(0.92, abs=5e-3)
    assert average_precision(*counts, prevalence=1e-4) == pytest.approx(0.009, abs=2e-3)


def test_without_positives_nothing_is_ranked():
    counts = rank(np.array([0.2, 0.9]), np.array([False, False])).counts()
    assert np.isnan(average_precision(*counts))
    assert np.isnan(roc_auc(*counts))


def test_without_negatives_only_the_own_prevalence_has_an_average_precision():
    counts = rank(np.array([0.2, 0.9]), np.array([True, True])).counts()
    assert average_precision(*counts) == 1
    assert np.isnan(average_precision(*counts, prevalence=0.1))
    assert np.isnan(roc_auc(*counts))


@given(rows)
def test_the_curves_are_those_of_scikit_learn(rows):
    scores, positive = split(rows)
    points = curve(rank(scores, positive))
    for k, threshold in enumerate(points.threshold):
        called = scores >= threshold
        assert points.recall[k] == pytest.approx(called[positive].mean())
        assert points.precision[k] == pytest.approx(positive[called].mean())
        assert points.false_positive_rate[k] == pytest.approx(called[~positive].mean())
    # Between the points only negatives lie, so that no point that matters is left out.
    precision, recall, _ = sk.precision_recall_curve(positive, scores)
    best = max(precision[recall >= 0.5])
    assert max(points.precision[points.recall >= 0.5]) == pytest.approx(best)


@given(rows, st.integers(2, 20))
def test_binning_keeps_the_rows_and_their_order(rows, most):
    scores, positive = split(rows)
    ranking = rank(scores, positive)
    coarse = ranking.binned(most)
    assert coarse.num_levels <= most or coarse is ranking
    assert [counts.sum() for counts in coarse.counts()] == [positive.sum(), (~positive).sum()]
    order = np.argsort(ranking.level, kind="stable")
    assert (np.diff(coarse.level[order]) >= 0).all()
    for level, lowest in enumerate(coarse.lowest):
        assert (scores[coarse.level <= level] >= lowest).all()
        assert (scores[coarse.level > level] < lowest).all()


def test_hanley_and_mcneils_variance_is_that_of_exponential_scores():
    # P(E(1) * a > E(1)) = a / (1 + a): a scale of 4 gives an AUC of 0.8.
    draw = np.random.default_rng(0)
    positive = np.arange(60) < 20
    found = []
    for _ in range(4000):
        scores = draw.exponential(size=60) * np.where(positive, 4, 1)
        found.append(float(roc_auc(*rank(scores, positive).counts())))
    expected = hanley_mcneil_variance(0.8, positives=20, negatives=40)
    assert np.var(found) == pytest.approx(expected, rel=0.1)


def test_one_kind_alone_has_half_a_curve():
    points = curve(rank(np.array([0.2, 0.9]), np.array([False, False])))
    assert np.isnan(points.recall).all()
    assert (points.precision == 0).all()


def test_precision_at_a_prevalence_is_that_of_the_lecture():
    found = precision_at(np.array([0.99, 0.9, 0.0]), np.array([0.01, 0.0, 0.0]), 1e-4)
    assert found[:2] == pytest.approx([0.0098, 1.0], abs=5e-5)
    assert np.isnan(found[2])  # nothing is called
