import interval_settings
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom, norm

from raresight.pipeline.evaluation.baselines.constant import majority
from raresight.pipeline.evaluation.decisions.predictions import Task, predict_labels
from raresight.pipeline.evaluation.metrics.ranking import precision_at
from raresight.pipeline.evaluation.prevalence import (
    at_prevalence,
    by_chance,
    deploy,
    reweight_to_prevalence,
)

shares = st.floats(0.01, 0.99)
SETTINGS = interval_settings.settings(0.95, 200)


def reweighted(tp, positives, tn, negatives, *, prevalence):
    counts = np.array([[tn, negatives - tn], [positives - tp, tp]])
    return reweight_to_prevalence(counts, prevalence=prevalence, positive="rare", settings=SETTINGS)


def precision(recall: float, specificity: float, prevalence: float = 1e-4) -> float:
    figures = at_prevalence(recall=recall, specificity=specificity, prevalence=prevalence)
    return figures["precision"]


def test_precision_of_good_classifiers_at_one_in_ten_thousand():
    assert precision(0.99, 0.99) == pytest.approx(0.0098, abs=5e-5)
    assert precision(0.95, 0.99) == pytest.approx(0.0094, abs=5e-5)
    assert precision(0.9, 0.99991) >= 0.5 > precision(0.9, 0.9999)


@pytest.mark.parametrize(
    ("negatives", "bound"), [(1e2, 0.003), (1e3, 0.029), (1e4, 0.23), (1e5, 0.75), (1e6, 0.97)]
)
def test_no_false_alarm_among_few_negatives_promises_little(negatives, bound):
    # The rule of three: no event in n trials leaves a rate of up to 3/n at 95 % confidence.
    assert precision(0.9, 1 - 3 / negatives) == pytest.approx(bound, rel=0.02)


def test_figures_add_up_by_hand():
    # Of 1,000,000 images 1,000 are positive: 800 found, 200 missed, 1 % of 999,000 false alarms.
    figures = at_prevalence(recall=0.8, specificity=0.99, prevalence=0.001)
    assert figures["predicted_positives_per_million"] == pytest.approx(800 + 9_990)
    assert figures["misses_per_million"] == pytest.approx(200)
    assert figures["precision"] == pytest.approx(800 / 10_790)
    assert figures["npv"] == pytest.approx(989_010 / (989_010 + 200))
    assert figures["accuracy"] == pytest.approx(1 - (200 + 9_990) / 1e6)
    assert figures["f1"] == pytest.approx(1_600 / (1_600 + 9_990 + 200))


def test_a_balanced_f1_of_097_hides_a_precision_below_one_percent():
    balanced = at_prevalence(recall=0.95, specificity=0.99, prevalence=0.5)
    assert balanced["f1"] == pytest.approx(0.97, abs=5e-3)


@given(shares, shares, shares)
def test_at_the_own_prevalence_nothing_changes(recall, specificity, prevalence):
    figures = at_prevalence(recall=recall, specificity=specificity, prevalence=prevalence)
    p, r = figures["precision"], figures["recall"]
    assert figures["f1"] == pytest.approx(2 * p * r / (p + r))


@given(st.integers(0, 40), st.integers(0, 400), st.floats(1e-6, 0.5))
def test_every_value_lies_in_its_interval(found, cleared, prevalence):
    figures = reweighted(found, 40, cleared, 400, prevalence=prevalence)
    for name, figure in figures.items():
        if figure.interval is None:
            assert (name, found, cleared) in (("precision", 0, 400), ("npv", 40, 0))
        elif figure.value is None:
            assert name in ("precision", "f1")
            assert cleared == 400  # no false positive
            assert "at least" in figure.reason
        else:
            assert figure.low - 1e-12 <= figure.value <= figure.high + 1e-12


def test_the_reweighted_interval_covers_as_often_as_it_says():
    chance_found = binom.pmf(range(21), 20, 0.85)
    chance_cleared = binom.pmf(range(151), 150, 0.96)
    truth = precision(0.85, 0.96, prevalence=0.01)
    covered = 0.0
    for found, cleared in np.argwhere(np.outer(chance_found, chance_cleared) > 1e-7):
        figures = reweighted(int(found), 20, int(cleared), 150, prevalence=0.01)
        holds = figures["precision"].low <= truth <= figures["precision"].high
        covered += chance_found[found] * chance_cleared[cleared] * holds
    assert covered >= 0.95


