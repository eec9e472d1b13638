"""The diagnosis of curves drawn by hand; how often it is right on real ones is measured in
benchmarks/diagnosis.py.
"""

import json
import re
from dataclasses import replace

import pytest
from full_params import full_params

from raresight.pipeline.training.diagnosis.diagnosis import CAUSES, diagnose, stagnates
from raresight.pipeline.training.diagnosis.divergence import Divergence
from raresight.pipeline.training.diagnosis.history import Epoch
from raresight.pipeline.wording.diagnosis import OUTCOMES, describe
from raresight.pipeline.wording.training import stagnates as told

CHANCE, STEPS = 0.5, 25


def curves(train, val, moves, rates=None):
    """Epochs from losses in shares of a constant prediction's and relative weight changes."""
    rates = rates or flat(0.1, len(train))
    return [
        Epoch(
            epoch=number,
            train_loss=CHANCE * t,
            val_loss=CHANCE * v,
            val_average_precision=0.5,
            val_f1=0.5,
            learning_rate=rate,
            gradient_norm=1.0,
            weight_change=move,
            images_per_second=1.0,
        )
        for number, (t, v, move, rate) in enumerate(zip(train, val, moves, rates, strict=True), 1)
    ]


def flat(value, count=20):
    return [value] * count


def falling(start, end, count=20):
    return [start + (end - start) * k / (count - 1) for k in range(count)]


LEARNED = [*falling(1.0, 0.05, 12), *flat(0.05, 8)]
SHAPES = {
    "converged": (LEARNED, LEARNED, flat(0.1)),
    "overfitting": (LEARNED, [*falling(1.0, 0.6, 6), *falling(0.6, 1.4, 14)], flat(0.1)),
    "underfitting": ([*falling(1.0, 0.8, 6), *flat(0.8, 14)], flat(0.8), flat(0.1)),
    "learning_rate_too_high": (flat(1.02), flat(1.0), [5.0, *flat(0.2, 19)]),
    "learning_rate_too_low": (falling(1.1, 1.05), falling(1.1, 1.05), flat(0.002)),
    "learning_rate_decayed_too_early": (
        [*falling(1.0, 0.7, 6), *flat(0.7, 4)],
        [*falling(1.0, 0.7, 6), *flat(0.7, 4)],
        flat(0.1, 10),
        [*flat(0.1, 6), *flat(0.001, 4)],
    ),
    "not_converged": (falling(1.0, 0.4, 8), falling(1.0, 0.4, 8), flat(0.1, 8)),
    "worse_than_constant": (falling(2.7, 2.5, 8), flat(6.9, 8), flat(0.1, 8)),
}


@pytest.mark.parametrize("cause", SHAPES)
def test_the_textbook_shape_of_each_cause_is_named(cause):
    found = diagnose(curves(*SHAPES[cause]), chance=CHANCE, steps_per_epoch=STEPS)
    assert found.cause == cause
    assert re.search(r"\d", describe(found.cause, found.numbers).evidence)
    json.dumps(found.numbers, allow_nan=False)


@pytest.mark.parametrize("train", [LEARNED, flat(0.3), flat(0.6)])
@pytest.mark.parametrize(("rise", "cause"), [(0.01, "still_improving"), (0.001, None)])
def test_what_still_ranks_better_at_the_end_is_still_improving(train, rise, cause):
    epochs = curves(train, train, flat(0.1))
    rising = [replace(one, val_average_precision=0.5 + rise * one.epoch) for one in epochs]
    found = diagnose(rising, chance=CHANCE, steps_per_epoch=STEPS)
    assert (found.cause == "still_improving") == (cause is not None)
    if cause is not None:
        assert found.numbers["rise_per_epoch"] == pytest.approx(rise)
        assert "train longer" in describe(found.cause, found.numbers).advice
    fallen = [*rising[:-4], *(replace(one, val_average_precision=0.1) for one in rising[-4:])]
    assert diagnose(fallen, chance=CHANCE, steps_per_epoch=STEPS).cause != "still_improving"


def test_a_rising_ranking_wins_over_a_rising_loss():
    """A few sure mistakes make the validation loss grow while the rare class is ranked better."""
    epochs = curves(falling(0.9, 0.02, 20), [*falling(0.9, 0.3, 10), *falling(0.3, 0.6, 10)],
                    flat(0.1))  # fmt: skip
    assert diagnose(epochs, chance=CHANCE, steps_per_epoch=STEPS).cause == "overfitting"
    rising = [replace(one, val_average_precision=0.5 + 0.01 * one.epoch) for one in epochs]
    assert diagnose(rising, chance=CHANCE, steps_per_epoch=STEPS).cause == "still_improving"


@pytest.mark.parametrize("epochs", [2, 8])
@pytest.mark.parametrize(("train", "val"), [(2.72, 6.94), (1.3, 1.1), (0.9, 6.94)])
def test_a_loss_far_above_a_constant_predictions_is_no_reason_to_train_longer(train, val, epochs):
    falls = falling(train + 0.5, train, epochs)
    found = diagnose(
        curves(falls, flat(val, epochs), flat(0.1, epochs)), chance=CHANCE, steps_per_epoch=STEPS
    )
    assert "train longer" not in describe(found.cause, found.numbers).advice


