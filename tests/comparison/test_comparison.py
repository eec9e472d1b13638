"""Verdicts on versions whose truth is known, because they were simulated."""

from dataclasses import replace

import interval_settings
import numpy as np
import pytest
from scipy.stats import binom, binomtest

from benchmarks.compare import TASK, simulate, simulated_pair
from benchmarks.compare import verdicts as verdicts_of
from raresight.pipeline.comparison.compare import Side, compare, count_mistakes
from raresight.pipeline.evaluation.decisions.predictions import Task, predict_labels
from raresight.pipeline.runtime.errors import ParamsError

SETTINGS = interval_settings.settings(0.95, 200)


def verdicts(comparison):
    """On the recipes or, where each was trained once, on the models."""
    return {found.name: found.ruling for found in comparison.differences}


def judged(old, new, groups=None, *, num_bootstrap=200, **options):
    """Two versions of one training each."""
    groups = np.arange(len(old.targets)) if groups is None else groups
    sides = (Side(outcomes=(one,)) for one in (old, new))
    settings = replace(SETTINGS, num_bootstrap=num_bootstrap)
    rng = np.random.default_rng(0)
    return compare(*sides, groups, settings=settings, rng=rng, **options)


def test_models_of_equal_skill_are_inconclusive():
    assert_inconclusive([verdicts(simulated_pair(seed)) for seed in range(40)])


def test_recipes_that_differ_by_seed_alone_are_inconclusive_whatever_a_seed_does():
    options = {"trainings": (3, 3), "luck": 0.4, "resamples": 100}
    recipes = [simulated_pair(seed, **options) for seed in range(40)]
    assert_inconclusive([verdicts(one) for one in recipes])
    assert {found.models for one in recipes for found in one.differences} == {None}
    # Of models each, chance alone makes many surely better or worse; the recipes are not blamed.
    options |= {"trainings": (1, 1), "positives": 60}
    models = [simulated_pair(seed, **options) for seed in range(40)]
    called = sum(one.differences[0].models != "inconclusive" for one in models)
    assert called >= 0.2 * 40
    assert {found.verdict for one in models for found in one.differences} == {"unknown"}


def assert_inconclusive(found):
    for name in found[0]:
        settled = sum(one[name] != "inconclusive" for one in found)
        assert settled <= 0.1 * len(found), name


def test_a_better_model_is_better_given_enough_positives_and_never_worse():
    few = [verdicts(simulated_pair(seed, (2.5, 3.0), positives=10)) for seed in range(20)]
    many = [verdicts(simulated_pair(seed, (2.5, 3.0), positives=100)) for seed in range(20)]
    called = [sum(one["average_precision"] == "better" for one in found) for found in (few, many)]
    assert called[0] < called[1]
    assert called[1] >= 19
    assert not [one for one in few + many if "worse" in (one["average_precision"], one["f1"])]


def test_a_better_recipe_is_better_given_enough_positives_and_trainings():
    options = {"positives": 100, "trainings": (4, 4), "luck": 0.1, "resamples": 100}
    found = [verdicts(simulated_pair(seed, (2.5, 3.2), **options)) for seed in range(10)]
    assert sum(one["average_precision"] == "better" for one in found) >= 9
    assert not [one for one in found if "worse" in one.values()]


def test_the_number_of_positives_asked_for_settles_it():
    small = [simulated_pair(seed, (2.4, 3.0), positives=15) for seed in range(12)]
    asked = [
        15 * leading.sample_size_factor
        for leading in (comparison.differences[0] for comparison in small)
        if leading.ruling == "inconclusive" and leading.difference > 0.05
    ]
    # Observed differences differ, so the sizes asked for do; their median is a fair result.
    positives = int(np.median(asked))
    large = [
        verdicts(simulated_pair(100 + seed, (2.4, 3.0), positives=positives)) for seed in range(12)
    ]
    assert sum(one["average_precision"] == "better" for one in large) >= 8


def test_the_same_answers_are_identical():
    targets, (scores, other) = simulate(
        np.random.default_rng(0), (3, 3), positives=20, negatives=100
    )
    outcome = predict_labels(TASK, targets, scores, threshold=0.5)
    comparison = judged(outcome, outcome)
    assert comparison.identical
    assert set(verdicts(comparison).values()) == {"identical"}
    assert {found.difference for found in comparison.differences} == {0}
    assert {found.sample_size_factor for found in comparison.differences} == {None}
    assert comparison.mistakes.p_value == 1
    # The same scores with another threshold: what ranks is identical, what decides is not.
    strict = predict_labels(TASK, targets, scores, threshold=0.99)
    found = verdicts(judged(outcome, strict, same_models=True))
    assert {name for name, word in found.items() if word == "identical"} == {
        "average_precision", "roc_auc",
    }  # fmt: skip
    assert not judged(outcome, predict_labels(TASK, targets, other, threshold=0.5)).identical


