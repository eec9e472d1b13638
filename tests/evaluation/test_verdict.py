"""The verdict tells the truth first: what was found of how many, and beside the baselines."""

from dataclasses import replace

import numpy as np
import pytest

from raresight.pipeline.evaluation.baselines.registry import BASELINES
from raresight.pipeline.evaluation.evaluate import evaluate
from raresight.pipeline.evaluation.output.results_json import to_results_json
from raresight.pipeline.wording.verdict import plain, verdict


@pytest.fixture
def results(make_evidence, make_params):
    """Results of an evaluation in which the model and the shortcut have the scores asked for."""

    def make(*, swapped=False, params=None, positive="rare", **changes):
        classes = ("normal", "rare") if positive else ("a", "b", "c")
        evidence = make_evidence(*classes, positive=positive)
        if swapped:  # what the model scored is the shortcut's, and the other way round
            strong = {name: evidence.model[name] for name in ("val", "test")}
            shortcut = evidence.baselines["shortcut_baseline"]
            weak = {**evidence.model, **shortcut, "perturbed": evidence.model["perturbed"]}
            baselines = {**evidence.baselines, "shortcut_baseline": strong}
            evidence = replace(evidence, model=weak, baselines=baselines)
        evidence = replace(evidence, **changes)
        return to_results_json(evaluate(evidence, params or make_params()))

    return make


def said(metrics) -> str:
    return plain(verdict(metrics))


def test_a_model_that_a_shortcut_beats_is_told_to_look_for_one(results):
    metrics = results(swapped=True)
    assert metrics["against_baselines"]["shortcut_baseline"]["verdict"] == "worse"
    assert "The shortcut baseline ranks the images better" in said(metrics)
    missed = metrics["test"] | {"recall": 0.0}
    every = metrics["shortcut_baseline"] | {"recall": 1.0}
    text = said(metrics | {"test": missed, "shortcut_baseline": every})
    assert text.startswith("It finds none of 20 'rare'")
    assert "The shortcut baseline finds all 20 (average precision" in text
    assert "look for a shortcut or a leak" in text
    assert text.index("shortcut") < text.index("Precision") < text.index("Accuracy")


def test_a_better_model_says_so_and_one_that_knows_nothing_does_not(results, make_evidence):
    assert "It is better than the baselines: average precision" in said(results())
    blind = {name: np.full((80, 2), 0.5) for name in ("val", "test", "perturbed")}
    shortcut = {k: blind[k] for k in ("val", "test")}
    text = said(results(model=blind, baselines=dict.fromkeys(BASELINES, shortcut)))
    assert "It is better" not in text
    assert "not shown to be better" in text or "look for a shortcut" in text


def test_a_model_that_finds_nothing_expects_no_precision(results):
    evidence = results()
    test = evidence["test"] | {"recall": 0.0, "precision": None}
    text = said(evidence | {"test": test})
    assert text.startswith("It finds none of 20 'rare': recall 0.000")
    assert "precision of \N{EN DASH}" not in text
    assert "Nothing was predicted to be 'rare'" in text


def test_where_no_false_alarm_was_seen_only_a_bound_is_known(results):
    metrics = results()
    test = metrics["test"] | {"specificity": 1.0, "precision": 1.0}
    model = metrics["deployment"]["model"] | {"precision": 1.0, "precision_low": 0.0038}
    deployment = metrics["deployment"] | {"model": model}
    text = said(metrics | {"test": test, "deployment": deployment})
    assert "a precision of at least 0.0038: no false positive was seen among 60 images" in text


def test_an_assumed_prevalence_is_named_as_assumed(results, make_params):
    stated = make_params().model_dump(exclude={"deployment_prevalence"})
    assumed = type(make_params())(**stated)
    assert "(assumed" in said(results(params=assumed))
    assert "(assumed" not in said(results())


def test_without_a_positive_class_the_macro_f1_comes_first(results):
    text = said(results(positive=None))
    assert text.startswith("Macro F1 ")
    assert "on 140 test images of 3 classes, 20 of the smallest" in text
    assert "better than the baselines: balanced accuracy" in text


def test_groups_are_counted_beside_the_images(results):
    groups = {"test": {"total": 9, "per_class": {"normal": 5, "rare": 4}}}
    assert "of 20 'rare', which are of 4 groups: recall" in said(results() | {"groups": groups})


def test_a_worst_slice_is_significant_or_not_named(results):
    targets = np.repeat([0, 1], [60, 20])
    even = {"half": np.where(np.arange(80) % 2, "odd", "even")}
    slices = results(factors=even)["slices"]["recall"]
    assert slices["n_slices"] == 4
    assert ("worst" in slices) == (slices["n_significant"] > 0)
    blind = np.stack([1 - targets, targets], axis=1) * 0.9 + 0.05
    blind[70:] = [0.95, 0.05]  # half of the positives are missed, and a factor tells which
    scores = dict.fromkeys(("val", "test", "perturbed"), blind)
    told = {"where": np.where(np.arange(80) < 70, "here", "there")}
    slices = results(model=scores, factors=told)["slices"]["recall"]
    assert (slices["n_significant"], slices["worst"]) == (1, "where = there")
