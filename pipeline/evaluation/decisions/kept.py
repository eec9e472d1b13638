"""The decision that evaluate keeps beside a model: what turns its scores into answers, and what it
was made for. With it a model can be used where there is neither a dataset nor a params file.
"""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from raresight.pipeline.core.files import read_json, sha256, write_json
from raresight.pipeline.core.tensors import writing_tensors
from raresight.pipeline.evaluation.decisions.costs import Decision, decision
from raresight.pipeline.evaluation.decisions.predictions import Task
from raresight.pipeline.evaluation.decisions.unlike import MEASURES, Reference
from raresight.pipeline.evaluation.metrics.calibration import Calibrator
from raresight.pipeline.evaluation.params import ThresholdRule, threshold_rule
from raresight.pipeline.runtime.errors import DataError, ParamsError

DECISION, ARRAYS = "decision.json", "unlike.safetensors"
FORMAT = 1
MODEL_FILES = ("model.json", "weights.safetensors")


def model_files(folder: Path) -> dict[str, str]:
    """The sha256 of the files that make the model of a folder."""
    found = (folder / name for name in MODEL_FILES)
    return {path.name: sha256(path) for path in found if path.is_file()}


@dataclass(frozen=True, kw_only=True)
class KeptDecision:
    """How the scores of one model become probabilities and answers.

    ``model`` has the sha256 of each of the model's files. Scores of at least ``threshold`` (None
    without a positive class), which ``rule`` chose on validation, are answered positive.
    ``calibrator`` makes them probabilities for validation's class shares. ``unlike`` has a
    reference for each measure; ``flagged`` the shares of validation and test images that they flag,
    by class.
    """

    model: Mapping[str, str]
    task: Task
    rule: ThresholdRule
    threshold: float | None
    calibrator: Calibrator
    unlike: Mapping[str, Reference]
    flagged: Mapping[str, Mapping[str, float | None]]

    @cached_property
    def decide(self) -> Decision:
        """Scores (n, K) -> class indices, int (n,)."""
        return decision(
            self.rule, self.task, threshold=self.threshold, probabilities=self.calibrator
        )

    @property
    def prevalence(self) -> float | None:
        """The share of positives that the threshold was chosen for; None without a positive class.

        The rule's own where it names one, else validation's.
        """
        if self.task.positive_index is None:
            return None
        stated = getattr(self.rule, "prevalence", None)
        return float(self.calibrator.prior[self.task.positive_index] if stated is None else stated)

    def at_prevalence(self, prevalence: float) -> "KeptDecision":
        """The same decision where the share ``prevalence`` of images, in (0, 1), is positive.

        Probabilities get the new prior, the other classes keeping their proportions. An image is
        positive if it is as probable there as the kept threshold asks of it: the threshold moves by
        the change of the prior's log odds, times the temperature (Elkan 2001, theorem 2,
        https://dl.acm.org/doi/10.5555/1642194.1642224). ParamsError without a positive class.
        """
        index = self.task.positive_index
        if index is None or self.threshold is None or self.prevalence is None:
            raise ParamsError("a prevalence is that of a positive class, and this model has none.")
        old = self.calibrator.prior
        prior = old * (1 - prevalence) / (1 - old[index])
        prior[index] = prevalence
        moved = self.calibrator.temperature * (_log_odds(prevalence) - _log_odds(self.prevalence))
        threshold = self.threshold
        if 0 < threshold < 1:  # else everything is positive, or nothing, whatever the prevalence
            threshold = 1 / (1 + math.exp(-(_log_odds(threshold) - moved)))
        calibrator = replace(self.calibrator, prior=prior)
        return replace(self, threshold=threshold, calibrator=calibrator)

    def write(self, folder: Path) -> None:
        """Write the decision into an existing folder."""
        from safetensors.numpy import save_file

        write_json(folder / DECISION, self._document())
        arrays = {}
        for name, reference in self.unlike.items():
            arrays[f"{name}.means"] = np.ascontiguousarray(reference.means)
            arrays[f"{name}.precision"] = np.ascontiguousarray(reference.precision)
        with writing_tensors(folder / ARRAYS):
            save_file(arrays, folder / ARRAYS)

    def _document(self) -> dict[str, Any]:
        classes, calibrator = self.task.classes, self.calibrator

        def by_class(values: np.ndarray) -> dict[str, float]:
            return dict(zip(classes, values.tolist(), strict=True))

        return {
            "format": FORMAT,
            "model": dict(self.model),
            "classes": list(classes),
            "positive": self.task.positive,
            "threshold": self.threshold,
            "rule": self.rule.model_dump(mode="json"),
            "calibration": {
                "temperature": calibrator.temperature,
                "assumed": by_class(calibrator.assumed),
                "prior": by_class(calibrator.prior),
            },
            "unlike": {
                "bounds": {name: reference.bound for name, reference in self.unlike.items()},
                "flagged": {name: dict(shares) for name, shares in self.flagged.items()},
            },
        }

    @classmethod
    def read(cls, folder: Path) -> "KeptDecision":
        """The decision in a folder; DataError where it is none, or of another version."""
        document = read_json(folder / DECISION)
        if not isinstance(document, dict) or document.get("format") != FORMAT:
            raise DataError(
                f"{folder / DECISION} is not of format {FORMAT}, which this version of Raresight "
                "reads. Run `raresight evaluate` again, or use the version that wrote it."
            )
        from safetensors import SafetensorError

        try:
            found = cls(**_fields(document, folder))
            if problem := next(_problems(found), None):
                raise ValueError(problem)
        except (
            *(AttributeError, KeyError, TypeError, ValueError),
            *(OSError, OverflowError, SafetensorError),
        ) as error:
            raise DataError(f"{folder} holds no decision that can be read: {error!r}.") from None
        return found


