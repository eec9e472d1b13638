"""Several images of one patient: what they are worth, and that intervals cover all the same."""

from dataclasses import replace

import interval_settings
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import norm

from raresight.pipeline.evaluation.assessment import assess, assess_majority
from raresight.pipeline.evaluation.baselines.constant import majority
from raresight.pipeline.evaluation.decisions.predictions import Task, predict_labels
from raresight.pipeline.evaluation.metrics.calibration import calibration_figures, reliability
from raresight.pipeline.evaluation.prevalence import at_prevalence, deploy
from raresight.pipeline.evaluation.slices import slice_results
from raresight.pipeline.evaluation.uncertainty.effective import (
    effective_counts,
    effective_proportion,
)

TASK = Task(classes=("common", "rare"), positive="rare")
SETTINGS = interval_settings.settings(0.95, 200)
EACH = 4  # images of a patient
SKILL, THRESHOLD, NEGATIVE_PATIENTS = 2.5, 1.8, 60
REPEATS = 150
NOISE = 2 * np.sqrt(0.95 * 0.05 / REPEATS)  # of the simulation


def patients(rng: np.random.Generator, count: int) -> np.ndarray:
    """Scores (count * EACH,) of which half the variance is the patients'."""
    own = np.repeat(rng.normal(size=count), EACH)
    return (own + rng.normal(size=count * EACH)) / np.sqrt(2)


def drawn(rng: np.random.Generator, positive_patients: int):
    """An outcome in which every patient has images of one kind."""
    scores = np.concatenate(
        [patients(rng, NEGATIVE_PATIENTS), patients(rng, positive_patients) + SKILL]
    )
    targets = np.repeat([0, 1], [NEGATIVE_PATIENTS * EACH, positive_patients * EACH])
    both = np.stack([1 - norm.cdf(scores), norm.cdf(scores)], axis=1)
    groups = np.arange(len(scores)) // EACH
    return predict_labels(TASK, targets, both, threshold=norm.cdf(THRESHOLD), groups=groups)


@pytest.mark.parametrize("positive_patients", [5, 10, 30])
def test_intervals_cover_where_images_are_of_few_patients(positive_patients):
    rng = np.random.default_rng(positive_patients)
    recall, specificity = norm.sf(THRESHOLD - SKILL), norm.cdf(THRESHOLD)
    there = at_prevalence(recall=recall, specificity=specificity, prevalence=0.01)
    large = np.concatenate([norm.cdf(rng.normal(size=100_000) + shift) for shift in (0, SKILL)])
    squares = (large - np.repeat([0, 1], 100_000)) ** 2
    share = positive_patients / (positive_patients + NEGATIVE_PATIENTS)
    truth = {
        "recall": recall,
        "specificity": specificity,
        "balanced_accuracy": (recall + specificity) / 2,
        "roc_auc": norm.cdf(SKILL / np.sqrt(2)),
        "brier": (1 - share) * squares[:100_000].mean() + share * squares[100_000:].mean(),
        "deployed recall": recall,
        "deployed precision": there["precision"],
        "deployed f1": there["f1"],
    }
    covered = dict.fromkeys(truth, 0)
    for _ in range(REPEATS):
        outcome = drawn(rng, positive_patients)
        found = dict(assess(outcome, settings=SETTINGS, rng=rng).overall)
        deployed = deploy(outcome, prevalence=0.01, settings=SETTINGS, rng=rng)
        found |= {f"deployed {name}": estimate for name, estimate in deployed.items()}
        found |= calibration_figures(
            outcome.scores, outcome.targets, 1, bins=5, settings=SETTINGS, groups=outcome.groups
        )
        for name, value in truth.items():
            low, high = found[name].interval
            covered[name] += low <= value <= high
    assert {n: k / REPEATS for n, k in covered.items() if k / REPEATS < 0.93 - NOISE} == {}


def test_two_negatives_of_one_patient_change_next_to_nothing():
    """They once turned the interval of 9 of 10 from [0.596, 0.982] into [0.7, 1.0]."""
    targets = np.repeat([0, 1], [200, 10])
    called = np.where(np.arange(210) == 200, 0, targets)
    outcome = predict_labels(TASK, targets, np.eye(2)[called], threshold=0.5)
    groups = np.concatenate([[0], np.arange(209)])
    many = interval_settings.settings(0.95, 4000)
    kept, shared = (
        assess(one, settings=many, rng=np.random.default_rng(0)).overall
        for one in (outcome, replace(outcome, groups=groups))
    )
    assert shared["recall"].interval == kept["recall"].interval
    assert kept["recall"].interval == pytest.approx((0.596, 0.982), abs=5e-4)
    for name, estimate in kept.items():
        if estimate.interval is not None:
            assert shared[name].interval == pytest.approx(estimate.interval, abs=0.02)


