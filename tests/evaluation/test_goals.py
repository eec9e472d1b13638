"""Goals: met, not met, or not knowable from so many images."""

import re

import pytest

from raresight.pipeline.commands.goals import require_goals
from raresight.pipeline.evaluation.decisions.predictions import Task
from raresight.pipeline.evaluation.evaluate import evaluate
from raresight.pipeline.evaluation.goals import goal_problems, goal_verdict
from raresight.pipeline.evaluation.metrics.goal_names import goal_names
from raresight.pipeline.evaluation.output.results_json import to_results_json
from raresight.pipeline.evaluation.uncertainty.estimates import Estimate
from raresight.pipeline.runtime.errors import ParamsError, RaresightError
from raresight.pipeline.wording.verdict import plain, verdict


def judged(make_evidence, params, positive="rare"):
    classes = ("normal", "rare") if positive else ("a", "b", "c")
    return to_results_json(evaluate(make_evidence(*classes, positive=positive), params))


@pytest.mark.parametrize(
    ("low", "high", "word"),
    [(0.9, 0.95, "met"), (0.8, 0.89, "not met"), (0.8, 0.95, "unknown"), (None, None, "unknown")],
)
def test_a_goal_is_met_where_all_of_the_interval_is(low, high, word):
    assert goal_verdict(Estimate(value=0.88, low=low, high=high), 0.9) == word


def test_of_an_error_less_is_better():
    estimate = Estimate(value=0.05, low=0.03, high=0.08)
    words = [goal_verdict(estimate, goal, higher_is_better=False) for goal in (0.1, 0.05, 0.01)]
    assert words == ["met", "unknown", "not met"]


def test_each_goal_stands_in_results_and_verdict_with_its_word(make_evidence, make_params):
    values = judged(make_evidence, make_params())["test"]
    close = round((values["recall_low"] + values["recall_high"]) / 2, 3)
    beyond = (1 + values["accuracy_high"]) / 2
    goals = {"recall": close, "f1": 0.1, "accuracy": beyond, "precision_deployed": 0.5}
    metrics = judged(make_evidence, make_params(goals=goals))
    assert {name: one["verdict"] for name, one in metrics["goals"].items()} == {
        "recall": "unknown",
        "f1": "met",
        "accuracy": "not met",
        "precision_deployed": "unknown",
    }
    assert metrics["goals"]["recall"]["low"] == values["recall_low"]
    text = plain(verdict(metrics))
    assert "not knowable from 20 'rare' and 60 others" in text
    assert "F1 of at least 0.100 met" in text
    assert "precision where it is used of at least 0.500 not knowable" in text
    with pytest.raises(RaresightError, match="3 of 4 goals are not met") as error:
        require_goals(metrics)
    assert "f1" not in str(error.value)
    require_goals(judged(make_evidence, make_params(goals={"accuracy": 0.1})))


def test_every_name_that_can_be_asked_for_has_a_result(make_evidence, make_params):
    for positive in ("rare", None):
        names = goal_names(positive=positive is not None)
        params = make_params(goals=dict.fromkeys(names, 0.5))
        assert set(judged(make_evidence, params, positive)["goals"]) == set(names)


def test_unknown_names_are_refused_with_the_nearest(make_params):
    with pytest.raises(ValueError, match="Did you mean 'recall'"):
        make_params(goals={"recal": 0.9})
    task = Task(classes=("a", "b", "c"), positive=None)
    (problem,) = goal_problems({"precision_deployed": 0.5}, task)
    assert re.match("evaluate.goals.precision_deployed: no such metric here", problem)


def test_goals_that_are_not_set_cannot_be_required(make_evidence, make_params):
    with pytest.raises(ParamsError, match=r"evaluate\.goals"):
        require_goals(judged(make_evidence, make_params()))
