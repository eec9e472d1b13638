"""The search for a learning rate: its arithmetic by hand, and a whole one on the toy training."""

import math
from functools import partial

import numpy as np
import pytest
import toy_training

from raresight.pipeline.tuning.range_test import (
    RATES,
    RateTrainer,
    break_of,
    ended,
    search,
    smoothed,
)


def test_smoothing_is_the_weighted_mean_of_what_was_seen():
    weights = 0.9 ** np.array([2, 1, 0])
    assert smoothed([1.0, 4.0, 7.0])[-1] == pytest.approx(weights @ [1, 4, 7] / weights.sum())
    assert smoothed([3.0])[0] == pytest.approx(3.0)


def test_the_break_is_where_the_loss_doubles_and_is_worse_than_without_learning():
    still = [3.0] * 20
    assert break_of(np.array([*still, 1.0, 2.1, 2.9, 3.1, 9.0])) == 23
    assert break_of(np.array([*still, 2.0, 3.5, 3.9])) is None
    assert break_of(np.array([0.1, *still, 3.0])) is None  # one lucky batch at the beginning


def test_a_trial_is_judged_by_its_last_quarter_and_only_if_it_ended():
    assert ended(np.array([9.0, 9, 9, 9, 9, 9, 1, 3]), 8) == 2.0
    assert ended(np.array([9.0, 9.0]), 8) == math.inf


def new(rates):
    return toy_training.trainer(kind=partial(RateTrainer, rates=rates), epochs=2)


@pytest.fixture(scope="module")
def found():
    steps = []
    result = search(new, steps=40, on_step=lambda: steps.append(1))
    return result, len(steps)


def test_a_search_suggests_a_rate_that_learns(found):
    result, _ = found
    trained = toy_training.trainer(optimizer={"learning_rate": result.suggestion}, epochs=6).fit()
    assert trained.best.val_average_precision > 0.9


def test_the_suggestion_is_the_best_trial_below_the_break(found):
    result, _ = found
    assert result.suggestion < result.breaks_at <= RATES[-1]
    assert result.trials[result.suggestion] == min(result.trials.values())


def test_the_same_search_finds_the_same(found):
    result, steps = found
    again = search(new, steps=40)
    assert (again.smooth == result.smooth).all()
    assert again.trials == result.trials
    assert steps >= len(result.smooth) + 40
