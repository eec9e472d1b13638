import interval_settings
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn import metrics as sk
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.calibration import CalibratedClassifierCV
from sklearn.frozen import FrozenEstimator

from raresight.pipeline.evaluation.metrics.calibration import (
    Calibrator,
    brier_parts,
    calibration_error,
    calibration_figures,
    fit_calibrator,
    reliability,
)

SETTINGS = interval_settings.settings()


def softmax(logits: np.ndarray) -> np.ndarray:
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)


def likelihoods(targets: np.ndarray, num_classes: int, seed: int) -> np.ndarray:
    """Log-likelihoods (n, K), up to a constant, of points drawn around a corner for each class."""
    noise = np.random.default_rng(seed).normal(size=(len(targets), num_classes))
    return 2 * (2 * np.eye(num_classes)[targets] + noise)  # log N(x; 2 e_k, 1) = 2 x_k - ...


class Given(ClassifierMixin, BaseEstimator):
    """A classifier whose features are its logits."""

    classes_ = np.arange(3)

    def __sklearn_is_fitted__(self):
        return True

    def fit(self, features, targets):
        return self

    def decision_function(self, features):
        return features

    def predict(self, features):
        return features.argmax(axis=1)


def test_where_all_classes_are_alike_the_temperature_is_that_of_scikit_learn():
    targets = np.arange(1500) % 3
    logits = 3 * likelihoods(targets, 3, 0)  # three times too sure
    peer = CalibratedClassifierCV(FrozenEstimator(Given()), method="temperature", ensemble=False)
    expected = peer.fit(logits, targets).predict_proba(logits)
    fitted = fit_calibrator(softmax(logits), targets, assumed=np.full(3, 1 / 3))
    np.testing.assert_allclose(fitted(softmax(logits)), expected, atol=2e-3)
    assert fitted.temperature == pytest.approx(3, rel=0.1)


