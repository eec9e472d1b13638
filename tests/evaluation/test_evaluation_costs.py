"""Costs without a positive class: which answer is cheapest, what it costs, and what cannot be."""

import re

import interval_settings
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from raresight.pipeline.evaluation.decisions.cost_results import cost_results
from raresight.pipeline.evaluation.decisions.costs import cheapest, cost_problems, mistake_costs
from raresight.pipeline.evaluation.decisions.predictions import Predictions, Task
from raresight.pipeline.evaluation.evaluate import evaluate
from raresight.pipeline.evaluation.output.results_json import to_results_json
from raresight.pipeline.evaluation.params import LowestCost, MaxF1

CLASSES = ("ash", "birch", "cedar")
TASK = Task(classes=CLASSES, positive=None)
COSTS = {"cedar": {"ash": 10, "birch": 10}}  # a cedar must not be overlooked


def rule(**changes):
    return LowestCost(**({"costs": COSTS} | changes))


def test_the_cheapest_answer_by_hand():
    costs = mistake_costs(rule(), CLASSES)
    assert costs.tolist() == [[0, 1, 1], [1, 0, 1], [10, 10, 0]]
    probabilities = np.array([[0.6, 0.3, 0.1], [0.62, 0.32, 0.06], [0.1, 0.85, 0.05]])
    # ash: birch + 10 cedar, birch: ash + 10 cedar, cedar: ash + birch
    # 1.3, 1.6, 0.9 | 0.92, 1.22, 0.94 | 1.35, 0.6, 0.95
    assert cheapest(probabilities, costs).tolist() == [2, 0, 1]


@given(st.integers(0, 10_000), st.floats(0.01, 100))
@settings(max_examples=50, deadline=None)
def test_equal_costs_choose_the_without_costs_class_and_no_answer_is_cheaper(seed, scale):
    rng = np.random.default_rng(seed)
    probabilities = rng.dirichlet(np.ones(4), 30)
    equal = scale * (1 - np.eye(4))
    assert (cheapest(probabilities, equal) == probabilities.argmax(axis=1)).all()
    costs = rng.random((4, 4)) * (1 - np.eye(4))
    expected = probabilities @ costs
    chosen = expected[np.arange(30), cheapest(probabilities, costs)]
    assert chosen == pytest.approx(expected.min(axis=1))
    assert (cheapest(probabilities, scale * costs) == cheapest(probabilities, costs)).all()


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"costs": {"ash": {"brich": 2}}}, r"costs\.ash: no class 'brich'.*'birch'"),
        ({"prevalence": 0.1}, r"threshold\.prevalence: no class is the positive one"),
        ({"costs": {"ash": {"birch": "never"}}}, r"costs\.ash\.birch: 'never'.*predicted 'birch'"),
        ({"costs": {"ash": {"birch": 0}}}, r"costs\.ash: predicting 'birch' for 'ash' is free"),
    ],
)
def test_what_cannot_be_is_named_with_its_key(changes, told):
    (problem,) = cost_problems(rule(**changes), TASK)
    assert problem.startswith("evaluate.threshold.")
    assert re.search(told, problem)


def test_costs_that_can_be_are_no_problem():
    assert list(cost_problems(rule(), TASK)) == []
    assert list(cost_problems(MaxF1(), TASK)) == []
    free = {"ash": {"birch": 0}, "cedar": {"birch": 5}}  # of cedars birch is dearer
    assert list(cost_problems(rule(costs=free), TASK)) == []
    # With a positive class 'never' and a prevalence are as they were.
    with_positive = Task(classes=CLASSES, positive="cedar")
    never = {"cedar": {"ash": "never"}}
    assert list(cost_problems(rule(costs=never, prevalence=0.1), with_positive)) == []


def outcome(targets, predicted):
    scores = np.eye(3)[predicted]
    return Predictions(task=TASK, targets=targets, scores=scores, predicted=predicted)


def test_costs_and_savings_by_hand():
    targets = np.array([0, 0, 1, 1, 2, 2])
    scores = np.eye(3)[[0, 0, 1, 1, 1, 2]]
    answers = np.array([0, 2, 1, 1, 2, 2])
    given_ = Predictions(task=TASK, targets=targets, scores=scores, predicted=answers)
    found = cost_results(
        {"test": given_},
        mistake_costs(rule(), CLASSES),
        np.array([0, 0, 0, 0, 0, 0, 1, 2]),
        settings=interval_settings.settings(0.95, 500),
        rng=np.random.default_rng(0),
    )
    assert found.by_outcome["test"].value == pytest.approx(1 / 6)
    assert found.without_costs.value == pytest.approx(10 / 6)
    assert found.saved.value == pytest.approx(9 / 6)
    # Training: always ash costs 1 + 10, always birch 6 + 10, always cedar 6 + 1; on test 4 of 6.
    assert found.always == ("cedar", pytest.approx(4 / 6))


def test_intervals_hold_the_true_cost():
    rng = np.random.default_rng(0)
    costs = mistake_costs(rule(), CLASSES)
    targets = np.repeat([0, 1, 2], [150, 100, 40])
    shares = np.array([[0.93, 0.03, 0.04], [0.05, 0.9, 0.05], [0.04, 0.06, 0.9]])
    truth = (shares * costs).sum(axis=1)[targets].mean()
    held = 0
    for _ in range(300):
        uniform = rng.random(len(targets))
        answers = (uniform[:, None] > shares[targets].cumsum(axis=1)).sum(axis=1)
        found = cost_results(
            {"test": outcome(targets, answers)},
            costs,
            targets,
            settings=interval_settings.settings(0.95, 200),
            rng=rng,
        ).by_outcome["test"]
        held += found.low <= truth <= found.high
    assert held / 300 >= 0.92


def test_a_judgement_answers_by_costs_and_tells_what_they_save(make_evidence, make_params):
    params = make_params(threshold={"name": "cost", "costs": COSTS})
    inputs = make_evidence(*CLASSES, positive=None)
    result = evaluate(inputs, params)
    test = result.outcomes["test"]
    probabilities = result.calibrator(inputs.model["test"])
    expected = (probabilities @ mistake_costs(params.threshold, CLASSES)).argmin(axis=1)
    assert (test.predicted == expected).all()
    assert (test.predicted == 2).sum() > (test.scores.argmax(axis=1) == 2).sum()
    cost = to_results_json(result)["cost"]
    assert cost["test"] + cost["saved"] == pytest.approx(cost["without_costs"])
    assert cost["test_low"] < cost["test"] < cost["test_high"]
    assert cost["saved_low"] <= cost["saved"] <= cost["saved_high"]
    # Without costs nothing of it is there, and the most probable class is answered.
    plain = evaluate(inputs, make_params())
    assert "cost" not in to_results_json(plain)
    assert (plain.outcomes["test"].predicted == test.scores.argmax(axis=1)).all()
