"""`import raresight`: what notebooks and other programs rely on."""

import json
import subprocess
import sys

import numpy as np
import pytest
import sklearn.metrics as sk
from imports import ROOT
from rich.console import Console

import raresight
from raresight.pipeline.runtime.errors import DataError


@pytest.fixture(scope="module")
def drawn():
    """1,000 labels of which a tenth is 1, and the scores of a poor and of a better model."""
    rng = np.random.Generator(np.random.PCG64(0))
    labels = (rng.random(1000) < 0.1).astype(int)
    noise = rng.random((2, 1000))
    return labels, 0.2 * labels + 0.8 * noise[0], 0.5 * labels + 0.5 * noise[1]


def test_importing_it_loads_no_library():
    code = "import raresight, sys; print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    loaded = {name.split(".")[0] for name in done.stdout.split()}
    assert not loaded & {"numpy", "torch", "pandas", "pyarrow", "pydantic", "rich", "scipy"}


@pytest.mark.parametrize("name", raresight.__all__)
def test_every_public_name_is_there_and_says_what_it_is(name):
    assert getattr(raresight, name).__doc__
    assert name in dir(raresight)


def test_a_name_that_is_not_there_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no attribute 'evalute'"):
        raresight.evalute  # noqa: B018


def test_values_are_those_of_scikit_learn(drawn):
    labels, scores, _ = drawn
    found = raresight.evaluate(labels, scores, prevalence=1e-3)
    called = scores >= 0.5
    assert found.values["recall"] == pytest.approx(sk.recall_score(labels, called))
    assert found.values["precision"] == pytest.approx(sk.precision_score(labels, called))
    expected = sk.average_precision_score(labels, scores)
    assert found.values["average_precision"] == pytest.approx(expected)
    low, high = found.intervals["recall"]
    assert low < found.values["recall"] < high
    # Precision is s p / (s p + (1 - c)(1 - p)) where the share p is positive.
    s, c = sk.recall_score(labels, called), sk.recall_score(1 - labels, ~called)
    assert found.deployed["precision"] == pytest.approx(s * 1e-3 / (s * 1e-3 + (1 - c) * 0.999))
    assert "recall" in found.verdict
    assert json.loads(found.to_json()) == json.loads(json.dumps(found.results))


def test_a_column_a_class_is_the_same_as_one_column(drawn):
    labels, scores, _ = drawn
    names = np.array(["well", "ill"])[labels]
    one = raresight.evaluate(names, scores, positive="ill")
    two = raresight.evaluate(
        list(names),
        np.stack([1 - scores, scores], axis=1),
        positive="ill",
        classes=["well", "ill"],
    )
    assert one.values == two.values
    assert one.results["positive"] == "ill"


def test_the_threshold_is_chosen_on_validation_where_there_is_one(drawn):
    labels, scores, _ = drawn
    half = slice(0, 500), slice(500, 1000)
    found = raresight.evaluate(
        labels[half[1]], scores[half[1]], validation=(labels[half[0]], scores[half[0]])
    )
    at = found.results["threshold"]["model"]
    on_val = [sk.f1_score(labels[half[0]], scores[half[0]] >= t) for t in (at, 0.5)]
    assert on_val[0] >= on_val[1]


def test_without_a_positive_class_all_classes_matter_alike():
    rng = np.random.Generator(np.random.PCG64(1))
    labels = rng.integers(0, 3, 200)
    raw = rng.random((200, 3)) + np.eye(3)[labels]
    found = raresight.evaluate(labels, raw / raw.sum(axis=1, keepdims=True))
    expected = sk.f1_score(labels, raw.argmax(axis=1), average="macro")
    assert found.values["macro_f1"] == pytest.approx(expected)
    assert found.deployed is None


def test_groups_widen_the_interval(drawn):
    labels, scores, _ = drawn
    twice = np.repeat(labels, 4), np.repeat(scores, 4)
    apart = raresight.evaluate(*twice).intervals["recall"]
    together = raresight.evaluate(*twice, groups=np.repeat(np.arange(1000), 4))
    low, high = together.intervals["recall"]
    assert high - low > 1.5 * (apart[1] - apart[0])


def test_a_better_model_is_called_better_and_the_same_one_is_not(drawn):
    labels, poor, better = drawn
    found = raresight.compare(labels, poor, better)
    assert found.verdicts["average_precision"] == "better"
    assert set(raresight.compare(labels, poor, poor).verdicts.values()) == {"identical"}
    assert raresight.compare(labels, poor, better, primary="recall").verdicts["recall"] == "better"
    assert "params" not in str(found)
    assert json.loads(found.to_json())["old"] == "old"


def test_results_show_themselves_in_a_terminal_and_in_a_notebook(drawn):
    labels, poor, better = drawn
    for found in (raresight.evaluate(labels, poor), raresight.compare(labels, poor, better)):
        console = Console(width=100, record=True, quiet=True)
        console.print(found)
        assert "recall" in str(found)
        assert found._repr_html_().startswith("<pre>")


def test_a_test_set_is_planned():
    found = raresight.plan(prevalence=1e-4, recall=0.9, width=0.1)
    assert found.positives["wilson"] > 100
    assert found.places[0].prevalence == 1e-4
    assert found.test_set is None


@pytest.mark.parametrize(
    ("labels", "scores", "options", "said"),
    [
        ([0, 1], [0.1], {}, "as there are 2 labels"),
        ([0, 1], [0.1, 1.2], {}, "1 scores are no numbers from 0 to 1"),
        ([0, 1], [0.1, np.nan], {}, "1 scores are no numbers from 0 to 1"),
        ([], [], {}, "there are no labels"),
        (["a", "b"], [0.1, 0.2], {}, "say which class the scores are of"),
        (["a", "b", "c"], [0.1, 0.2, 0.3], {"positive": "a"}, "one column of scores"),
        (["a", "b"], [[0.5, 0.4], [0.5, 0.5]], {}, "the scores of row 0 sum to 0.9"),
        (["a", "b"], [[0.5, 0.5], [0.5, 0.5]], {"positive": "aa"}, "Did you mean 'a'"),
        ([0, 1], [0.1, 0.2], {"groups": [1]}, "2 labels, but 1 groups"),
        ([[0, 1]], [0.1], {}, "one row of values"),
    ],
)
def test_what_does_not_fit_is_named(labels, scores, options, said):
    with pytest.raises(DataError, match=said):
        raresight.evaluate(labels, scores, **options)