def test_the_same_recall_has_the_same_interval_in_every_table():
    targets = np.repeat([0, 1], [400, 400])
    called = np.where(np.arange(800) // 40 < 17, targets, 0)  # 7 of 10 patients found
    outcome = replace(
        predict_labels(TASK, targets, np.eye(2)[called], threshold=0.5),
        groups=np.arange(800) // 40,
    )
    rng = np.random.default_rng(0)
    recall = assess(outcome, settings=SETTINGS, rng=rng).overall["recall"]
    deployed = deploy(outcome, prevalence=0.01, settings=SETTINGS, rng=rng)["recall"]
    half = np.array(["first", "second"] * 400)
    (slice_recall, *_) = slice_results(
        outcome, None, {"half": half}, bins=2, min_images=1, settings=SETTINGS
    )
    assert recall.value == 0.7
    assert deployed.interval == recall.interval
    # Ten patients: about the interval of 7 of 10, not that of 280 of 400.
    assert recall.high - recall.low > 0.45
    assert slice_recall.estimate.high - slice_recall.estimate.low > 0.45
    assert (slice_recall.images, slice_recall.groups) == (200, 10)


def test_all_positives_of_one_patient_have_no_interval_and_a_reason():
    targets = np.repeat([0, 1], [60, 8])
    groups = np.concatenate([np.arange(60), np.full(8, 60)])
    outcome = replace(
        predict_labels(TASK, targets, np.eye(2)[targets], threshold=0.5), groups=groups
    )
    rng = np.random.default_rng(0)
    overall = assess(outcome, settings=SETTINGS, rng=rng).overall
    deployed = deploy(outcome, prevalence=0.01, settings=SETTINGS, rng=rng)
    for estimate in (
        *(overall[name] for name in ("recall", "f1", "roc_auc", "average_precision", "mcc")),
        deployed["recall"],
        deployed["misses_per_million"],
    ):
        assert estimate.value is not None
        assert estimate.interval is None
        assert "8 images are all of one group" in estimate.reason
    assert overall["specificity"].interval is not None


def test_the_majority_row_counts_patients():
    targets = np.repeat([0, 1], [80, 20])
    wide, plain = (
        assess_majority(majority(TASK, targets, seen=targets, groups=groups), SETTINGS)
        for groups in (np.arange(100) // 10, None)
    )
    (low, high), (plain_low, plain_high) = (
        one.overall["accuracy"].interval for one in (wide, plain)
    )
    assert low < plain_low < plain_high < high


def test_a_calibration_bin_of_one_patient_is_known_to_nobody():
    score, happened = np.linspace(0, 1, 40), np.arange(40) >= 20
    found = reliability(score, happened, bins=4, settings=SETTINGS, groups=np.arange(40) // 10)
    assert (found.low.tolist(), found.high.tolist()) == ([0] * 4, [1] * 4)


counted = st.lists(st.tuples(st.integers(0, 6), st.integers(1, 6)), min_size=2, max_size=40)


@given(counted)
def test_groups_are_never_worth_more_than_their_images_nor_less_than_one(counted):
    trials = np.array([size for _, size in counted])
    successes = np.minimum(trials, [found for found, _ in counted])
    found, worth = effective_counts(successes, trials)
    assert found / worth == pytest.approx(successes.sum() / trials.sum())
    assert worth <= trials.sum() + 1e-9
    assert worth > 0.5
    if (trials == 1).all():
        assert worth == trials.sum()


def test_alike_images_of_a_patient_are_worth_one():
    found = np.repeat([1, 0], [60, 40]) * 5
    successes, worth = effective_counts(found, np.full(100, 5))
    assert worth == pytest.approx(100, rel=0.02)
    assert successes == pytest.approx(60, rel=0.02)


def test_patients_whose_images_do_not_resemble_each_other_are_worth_all_of_them():
    draw = np.random.default_rng(0)
    right, groups = draw.random(4000) < 0.7, np.arange(4000) // 4
    _, worth = effective_proportion(right, np.ones(4000, bool), groups)
    assert 3700 < worth <= 4000


def slices_of(rng: np.random.Generator, *, effect: float):
    """Recall slices of 30 patients in two scanners; patients differ, scanners by ``effect``."""
    groups = np.arange(300) // 10
    patient = np.repeat(rng.normal(size=30), 10) * 1.5
    scanner = np.where(groups % 2 == 0, "a", "b")
    right = patient + rng.normal(size=300) + 0.8 - effect * (scanner == "a") > 0
    targets = np.ones(300, int)
    outcome = replace(
        predict_labels(TASK, targets, np.eye(2)[right.astype(int)], threshold=0.5), groups=groups
    )
    found = slice_results(
        outcome, None, {"scanner": scanner}, bins=2, min_images=1, settings=SETTINGS
    )
    return {one.part: one for one in found if one.metric == "recall"}


def test_a_slice_of_a_few_bad_patients_is_not_called_significantly_worse():
    rng, repeats = np.random.default_rng(0), 150
    called = sum(slices_of(rng, effect=0.0)["a"].p < 0.05 for _ in range(repeats))
    assert called <= 14  # P(Binomial(150, .05) > 14) = .01; by Fisher's test alone it is 45
    found = [slices_of(rng, effect=3.0)["a"].p < 0.05 for _ in range(20)]
    assert sum(found) >= 18