@pytest.mark.parametrize(
    ("weights_per_image", "cause"),
    [(None, "underfitting"), (0.1, "underfitting"), (50.0, "not_learned")],
)
def test_where_weights_are_more_than_enough_capacity_is_not_advised(weights_per_image, cause):
    found = diagnose(
        curves(*SHAPES["underfitting"]),
        chance=CHANCE,
        steps_per_epoch=STEPS,
        weights_per_image=weights_per_image,
    )
    assert found.cause == cause
    advice = describe(found.cause, found.numbers).advice
    assert ("train.model.width" in advice) == (cause == "underfitting")
    assert ("pretrained" in advice) == (cause == "not_learned")


def test_a_gap_that_never_rose_is_overfitting_too():
    found = diagnose(
        curves([*falling(1.0, 0.001, 12), *flat(0.001, 8)], flat(0.2), flat(0.1)),
        chance=CHANCE,
        steps_per_epoch=STEPS,
    )
    assert found.cause == "overfitting"


@pytest.mark.parametrize(
    ("train", "rates"),
    [
        # Nothing more was learned long before the rate fell.
        ([*falling(1.0, 0.7, 6), *flat(0.7, 14)], [*flat(0.1, 12), *flat(0.001, 8)]),
        # The rate never ran out.
        ([*falling(1.0, 0.7, 6), *flat(0.7, 4)], [*flat(0.1, 6), *flat(0.05, 4)]),
    ],
)
def test_a_loss_that_stopped_by_itself_is_underfitting(train, rates):
    moves = flat(0.1, len(train))
    found = diagnose(curves(train, train, moves, rates), chance=CHANCE, steps_per_epoch=STEPS)
    assert found.cause == "underfitting"


def test_the_evidence_of_an_early_decay_is_the_fall_before_it():
    """0.06 of the constant prediction's loss less each epoch, until the rate falls."""
    found = diagnose(
        curves(*SHAPES["learning_rate_decayed_too_early"]), chance=CHANCE, steps_per_epoch=STEPS
    )
    assert found.numbers["fall_per_epoch"] == pytest.approx(0.3 / 5)
    said = describe(found.cause, found.numbers).evidence
    assert said.startswith("the training loss fell by 6.0 % of the constant-prediction loss")
    assert "fallen from 0.1 to 0.001; after 10 epochs" in said


def test_where_it_was_broken_off_is_the_evidence():
    broken = Divergence(epoch=3, loss=None, learning_rate=0.5)
    found = diagnose([], chance=CHANCE, steps_per_epoch=STEPS, divergence=broken)
    assert found.cause == "diverged"
    said = describe(found.cause, found.numbers).evidence
    assert said == "in epoch 3 the loss was not a finite number at learning rate 0.5."


def test_a_training_that_still_falls_is_said_in_the_fields_words():
    """Losses of 1.18, 1.15 and so on of the constant prediction's: 0.03 less each epoch."""
    train = falling(1.18, 1.03, 6)
    found = diagnose(
        curves(train, flat(1.0, 6), flat(0.1, 6)), chance=CHANCE, steps_per_epoch=STEPS
    )
    said = describe(found.cause, found.numbers).evidence
    start = "training loss is 103 % of the constant-prediction loss and still falling"
    assert said.startswith(f"{start} (3.0 % per epoch); after 6 epochs it is 0.515, ")


def test_every_cause_has_words_and_no_words_are_left_over():
    assert set(OUTCOMES) == set(CAUSES)


@pytest.mark.parametrize(
    ("count", "tail"), [(2, 1), (4, 1), (5, 1), (9, 1), (10, 2), (14, 2), (15, 3)]
)
def test_how_fast_the_loss_falls_is_measured_over_the_last_fifth(count, tail):
    """Losses that fall by a tenth of what is left, so that each tail has a slope of its own."""
    losses = [0.9**k for k in range(1, count + 1)]
    last, before = losses[-tail:], losses[-2 * tail : -tail]
    fall = (sum(before) - sum(last)) / tail**2
    found = diagnose(curves(losses, losses, flat(0.1, count)), chance=CHANCE, steps_per_epoch=STEPS)
    assert found.cause == "not_converged"
    assert found.numbers["fall_per_epoch"] == pytest.approx(fall, rel=1e-6)


def test_one_epoch_is_enough_to_be_judged():
    found = diagnose(curves([0.9], [0.9], [0.1]), chance=CHANCE, steps_per_epoch=STEPS)
    assert found.cause == "not_converged"


def test_how_the_task_measures_loss_does_not_matter():
    """All losses ten times as large, with the constant prediction's: the same diagnosis."""
    train, val, moves = SHAPES["overfitting"]
    larger = curves([10 * t for t in train], [10 * v for v in val], moves)
    assert diagnose(larger, chance=10 * CHANCE, steps_per_epoch=STEPS).cause == "overfitting"


@pytest.mark.parametrize("cause", CAUSES)
def test_advice_names_keys_that_params_yaml_has(cause):
    params = full_params()
    for key in re.findall(r"\b(?:train|augment)(?:\.\w+)+", OUTCOMES[cause].advice):
        value = params
        for part in key.split("."):
            assert part in value, key
            value = value[part]


def test_stagnation_is_said_once_and_only_where_nothing_is_learned():
    stuck = curves(flat(1.0), flat(1.0), flat(0.1))
    said = [stagnates(stuck[:count], chance=CHANCE) for count in range(1, 9)]
    assert said == [count == 5 for count in range(1, 9)]
    assert "find-lr" in told(epochs=5, loss=0.5, chance_loss=0.5)
    learning = curves(falling(1.0, 0.5), flat(1.0), flat(0.1))
    assert not stagnates(learning[:5], chance=CHANCE)
