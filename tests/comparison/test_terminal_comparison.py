"""What a comparison looks like: in 80 columns, and what it would take to settle a metric."""

import io
from dataclasses import replace

import pytest
from compared import difference, of, report
from rich.console import Console

from benchmarks.compare import simulated_pair
from raresight.pipeline.comparison.compare import Mistakes
from raresight.pipeline.comparison.sides import DECISIONS, MODELS, RECIPES
from raresight.pipeline.evaluation.metrics.registry import METRICS
from raresight.pipeline.terminal.comparison import markdown, render


def printed(one, width=80):
    console = Console(width=width, file=io.StringIO(), color_system=None)
    console.print(render(one))
    return console.file.getvalue()


@pytest.mark.parametrize(("trainings", "about"), [((1, 1), MODELS), ((3, 3), RECIPES)])
def test_eighty_columns_hold_every_number_and_word(trainings, about):
    one = report(simulated_pair(3, trainings=trainings, luck=0.2, resamples=100), about)
    text = printed(one)
    assert max(map(len, text.splitlines())) <= 80
    lines = text.splitlines()
    for found in one.comparison.differences:
        assert any(f"{found.old:.3f}" in line and found.ruling in line for line in lines)
    assert "\N{HORIZONTAL ELLIPSIS}" not in text


def test_sixty_columns_cut_neither_names_nor_numbers_nor_revisions():
    """The columns that do not fit go on below; a long revision takes several lines."""
    branch = "feature/a-much-longer-name-than-anyone-should-use"
    pair = simulated_pair(3, trainings=(1, 1), luck=0.2, resamples=100)
    one = replace(report(pair, MODELS), old=branch)
    text = printed(one, width=60)
    lines = text.splitlines()
    assert max(len(line.rstrip()) for line in lines) <= 60
    assert "\N{HORIZONTAL ELLIPSIS}" not in text
    for found in one.comparison.differences:
        name = METRICS[found.name].label.split()[0]
        assert any(line.startswith(name) and f"{found.old:.3f}" in line for line in lines)
        assert f"{found.new:.3f}" in text
    for part in branch.split("-"):
        assert part in text


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"sample_size_factor": 2.5}, "150 positives"),
        ({"trainings": 7}, "7 trainings"),
        ({"sample_size_factor": 1.0001, "trainings": 7}, "61 positives or 7 trainings"),
        ({}, "more of both"),
        ({"sample_size_factor": 5000.0}, "too alike"),
        ({"difference": 0.0}, "\N{EN DASH}"),
        ({"verdict": "better"}, ""),
    ],
)
def test_what_it_would_take(changes, told):
    row = next(line for line in markdown(of(difference(**changes))).splitlines() if "F1 |" in line)
    assert row.split("|")[-2].strip() == told


def words(one):
    """What the terminal and a pull request say, each as one line."""
    return [" ".join(text.split()) for text in (printed(one, width=200), markdown(one))]


def test_the_headline_answers_for_the_models_first_and_then_for_the_recipes():
    found = difference("average_precision", "unknown", models="worse", p=0.001, p_adjusted=0.001)
    other = difference("f1", "unknown", models="inconclusive")
    for text in words(of(found, other, about=MODELS)):
        text = text.replace("*", "")
        models, recipes = text.index("these two models"), text.index("the recipes")
        assert models < text.index("worse") < recipes < text.index("unknown:")
        assert "by average precision (0.500 to 0.600" in text
        assert "another seed alone may give a better or a worse model" in text
        assert "Other metrics: no verdict." in text
    for text in words(of(difference(verdict="better"), about=RECIPES)):
        assert "these two models" not in text
        assert "by 3 and 3 trainings" in text


def test_what_else_was_found_is_in_the_headline():
    each = (
        difference("average_precision", "inconclusive"),
        difference("recall", "worse", difference=-0.1),
        difference("accuracy", "better"),
    )
    for text in words(of(*each)):
        assert "Other metrics: recall worse; accuracy better." in text


def test_identical_predictions_are_called_identical():
    same = {"difference": 0.0, "low": 0.0, "high": 0.0, "verdict": "identical"}
    one = of(difference("average_precision", **same), difference("f1", **same), about=DECISIONS)
    for text in words(one):
        assert "identical" in text
        assert "every score and every answer on the 960 images is the same" in text
        assert "inconclusive" not in text
        assert "[" not in text.split("every score")[0]


def test_the_same_models_that_decide_otherwise_are_told_apart_from_their_decisions():
    same = {"difference": 0.0, "low": 0.0, "high": 0.0, "verdict": "identical"}
    each = difference("average_precision", **same), difference("recall", "better")
    for text in words(of(*each, about=DECISIONS)):
        text = text.replace("*", "")
        assert "the models identical" in text.replace(":", "")
        assert "average precision does not depend on them" in text
        assert "Other metrics: recall better." in text


def test_params_are_spoken_of_only_where_there_are_any():
    one = of(difference())
    assert "The params are the same." in printed(one)
    assert "params" not in printed(replace(one, params=None))


MCNEMAR = "McNemar's test is of the answers"


@pytest.mark.parametrize(
    ("p_value", "accuracy", "told"),
    [
        (0.5, {"verdict": "inconclusive"}, []),
        (0.001, {"verdict": "worse", "difference": -0.1}, []),
        (0.001, {"verdict": "inconclusive", "p": 0.2, "p_adjusted": 0.2}, ["the threshold that"]),
        (0.001, {"verdict": "inconclusive", "p": 0.02, "p_adjusted": 0.1}, ["adjusted for the"]),
        (0.5, {"verdict": "worse", "difference": -0.1}, ["of all trainings"]),
    ],
)
def test_a_mcnemar_test_that_disagrees_with_the_verdict_is_explained(p_value, accuracy, told):
    one = of(difference("f1"), difference("accuracy", **accuracy))
    mistakes = Mistakes(fixed=0, regressed=12, both=3, p_value=p_value)
    one = replace(one, comparison=replace(one.comparison, mistakes=mistakes))
    for text in words(one):
        assert (MCNEMAR in text) == bool(told)
        assert all(reason in text for reason in told)


def test_a_ranking_that_is_no_better_with_answers_that_are_is_explained():
    each = difference("average_precision"), difference("accuracy", "better")
    mistakes = Mistakes(fixed=12, regressed=0, both=3, p_value=0.001)
    one = of(*each)
    one = replace(one, comparison=replace(one.comparison, mistakes=mistakes))
    for text in words(one):
        assert "average precision is about the ranking of the images" in text