def _fields(document: Mapping[str, Any], folder: Path) -> dict[str, Any]:
    from safetensors.numpy import load_file

    task = Task(classes=tuple(document["classes"]), positive=document["positive"])
    calibration, bounds = document["calibration"], document["unlike"]["bounds"]
    arrays = load_file(folder / ARRAYS)
    shares = {
        name: np.array([calibration[name][label] for label in task.classes])
        for name in ("assumed", "prior")
    }
    return {
        "model": document["model"],
        "task": task,
        "rule": threshold_rule(document["rule"]),
        "threshold": document["threshold"],
        "calibrator": Calibrator(temperature=calibration["temperature"], **shares),
        "unlike": {
            name: Reference(
                means=arrays[f"{name}.means"],
                precision=arrays[f"{name}.precision"],
                bound=bounds[name],
            )
            for name in MEASURES
            if name in bounds
        },
        "flagged": document["unlike"]["flagged"],
    }


def _problems(found: KeptDecision) -> Iterator[str]:
    """What is of the right kind and cannot be true: with it every answer would be wrong."""
    calibrator, classes = found.calibrator, found.task.classes
    if found.task.positive is not None and found.task.positive not in classes:
        yield f"positive is {found.task.positive!r}, which is no class"
    if (found.threshold is None) != (found.task.positive is None) or not _between(
        0 if found.threshold is None else found.threshold, -math.inf, math.inf
    ):
        yield f"threshold is {found.threshold!r}"
    if not _between(calibrator.temperature, 0, math.inf):
        yield f"temperature is {calibrator.temperature!r}"
    for shares in (calibrator.assumed, calibrator.prior):
        if not ((shares > 0) & (shares <= 1)).all():
            yield f"shares of classes are {shares.tolist()}"
    for name, one in found.unlike.items():
        size = one.precision.shape[-1]
        learned = 1 <= len(one.means) <= len(classes)  # a class without training images has none
        if one.precision.shape != (size, size) or not learned or one.means.shape[1:] != (size,):
            yield f"the reference of {name} has {one.means.shape} and {one.precision.shape} numbers"
        # LinAlgError, which is a ValueError, where no distances can come of it
        known = np.isfinite(one.precision).all() and np.isfinite(one.distances(one.means)).all()
        if not (known and _between(one.bound, 0, math.inf)):
            yield f"the reference of {name} has numbers that are none"


def _between(value: float, low: float, high: float) -> bool:
    return isinstance(value, int | float) and low < value < high


def _log_odds(share: float) -> float:
    return math.log(share) - math.log1p(-share)
