"""What the model is worth beyond the best baseline, and the sentence about it."""

from dataclasses import replace

import numpy as np
import pytest
from interval_settings import settings
from sklearn.metrics import average_precision_score

from raresight.pipeline.core import seeds
from raresight.pipeline.evaluation.baselines.gain import gain_over
from raresight.pipeline.evaluation.baselines.registry import BASELINES
from raresight.pipeline.evaluation.decisions.predictions import Task, predict_labels
from raresight.pipeline.evaluation.evaluate import evaluate
from raresight.pipeline.evaluation.output.results_json import to_results_json
from raresight.pipeline.wording.verdict import plain, verdict


@pytest.fixture
def judged(make_evidence, make_params, scores):
    """The results where the texture baseline has the given skill; the model's is 2, or 0.3."""

    def judge(skill: float, *, positive: str | None = "rare", groups=None, weak: bool = False):
        inputs = make_evidence("normal", "rare", positive=positive)
        drawn = {
            name: scores(inputs.targets[name], 2, skill, seed)
            for seed, name in enumerate(("val", "test"), 7)
        }
        inputs = replace(inputs, baselines={**inputs.baselines, "texture_baseline": drawn})
        if weak:
            low = inputs.baselines["shortcut_baseline"]
            inputs = replace(inputs, model={**low, "perturbed": low["test"]})
        if groups is not None:
            inputs = replace(inputs, groups=dict.fromkeys(("val", "test"), groups))
        return inputs, to_results_json(evaluate(inputs, make_params()))

    return judge


@pytest.mark.parametrize("positive", ["rare", None])
def test_the_gain_is_the_difference_to_the_better_baseline(judged, positive):
    inputs, results = judged(1.0, positive=positive)
    targets = inputs.targets["test"]
    classes = (1,) if positive else (0, 1)
    quality = {
        name: np.mean([average_precision_score(targets == k, of[:, k]) for k in classes])
        for name, of in {
            "test": inputs.model["test"],
            **{name: found["test"] for name, found in inputs.baselines.items()},
        }.items()
    }
    gain = results["gain_over_baselines"]
    assert gain["baseline"] == "texture_baseline"
    assert quality["texture_baseline"] > quality["shortcut_baseline"]
    assert gain["gain"] == pytest.approx(quality["test"] - quality["texture_baseline"])
    assert gain["gain_low"] < gain["gain"] < gain["gain_high"]
    assert results["test"][gain["metric"]] == pytest.approx(quality["test"])


def test_both_are_resampled_together():
    """A model against itself differs by nothing in any resample, though each of them moves."""
    targets = np.arange(200) % 4 // 3
    values = np.random.default_rng(0).random(200) + 0.3 * targets
    outcome = predict_labels(
        Task(classes=("a", "b"), positive="b"),
        targets,
        np.stack([1 - values / 2, values / 2], axis=1),
        threshold=0.5,
    )
    found = gain_over(outcome, {"x": outcome}, settings=settings(), rng=seeds.rng(0, "test", ""))
    assert found is not None
    assert (found.gain.value, found.gain.low) == (0, None)
    assert "all resamples agree" in found.gain.reason


def test_whole_groups_are_resampled(judged):
    """The value stays, and the interval is another one."""
    alone = judged(1.0)[1]["gain_over_baselines"]
    groups = np.arange(80) // 8
    grouped = judged(1.0, groups=groups)[1]["gain_over_baselines"]
    assert grouped["gain"] == pytest.approx(alone["gain"])
    assert (grouped["gain_low"], grouped["gain_high"]) != (alone["gain_low"], alone["gain_high"])


@pytest.mark.parametrize(
    ("skill", "weak", "said"),
    [
        (0.3, False, "It is better than the best baseline"),
        (2.0, False, "It is not shown that a network was needed"),
        (3.0, True, "look for a shortcut or a leak"),
    ],
)
def test_the_verdict_says_whether_a_network_was_needed(judged, skill, weak, said):
    results = judged(skill, weak=weak)[1]
    text = plain(verdict(results))
    gain = results["gain_over_baselines"]
    assert (said in text) or (gain["gain"] <= 0 and "look for a shortcut" in text)
    assert BASELINES[gain["baseline"]].label in text
    assert f"{results[gain['baseline']]['average_precision']:.3f}" in text


def test_scores_alone_have_no_baselines(judged):
    results = judged(0.3)[1]
    del results["gain_over_baselines"]
    assert "baseline" not in plain(verdict(results))
    inputs, _ = judged(0.3)
    assert inputs.baselines.keys() == BASELINES.keys()


def test_with_few_positives_a_permutation_test_has_to_agree(scores):
    """Of models that are alike with 6 positives, few are called better than the other."""
    task, targets = Task(classes=("normal", "rare"), positive="rare"), np.arange(100) // 94
    called = {"interval": 0, "both": 0}
    for seed in range(50):
        model, other = (
            predict_labels(task, targets, scores(targets, 2, 2.0, 2 * seed + side), threshold=0.5)
            for side in (0, 1)
        )
        rng = seeds.rng(seed, "test", "gain")
        found = gain_over(model, {"texture_baseline": other}, settings=settings(), rng=rng)
        above = found.gain.low is not None and found.gain.low > 0
        assert 0 < found.p <= 1
        called["interval"] += above
        called["both"] += above and found.p <= 0.05
    assert called["both"] <= 4  # 2.5 % of 50, and two standard deviations and a half
    assert called["interval"] > called["both"]


def test_the_sentence_needs_both(judged):
    results = judged(0.3)[1]
    assert results["gain_over_baselines"]["p"] <= 0.05
    assert "It is better than the best baseline" in plain(verdict(results))
    results["gain_over_baselines"]["p"] = 0.2
    said = plain(verdict(results))
    assert "It is not shown that a network was needed" in said
    assert ", p 0.2." in said
