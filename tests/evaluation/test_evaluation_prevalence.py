import interval_settings
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom

from raresight.pipeline.evaluation.baselines.constant import majority
from raresight.pipeline.evaluation.decisions.predictions import Task, predict_labels
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
        if figure.value is None:
            assert (name, found, cleared) in (("precision", 0, 400), ("npv", 40, 0))
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
    figures = deploy(outcome, prevalence=0.003, settings=SETTINGS, rng=np.random.default_rng(0))
    assert figures["average_precision"].value == pytest.approx(0.003)


def test_the_average_precision_is_lower_where_positives_are_rarer(scores):
    targets = np.repeat([0, 1], [300, 100])
    task = Task(classes=("common", "rare"), positive="rare")
    outcome = predict_labels(task, targets, scores(targets, 2, 1.0, 0), threshold=0.5)
    common, rare = (
        deploy(outcome, prevalence=p, settings=SETTINGS, rng=np.random.default_rng(0))[
            "average_precision"
        ]
        for p in (0.25, 0.01)
    )
    assert rare.value < common.value
    assert rare.low < rare.value < rare.high