def rare_case(seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Targets with 3 % positives, their log-likelihoods, and the true posteriors."""
    targets = (np.random.default_rng(seed).random(20_000) < 0.03).astype(int)
    logits = likelihoods(targets, 2, seed + 1)
    return targets, logits, softmax(logits + np.log([0.97, 0.03]))


@pytest.mark.parametrize("assumed", [[0.5, 0.5], [0.8, 0.2], None])
def test_the_prior_that_training_changed_is_put_right(assumed):
    targets, logits, truth = rare_case(0)
    shown = [0.7, 0.3] if assumed is None else assumed
    scores = softmax(logits + np.log(shown))
    known = None if assumed is None else np.array(assumed)
    calibrator = fit_calibrator(scores, targets, assumed=known)
    assert calibrator.temperature == pytest.approx(1, abs=0.05)
    assert np.abs(scores - truth).mean() > 0.04
    assert np.abs(calibrator(scores) - truth).mean() < 0.002
    if assumed is None:
        np.testing.assert_allclose(calibrator.assumed, shown, atol=0.03)


@pytest.mark.parametrize(
    ("sharper", "found"), [(60, 20), (12, 12), (1 / 12, 1 / 12), (1 / 60, 1 / 20)]
)
def test_a_temperature_is_sought_between_a_twentieth_and_twenty(sharper, found):
    """Logits that are right but for a factor are put right by that temperature, or by the nearest
    that is allowed."""
    targets = np.arange(6000) % 2
    scores = softmax(sharper * likelihoods(targets, 2, 3))
    fitted = fit_calibrator(scores, targets, assumed=np.array([0.5, 0.5]))
    assert fitted.temperature == pytest.approx(found, rel=1e-6 if found in (20, 1 / 20) else 0.1)


@pytest.mark.parametrize("rare", [0, 1])
def test_unknown_shares_are_sought_within_odds_of_e_to_the_twentieth(rare):
    """Every image has the same score, of odds beyond that, and half of them are positive."""
    scores = np.full((100, 2), 1.0)
    scores[:, rare] = 1e-12
    fitted = fit_calibrator(scores, np.arange(100) % 2, assumed=None)
    odds = np.log(fitted.assumed[1 - rare] / fitted.assumed[rare])
    assert odds == pytest.approx(20, abs=1e-6)


def test_calibration_keeps_the_order_of_two_classes():
    targets, logits, _ = rare_case(2)
    scores = softmax(4 * logits)[:500]
    calibrated = fit_calibrator(scores, targets[:500], assumed=np.array([0.5, 0.5]))(scores)
    order = np.argsort(scores[:, 1])
    assert (np.diff(calibrated[order, 1]) >= 0).all()
    np.testing.assert_allclose(calibrated.sum(axis=1), 1)


def test_a_score_of_nought_stays_a_number():
    calibrator = Calibrator(assumed=np.array([0.5, 0.5]), prior=np.array([0.9, 0.1]))
    assert np.isfinite(calibrator(np.array([[0.0, 1.0], [1.0, 0.0]]))).all()


events = st.lists(st.tuples(st.integers(0, 10), st.booleans()), min_size=1, max_size=60)


def columns(events) -> tuple[np.ndarray, np.ndarray]:
    tenths, happened = zip(*events, strict=True)
    return np.array(tenths) / 10, np.array(happened)


@given(events)
def test_the_parts_add_up_to_the_brier_score_of_scikit_learn(events):
    score, happened = columns(events)
    parts = brier_parts(score, happened)
    total = parts["brier_miscalibration"] - parts["brier_discrimination"]
    assert total + parts["brier_uncertainty"] == pytest.approx(parts["brier"])
    assert parts["brier"] == pytest.approx(((score - happened) ** 2).mean())
    assert parts["brier_miscalibration"] >= -1e-12
    assert parts["brier_discrimination"] >= -1e-12
    if 0 < happened.sum() < len(happened):
        expected = sk.brier_score_loss(happened, score, scale_by_half=True)
        assert parts["brier"] == pytest.approx(expected)


def test_a_score_that_knows_all_has_no_miscalibration_and_all_discrimination():
    happened = np.arange(10) < 3
    parts = brier_parts(happened.astype(float), happened)
    assert parts["brier"] == parts["brier_miscalibration"] == 0
    assert parts["brier_discrimination"] == pytest.approx(0.21)
    base = brier_parts(np.full(10, 0.3), happened)
    assert base["brier_discrimination"] == pytest.approx(0, abs=1e-12)


@given(events, st.integers(1, 20), st.booleans())
def test_bins_hold_every_image_once_in_order(events, bins, by_score):
    score, happened = columns(events)
    diagram = reliability(score, happened, bins=bins, settings=SETTINGS, by_score=by_score)
    assert diagram.images.sum() == len(score)
    assert len(diagram.images) <= bins
    assert (np.diff(diagram.score) >= -1e-12).all()
    assert (diagram.images * diagram.observed).sum() == pytest.approx(happened.sum())
    assert (diagram.low <= diagram.observed + 1e-12).all()
    assert (diagram.observed <= diagram.high + 1e-12).all()
    if not by_score and bins <= len(score):
        assert diagram.images.max() - diagram.images.min() <= 1


def test_bins_by_score_expect_as_many_events_each():
    score = np.random.default_rng(0).beta(0.2, 4, 20_000)
    diagram = reliability(score, score > 0.5, bins=10, settings=SETTINGS, by_score=True)
    np.testing.assert_allclose(diagram.score * diagram.images, score.sum() / 10, atol=1)
    assert diagram.images[0] > 10 * diagram.images[-1]


def errors(gap: float, *, images: int, repeats: int = 200) -> np.ndarray:
    """Plain and debiased errors (repeats, 2) of scores that are off by ``gap``, in 10 bins."""
    rng = np.random.default_rng(0)
    found = []
    for _ in range(repeats):
        truth = rng.uniform(0.2, 0.6, images)
        diagram = reliability(truth + gap, rng.random(images) < truth, bins=10, settings=SETTINGS)
        weights = diagram.images / images
        plain = (weights * np.abs(diagram.observed - diagram.score)).sum()
        found.append((plain, calibration_error(diagram)))
    return np.array(found)


def test_the_calibration_error_of_right_scores_is_nought_and_not_the_noise_of_bins():
    plain, debiased = errors(0.0, images=200).mean(axis=0)
    # Each bin's gap is noise of deviation sqrt(.24 / 20) = .11, whose absolute mean is .087.
    assert plain == pytest.approx(0.087, abs=0.01)
    assert debiased < plain / 5


def test_the_calibration_error_of_wrong_scores_is_how_far_they_are_off():
    plain, debiased = errors(0.2, images=2000).mean(axis=0)
    assert plain == pytest.approx(0.2, abs=0.01)
    assert debiased == pytest.approx(0.2, abs=0.01)


def test_figures_of_a_set_in_which_nothing_happens_say_so():
    figures = calibration_figures(
        np.tile([0.9, 0.1], (20, 1)),
        np.zeros(20, int),
        1,
        bins=5,
        settings=SETTINGS,
    )
    assert figures["brier_skill"].value is None
    assert figures["brier_skill"].reason
    assert figures["brier"].value == pytest.approx(0.01)


def test_without_a_positive_class_the_event_is_that_the_best_class_is_right():
    probabilities = np.array([[0.8, 0.1, 0.1], [0.2, 0.5, 0.3], [0.1, 0.1, 0.8]])
    figures = calibration_figures(
        probabilities, np.array([0, 2, 2]), None, bins=3, settings=SETTINGS
    )
    assert figures["brier"].value == pytest.approx((0.2**2 + 0.5**2 + 0.2**2) / 3)
    assert figures["log_loss"].value == pytest.approx(-np.log([0.8, 0.3, 0.8]).mean())
