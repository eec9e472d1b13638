"""The train section: contradictions are refused with both keys named, doubts are said."""

import pytest
from toy_training import train_params

from raresight.pipeline.core.params import NestedProblems
from raresight.pipeline.training.params import doubts

WARM = {"name": "linear", "epochs": 2, "start_factor": 0.0}
PLATEAU = {"name": "on_plateau", "interval": "epoch", "warmup": None, "min_lr_ratio": 0.0}
PLAIN = {"name": "cross_entropy", "label_smoothing": 0.0, "class_weights": None,
         "post_hoc_tau": None}  # fmt: skip
INVERSE = {"name": "inverse", "from_epoch": 0}


def multi_step(*milestones, warmup=None):
    return {
        "name": "multi_step",
        "interval": "epoch",
        "warmup": warmup,
        "milestones": list(milestones),
    }


@pytest.mark.parametrize(
    ("changes", "keys"),
    [
        (
            {"schedule": {"warmup": {**WARM, "epochs": 6}}},
            ("schedule.warmup.epochs (6)", "than epochs (6)"),
        ),
        (
            {"schedule": {"interval": "epoch", "warmup": {**WARM, "epochs": 1.5}}},
            ("schedule.warmup.epochs (1.5)", "schedule.interval is 'epoch'"),
        ),
        ({"schedule": multi_step(3, 6)}, ("schedule.milestones (6)", "epochs (6)")),
        (
            {"schedule": multi_step(1, 3, warmup=WARM)},
            ("schedule.milestones (1)", "schedule.warmup.epochs (2)"),
        ),
        (
            {"schedule": {"name": "step", "warmup": None, "every": 9, "factor": 0.1}},
            ("schedule.every (9)", "epochs (6)"),
        ),
        ({"schedule": {"num_restarts": 6}}, ("schedule.num_restarts (6)", "epochs (6)")),
        (
            {"schedule": PLATEAU, "early_stopping": {"patience": 5, "min_delta": 0.0}},
            ("schedule.patience (5)", "early_stopping.patience (5)"),
        ),
        (
            {"loss": {**PLAIN, "class_weights": {**INVERSE, "from_epoch": 6}}},
            ("loss.class_weights.from_epoch (6)", "epochs (6)"),
        ),
        (
            {"schedule": {"warmup": {**WARM, "name": "exponential"}}},
            ("exponential", "`start_factor`"),
        ),
        ({"schedule": multi_step(3, 3)}, ("`milestones` must rise",)),
    ],
)  # fmt: skip
def test_what_contradicts_itself_is_refused_with_both_keys(changes, keys):
    with pytest.raises((NestedProblems, ValueError)) as caught:
        train_params(**changes)
    for key in keys:
        assert key in str(caught.value)


def test_an_unknown_name_suggests_the_nearest():
    with pytest.raises(NestedProblems, match="Did you mean 'multi_step'"):
        train_params(schedule={"name": "multistep"})


@pytest.mark.parametrize(
    "loss",
    [
        {"name": "logit_adjusted", "tau": 1.0, "label_smoothing": 0.0},
        {**PLAIN, "class_weights": INVERSE},
        {**PLAIN, "post_hoc_tau": 1.0},
    ],
)
def test_a_sampler_beside_a_loss_that_corrects_the_prior_is_doubted(loss):
    (doubt,) = doubts(train_params(loss=loss, sampler={"name": "balanced", "max_per_class": None}))
    assert "train.sampler.name 'balanced'" in doubt
    assert f"train.loss.name '{loss['name']}'" in doubt
    assert not list(doubts(train_params(loss=loss)))


def test_a_sampler_beside_plain_cross_entropy_is_no_doubt():
    assert not list(
        doubts(train_params(loss=PLAIN, sampler={"name": "balanced", "max_per_class": None}))
    )


def test_two_decays_are_doubted():
    (doubt,) = doubts(train_params(regularization={"l2": 0.1}))
    assert "weight_decay" in doubt
    assert "l2" in doubt