def test_copies_of_an_image_are_no_further_evidence():
    targets, scores = simulate(np.random.default_rng(5), (2.2, 3.2), positives=12, negatives=100)
    rows = np.repeat(np.arange(len(targets)), 9)
    old, new = (predict_labels(TASK, targets[rows], s[rows], threshold=0.5) for s in scores)
    strangers, copies = (
        judged(old, new, groups, num_bootstrap=300).differences[0]
        for groups in (np.arange(len(rows)), rows)
    )
    # Nine copies a source: were they strangers, the interval would be three times as narrow.
    ratio = (copies.high - copies.low) / (strangers.high - strangers.low)
    assert ratio == pytest.approx(3, rel=0.25)


def test_mcnemar_counts_the_images_that_changed_sides():
    targets = np.repeat([0, 1], [10, 10])
    right = np.stack([1 - targets, targets], axis=1).astype(float)
    old, new = right.copy(), right.copy()
    old[:7] = old[:7, ::-1]  # seven mistakes of the old
    new[6:8] = new[6:8, ::-1]  # one of them stays, one is new
    outcomes = [predict_labels(TASK, targets, scores, threshold=0.5) for scores in (old, new)]
    found = count_mistakes(*outcomes)
    assert (found.fixed, found.regressed, found.both) == (6, 1, 1)
    assert found.p_value == pytest.approx(binomtest(6, 7).pvalue) == pytest.approx(16 / 128)


def test_the_accuracy_has_to_pass_mcnemars_test_too():
    # Four fixed mistakes and none new: every interval excludes 0, the exact test gives 1/8.
    targets = np.repeat([0, 1], [30, 10])
    right = np.stack([1 - targets, targets], axis=1).astype(float)
    old = right.copy()
    old[:4] = old[:4, ::-1]
    outcomes = [predict_labels(TASK, targets, scores, threshold=0.5) for scores in (old, right)]
    comparison = judged(*outcomes, num_bootstrap=500)
    (accuracy,) = (one for one in comparison.differences if one.name == "accuracy")
    assert accuracy.low > 0
    assert comparison.mistakes.p_value == pytest.approx(1 / 8)
    assert accuracy.models == "inconclusive"
    assert "McNemar" in accuracy.reason


def test_without_a_positive_class_all_classes_count_alike():
    task = Task(classes=("a", "b", "c"), positive=None)
    rng = np.random.default_rng(0)
    targets = np.repeat([0, 1, 2], 60)
    weak, strong = (rng.dirichlet(np.ones(3), 180) for _ in range(2))
    strong[np.arange(180), targets] += 2
    old, new = (predict_labels(task, targets, scores) for scores in (weak, strong))
    comparison = judged(old, new)
    assert set(verdicts(comparison).values()) == {"better"}
    assert comparison.differences[0].name == "macro_average_precision"
    assert set(verdicts(judged(new, old)).values()) == {"worse"}


def test_the_same_models_decided_otherwise_have_a_verdict_without_further_trainings():
    targets, (scores, _) = simulate(np.random.default_rng(4), (3, 3), positives=60, negatives=600)
    strict, lax = (predict_labels(TASK, targets, scores, threshold=at) for at in (0.999, 0.9))
    apart, same = (judged(strict, lax, same_models=flag) for flag in (False, True))
    recall = [one.name for one in apart.differences].index("recall")
    assert (apart.differences[recall].verdict, same.differences[recall].verdict) == (
        "unknown",
        "better",
    )
    assert {found.models for found in same.differences} == {None}


def test_the_primary_metric_is_the_one_asked_for():
    targets, (old, new) = simulate(np.random.default_rng(1), (2, 3), positives=60, negatives=600)
    outcomes = [predict_labels(TASK, targets, scores, threshold=0.9) for scores in (old, new)]
    found = judged(*outcomes, primary="recall").differences
    usual = {one.name: one for one in judged(*outcomes).differences}
    assert found[0].name == "recall"
    assert {one.name for one in found} == set(usual)
    assert found[0].p_adjusted == found[0].p == usual["recall"].p
    with pytest.raises(ParamsError, match=r"'recal'.*recall"):
        judged(*outcomes, primary="recal")


@pytest.mark.parametrize(("skill", "positives"), [(0.3, 10), (0.3, 30), (2.0, 30)])
def test_versions_that_do_not_differ_get_a_false_verdict_as_rarely_as_said(skill, positives):
    # Each of six metrics at 5 % erred somewhere in one pair of six, near chance in one of five.
    settings = {"positives": positives, "negatives": 200, "resamples": 400}
    pairs = [simulated_pair(seed, (skill, skill), **settings) for seed in range(50)]
    found = verdicts_of(pairs)
    assert found.any <= binom.ppf(0.99, 50, 0.06) / 50
    assert found.any <= found.unadjusted
