"""The ``evaluate`` section of params.yaml."""

from typing import Annotated, Any, Literal

from pydantic import Discriminator, Field, Tag, field_validator, model_validator

from pipeline.augmentation.params import Step
from pipeline.core.params import Section


class ThresholdRule(Section):
    """How the decision threshold is chosen on validation.

    ``max_f1`` takes the threshold with the highest F1; ``recall`` the highest threshold that still
    finds the share ``target`` of the positives.
    """

    rule: Literal["max_f1", "recall"]
    target: Annotated[float, Field(gt=0, le=1)] | None = None

    @model_validator(mode="after")
    def _target_with_recall_only(self) -> "ThresholdRule":
        if self.rule == "recall" and self.target is None:
            raise ValueError("the rule 'recall' needs a `target` in (0, 1], e.g. 0.9")
        if self.rule == "max_f1" and self.target is not None:
            raise ValueError("the rule 'max_f1' takes no `target`: leave it out")
        return self


def _one_or_several(value: Any) -> str:
    return "list[float]" if isinstance(value, list | tuple) else "float"


Prevalence = Annotated[float, Field(gt=0, lt=1)]
Prevalences = Annotated[
    Annotated[Prevalence, Tag("float")]
    | Annotated[tuple[Prevalence, ...], Field(min_length=1), Tag("list[float]")],
    Discriminator(_one_or_several),
]


class EvaluateParams(Section):
    """How the model is judged.

    ``confidence`` is that of every interval, ``resamples`` the number of bootstrap resamples.
    ``deployment_prevalence`` is the share of the positive class where the model will be used, or a
    list of shares, the most important first; it and ``threshold`` have no effect on a dataset
    without a positive class. ``perturb`` is the recipe that the clean test images are put through.
    """

    seed: Annotated[int, Field(ge=0)]
    threshold: ThresholdRule
    confidence: Annotated[float, Field(ge=0.5, lt=1)]
    resamples: Annotated[int, Field(ge=100, le=1_000_000)]
    deployment_prevalence: Prevalences
    perturb: list[Step]

    @field_validator("deployment_prevalence")
    @classmethod
    def _each_once(cls, value: float | tuple[float, ...]) -> float | tuple[float, ...]:
        if isinstance(value, tuple) and len(set(value)) < len(value):
            raise ValueError("each prevalence may be listed once")
        return value

    @property
    def prevalences(self) -> tuple[float, ...]:
        """Every deployment prevalence, the first being the one that the verdict is about."""
        given = self.deployment_prevalence
        return given if isinstance(given, tuple) else (given,)
