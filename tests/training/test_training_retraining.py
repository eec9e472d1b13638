"""Two stages: the features stay to the bit, the last layer is learned anew on balanced classes."""

import numpy as np
import torch
from toy_training import trainer

from raresight.pipeline.training.classifier_retraining import joined, retrainer

STAGE = {"epochs": 2, "learning_rate": 0.01}
CHANGES = {"epochs": 3, "classifier_retraining": STAGE, "ema": {"decay": 0.9}}


def both():
    first = trainer(**CHANGES)
    one = first.fit()
    kept = {name: weight.clone() for name, weight in one.weights.items()}
    second = retrainer(first)
    return kept, one, second, second.fit()


def test_only_the_last_layer_changes():
    kept, _, _, two = both()
    for name, weight in two.weights.items():
        same = torch.equal(weight, kept[name])
        assert same == (not name.startswith("network.head.")), name


def test_the_second_stage_counts_every_class_alike_and_its_scores_say_so():
    _, _, second, _ = both()
    counts = second.class_counts(0)
    assert abs(int(counts[0]) - int(counts[1])) <= 1
    prior = second.params.loss.score_prior(counts, 0)
    assert np.abs(prior - 0.5).max() < 0.01


def test_the_curves_of_both_stages_follow_each_other():
    _, one, _, two = both()
    result = joined(one, two)
    assert [epoch.epoch for epoch in result.epochs] == [1, 2, 3, 4, 5]
    assert result.best.epoch == 3 + two.best.epoch
    assert result.weights is two.weights


def test_it_is_reproducible_and_the_last_layer_begins_anew():
    torch.manual_seed(1)
    _, _, _, one = both()
    torch.manual_seed(2)
    _, _, _, two = both()
    for name, weight in one.weights.items():
        assert torch.equal(weight, two.weights[name]), name
    first = trainer(**CHANGES)
    before = first.fit().weights["network.head.weight"].clone()
    assert not torch.equal(retrainer(first).model.network.head.weight, before)


def test_the_second_stage_still_finds_the_squares():
    *_, two = both()
    assert two.best.val_average_precision > 0.9
