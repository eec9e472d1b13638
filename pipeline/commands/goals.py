"""evaluate --require-goals: fail where a goal is not met."""

from collections.abc import Mapping
from typing import Any

from raresight.pipeline.evaluation.goals import MET, NOT_MET, UNKNOWN
from raresight.pipeline.runtime.errors import ParamsError, RaresightError, listing


def require_goals(results: Mapping[str, Any]) -> None:
    """Raise RaresightError (exit 1) unless every goal of ``results`` is met."""
    goals = results.get("goals", {})
    if not goals:
        raise ParamsError("--require-goals: no goals are set. Write them below evaluate.goals.")
    missed = [
        f"{name}: {_told[one['verdict']].format(**one)}"
        for name, one in goals.items()
        if one["verdict"] != MET
    ]
    if missed:
        raise RaresightError(f"{len(missed)} of {len(goals)} goals are not met:\n{listing(missed)}")


_told = {
    NOT_MET: "at least {goal:g} is asked for, and at most {high:.4g} is likely",
    UNKNOWN: "whether it reaches {goal:g} is not knowable from these test images",
}
