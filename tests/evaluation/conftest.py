"""Outcomes to judge: scores that favour the actual class, more or less."""

from collections.abc import Callable

import numpy as np
import pytest

from raresight.pipeline.evaluation.baselines.registry import BASELINES
from raresight.pipeline.evaluation.decisions.predictions import Task
from raresight.pipeline.evaluation.inputs import EvaluationInputs
from raresight.pipeline.evaluation.params import EvaluateParams


def draw_scores(targets: np.ndarray, num_classes: int, skill: float, seed: int) -> np.ndarray:
    """Softmax scores (n, K); a higher ``skill`` sets the actual class further apart."""
    logits = np.random.default_rng(seed).normal(size=(len(targets), num_classes))
    logits[np.arange(len(targets)), targets] += skill
    exponents = np.exp(logits)
    return exponents / exponents.sum(axis=1, keepdims=True)


@pytest.fixture
def scores() -> Callable[..., np.ndarray]:
    return draw_scores


@pytest.fixture
def make_params() -> Callable[..., EvaluateParams]:
    """The params of a small evaluation, with any key replaced."""

    def make(**changes) -> EvaluateParams:
        section = {
            "seed": 0,
            "threshold": {"name": "max_f1"},
            "confidence_level": 0.95,
            "proportion_interval": "wilson",
            "num_bootstrap": 100,
            "deployment_prevalence": 1e-4,
            "calibration_bins": 10,
            "slices": {"bins": 4, "min_images": 5},
            "perturb": [],
        }
        return EvaluateParams(**(section | changes))

    return make


@pytest.fixture
def make_evidence() -> Callable[..., EvaluationInputs]:
    """EvaluationInputs on 60 images of each class and set, of which the last class has a third."""

    def make(*classes: str, positive: str | None) -> EvaluationInputs:
        sizes = [60] * (len(classes) - 1) + [20]
        targets = np.repeat(np.arange(len(classes)), sizes)
        skills = {"val": 2.0, "test": 2.0, "perturbed": 1.0}
        for name in BASELINES:
            skills |= {f"{name} val": 0.3, name: 0.3}
        drawn = {
            name: draw_scores(targets, len(classes), skill, seed)
            for seed, (name, skill) in enumerate(skills.items())
        }
        return EvaluationInputs(
            task=Task(classes=classes, positive=positive),
            targets=dict.fromkeys(("train", "val", "test"), targets),
            model={name: drawn[name] for name in ("val", "test", "perturbed")},
            baselines={
                name: {"val": drawn[f"{name} val"], "test": drawn[name]} for name in BASELINES
            },
        )

    return make
