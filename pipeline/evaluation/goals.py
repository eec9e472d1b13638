"""What a model has to reach, and whether the test set can tell that it does."""

from collections.abc import Iterator, Mapping
from typing import Any

from raresight.pipeline.evaluation.decisions.predictions import Task
from raresight.pipeline.evaluation.evaluate import EvaluationResult
from raresight.pipeline.evaluation.metrics.goal_names import DEPLOYED, goal_names
from raresight.pipeline.evaluation.metrics.registry import METRICS
from raresight.pipeline.evaluation.uncertainty.estimates import Estimate
from raresight.pipeline.runtime.errors import suggest

MET, NOT_MET, UNKNOWN = "met", "not met", "unknown"


def goal_problems(goals: Mapping[str, float], task: Task) -> Iterator[str]:
    """What the ``goals`` ask for that a task does not have, a sentence each."""
    known = goal_names(positive=task.positive is not None)
    for name in goals:
        if name not in known:
            yield f"evaluate.goals.{name}: no such metric here. {suggest(name, known)}"


def goal_results(result: EvaluationResult) -> dict[str, Any]:
    """The ``goals`` entry of results.json: each with its value, interval and verdict."""
    found = {}
    for name, goal in result.params.goals.items():
        metric = name.removesuffix(DEPLOYED)
        if name.endswith(DEPLOYED):
            estimate = next(iter(result.deployment.values()))["model"][metric]
        else:
            estimate = result.assessments["test"].overall[metric]
        found[name] = {
            "goal": goal,
            "value": estimate.value,
            "low": estimate.low,
            "high": estimate.high,
            "verdict": goal_verdict(estimate, goal, METRICS[metric].higher_is_better),
        }
    return found


def goal_verdict(estimate: Estimate, goal: float, higher_is_better: bool = True) -> str:
    """Met where the entire interval is, not met where none of it is, else unknown."""
    if estimate.low is None or estimate.high is None:
        return UNKNOWN
    low, high = estimate.low, estimate.high
    if not higher_is_better:
        low, high, goal = -high, -low, -goal
    if low >= goal:
        return MET
    return NOT_MET if high < goal else UNKNOWN