def test_without_negatives_nothing_can_be_reweighted():
    figures = reweighted(3, 4, 0, 0, prevalence=0.01)
    assert {figure.value for figure in figures.values()} == {None}
    assert all("negative" in figure.reason for figure in figures.values())


def test_always_negative_is_accurate_and_finds_nobody():
    figures = by_chance(0.0, 1e-4, positive="rare")
    assert figures["accuracy"].value == pytest.approx(0.9999)
    assert figures["recall"].value == 0
    assert figures["precision"].value is None
    assert figures["npv"].value == pytest.approx(0.9999)
    assert figures["misses_per_million"].value == pytest.approx(100)
    useful = at_prevalence(recall=0.9, specificity=0.9999, prevalence=1e-4)
    assert figures["accuracy"].value > useful["accuracy"]


def test_the_lectures_table():
    """A disease in 1 of 10,000: the counts of 100 million people, one by one."""
    sick, well = 10_000, 99_990_000
    good = at_prevalence(recall=0.99, specificity=0.99, prevalence=1e-4)
    found, alarms = sick * 99 // 100, well // 100
    assert good["precision"] == pytest.approx(found / (found + alarms))
    assert round(good["precision"], 4) == 0.0098
    assert good["accuracy"] == pytest.approx(0.99)
    assert good["f1"] == pytest.approx(2 * found / (found + alarms + sick))
    never = by_chance(0.0, 1e-4, positive="rare")
    assert never["accuracy"].value == pytest.approx(0.9999)
    assert never["recall"].value == never["f1"].value == 0
    assert never["precision"].value is None
    assert never["precision"].reason == "nothing was predicted to be 'rare'"


def test_guessing_in_the_share_of_positives_is_right_that_often():
    figures = by_chance(0.01, 0.01, positive="rare")
    for name in ("precision", "recall", "f1"):
        assert figures[name].value == pytest.approx(0.01)
    assert figures["predicted_positives_per_million"].value == pytest.approx(10_000)


def test_scores_without_information_have_the_prevalence_as_average_precision():
    targets = np.repeat([0, 1], [80, 20])
    task = Task(classes=("common", "rare"), positive="rare")
    outcome = majority(task, targets, seen=targets)
    few, enough = (
        deploy(outcome, prevalence=share, settings=SETTINGS, rng=np.random.default_rng(0))
        for share in (0.003, 0.04)
    )
    assert few["average_precision"].low < 0.003 < few["average_precision"].high
    assert few["average_precision"].value is None
    assert enough["average_precision"].value == pytest.approx(0.04)


def test_the_average_precision_is_lower_where_positives_are_rarer(scores):
    targets = np.repeat([0, 1], [300, 100])
    task = Task(classes=("common", "rare"), positive="rare")
    outcome = predict_labels(task, targets, scores(targets, 2, 1.0, 0), threshold=0.5)
    common, rare = (
        deploy(outcome, prevalence=p, settings=SETTINGS, rng=np.random.default_rng(0))[
            "average_precision"
        ]
        for p in (0.25, 0.05)
    )
    assert rare.value < common.value
    assert rare.low < rare.value < rare.high


def bounded(scores, prevalence, *, positives=30, groups=None):
    """The average precision at ``prevalence`` of ``positives`` scores first, and negatives."""
    targets = np.repeat([1, 0], [positives, len(scores) - positives])
    task = Task(classes=("common", "rare"), positive="rare")
    outcome = predict_labels(
        task, targets, np.stack([-scores, scores], axis=1), threshold=0.0, groups=groups
    )
    found = deploy(outcome, prevalence=prevalence, settings=SETTINGS, rng=np.random.default_rng(0))
    return found["average_precision"]


@pytest.mark.parametrize("positives", [10, 30, 100])
@pytest.mark.parametrize("prevalence", [1e-2, 1e-4])
def test_the_average_precision_in_use_is_bounded_as_often_as_it_says(positives, prevalence):
    """2,000 negatives N(0, 1): resampled percentiles held the truth in 7 to 66 %."""
    recall = (np.arange(100_000) + 0.5) / 100_000
    rate = norm.sf(norm.isf(recall) + 2.5)
    truth = precision_at(recall, rate, prevalence).mean()
    draw, held, repeats = np.random.default_rng(positives), 0, 60
    for _ in range(repeats):
        scores = np.concatenate([draw.normal(2.5, size=positives), draw.normal(size=2000)])
        found = bounded(scores, prevalence, positives=positives)
        held += found.low <= truth <= found.high
    assert held >= 53  # P(Binomial(60, .95) < 53) = 0.02


