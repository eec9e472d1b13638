"""evaluate --predictions: judge scores that any model gave, from a table in a file.

Nothing of a project is needed: no params file, no images, no training of ours.
"""

import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa

from raresight.generators.real import tables
from raresight.pipeline.core.params import load_section, refuse
from raresight.pipeline.evaluation.decisions.costs import cost_problems
from raresight.pipeline.evaluation.decisions.predictions import Task
from raresight.pipeline.evaluation.decisions.thresholds import Threshold
from raresight.pipeline.evaluation.external_scores import (
    at_target,
    chosen_threshold,
    evaluate_scores,
    stated_threshold,
    to_external_json,
)
from raresight.pipeline.evaluation.goals import goal_problems
from raresight.pipeline.evaluation.params import EvaluateParams
from raresight.pipeline.evaluation.predictions_table import PredictionsTable, parse, task_of
from raresight.pipeline.runtime.errors import DataError, InputMissing, ParamsError, suggest

STDIN = Path("-")


@dataclass(frozen=True, kw_only=True)
class Files:
    """The tables: scores to judge, and perhaps others to choose a threshold on, and unlabelled."""

    predictions: Path
    validation: Path | None = None
    target: Path | None = None


def run(
    files: Files,
    params_file: Path,
    *,
    positive: str | None = None,
    threshold: float | None = None,
    prevalences: tuple[float, ...] = (),
) -> dict[str, Any]:
    """The metrics of ``files.predictions``, as in results.json as far as scores alone tell them.

    The rules are those of ``evaluate`` in ``params_file``, where there is one. Raises DataError
    with the rows of every problem.
    """
    params = _params(params_file, prevalences)
    test = _parsed(files.predictions, positive)
    task = task_of(test, _name(files.predictions), positive or test.scored)
    problems = [*cost_problems(params.threshold, task), *goal_problems(params.goals, task)]
    refuse(params_file, [f"{params_file}: {one}" for one in problems])
    val = target = None
    if files.validation is not None:
        val = _parsed(files.validation, positive, like=test)
    if files.target is not None:
        target = _parsed(files.target, positive, like=test, labelled=False)
    chosen = _threshold(task, val, params, threshold)
    result = evaluate_scores(task, test, val, chosen, params)
    metrics = to_external_json(result, stated=threshold)
    if target is not None:
        metrics["target"] = at_target(result, test if val is None else val, target)
    return metrics


def _params(params_file: Path, prevalences: tuple[float, ...]) -> EvaluateParams:
    params = EvaluateParams()  # where there is no params file to say it
    if params_file.is_file():
        params = load_section(params_file, "evaluate", EvaluateParams)
    return params.model_copy(update={"deployment_prevalence": prevalences} if prevalences else {})


def _parsed(path: Path, positive: str | None, **options: Any) -> PredictionsTable:
    return parse(read_table(path), _name(path), positive=positive, **options)


def _name(path: Path) -> str:
    return "stdin" if path == STDIN else str(path)


def read_table(path: Path) -> pa.Table:
    """A table of any kind that :mod:`raresight.generators.real.tables` knows; ``-`` is stdin."""
    try:
        return _from_stdin() if path == STDIN else tables.read_table(path)
    except tables.UnknownKind:
        raise ParamsError(
            f"{path}: not a kind of file known. {suggest(path.suffix, tables.READERS)}"
        ) from None
    except tables.BadTable as error:
        raise DataError(str(error)) from None
    except FileNotFoundError as error:
        raise InputMissing(str(error)) from None


def _from_stdin() -> pa.Table:
    content = sys.stdin.buffer.read()
    kinds = {b"PAR1": ".parquet", b"ARROW1": ".arrow", b"{": ".jsonl"}
    suffix = next((kinds[start] for start in kinds if content.startswith(start)), ".csv")
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, f"stdin{suffix}")
        file.write_bytes(content)
        try:
            return tables.read_table(file)
        except tables.BadTable as error:
            raise tables.BadTable(str(error).replace(str(file), "stdin")) from None


def _threshold(
    task: Task, val: PredictionsTable | None, params: EvaluateParams, stated: float | None
) -> Threshold | None:
    if task.positive is None:
        if stated is not None:
            raise ParamsError("--threshold is about a positive class: name it with --positive.")
        return None
    if stated is not None:
        return stated_threshold(stated)
    if val is None:
        raise ParamsError(
            "from which score on is an image positive? Say it (--threshold 0.5), or give "
            "labelled scores to choose it on (--validation FILE), never those to be judged."
        )
    return chosen_threshold(task, val, params)