def test_too_few_negatives_for_a_rare_class_are_told_with_how_many_it_takes():
    draw = np.random.default_rng(0)
    scores = np.concatenate([draw.normal(2.5, size=30), draw.normal(size=2000)])
    rare, common = bounded(scores, 1e-4), bounded(scores, 1e-2)
    assert rare.value is None
    assert "30,000 negatives" in rare.reason
    assert "there are 2,000" in rare.reason
    assert rare.high / rare.low > 16
    assert common.low < common.value < common.high
    grouped = bounded(scores, 1e-2, groups=np.arange(2030) // 20)
    assert grouped.high - grouped.low > common.high - common.low


def test_where_no_negative_comes_before_a_positive_it_is_at_least_so_much():
    found = bounded(np.concatenate([np.full(30, 5.0), np.zeros(50_000)]), 1e-4)
    assert (found.value, found.high) == (None, 1.0)
    assert "at least 0." in found.reason
    # By the rule of three the rate may be 3.84 / 50,000 = 7.7e-5 at 95 %: a precision of .56.
    assert 0.4 < found.low < 0.57


def test_no_false_positive_leaves_a_bound_of_the_precision_and_no_value():
    figures = reweighted(27, 30, 6000, 6000, prevalence=1e-4)
    for name in ("precision", "f1"):
        assert figures[name].value is None
        assert figures[name].high > 0.9
    # The rate is at most 4.86 / 6,000 where two intervals hold together at 95 %.
    assert figures["precision"].low == pytest.approx(precision(0.71, 1 - 5 / 6000), rel=0.1)
    assert figures["recall"].value == pytest.approx(0.9)


@pytest.mark.parametrize("positives", [30, 100])
def test_the_interval_of_the_precision_covers_and_is_narrower_than_its_corners(positives):
    recall, rate, negatives, prevalence = 0.85, 0.02, 1000, 0.01
    draw, truth = np.random.default_rng(positives), precision(recall, 1 - rate, prevalence)
    held, widths, repeats = 0, [], 300
    joint = np.sqrt(0.95)
    for _ in range(repeats):
        tp, fp = draw.binomial(positives, recall), draw.binomial(negatives, rate)
        found = reweighted(tp, positives, negatives - fp, negatives, prevalence=prevalence)
        held += found["precision"].low <= truth <= found["precision"].high
        ends = [
            SETTINGS.proportion(*pair, confidence_level=joint)
            for pair in ((tp, positives), (negatives - fp, negatives))
        ]
        corners = [precision(s, c, prevalence) for s in ends[0] for c in ends[1]]
        interval = found["precision"].interval
        widths.append((interval[1] - interval[0], max(corners) - min(corners)))
    assert held / repeats >= 0.93 - 2 * np.sqrt(0.95 * 0.05 / repeats)
    own, corner = np.mean(widths, axis=0)
    assert own < 0.85 * corner


@pytest.mark.parametrize(("positives", "recall"), [(30, 0.6), (100, 0.9)])
@pytest.mark.parametrize(("negatives", "rate"), [(1000, 0.01), (6000, 1e-3)])
def test_the_interval_of_the_precision_covers_by_enumeration(positives, recall, negatives, rate):
    """Over all outcomes by their probability, so without the noise of a simulation."""
    truth = at_prevalence(recall=recall, specificity=1 - rate, prevalence=1e-3)["precision"]
    held = everything = 0.0
    for tp in range(positives + 1):
        for fp in range(int(negatives * rate * 3) + 1):
            share = binom.pmf(tp, positives, recall) * binom.pmf(fp, negatives, rate)
            if share < 1e-5:
                continue
            counts = np.array([[negatives - fp, fp], [positives - tp, tp]])
            found = reweight_to_prevalence(
                counts, prevalence=1e-3, positive="rare", settings=SETTINGS
            )["precision"].interval
            everything += share
            held += share * (found[0] - 1e-12 <= truth <= found[1] + 1e-12)
    assert everything > 0.98
    assert 0.945 <= held / everything <= 0.975
