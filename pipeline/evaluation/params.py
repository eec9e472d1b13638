"""The ``evaluate`` section of params.yaml."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import Discriminator, Field, Tag, field_validator, model_validator

from raresight.pipeline.augmentation.params import Step
from raresight.pipeline.core.params import Section

Prevalence = Annotated[float, Field(gt=0, lt=1)]
Cost = Annotated[float, Field(ge=0)] | Literal["never"]

# The keys that a rule needs, and those it may have.
_KEYS: Mapping[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "max_f1": ((), ()),
    "recall": (("target",), ("confidence",)),
    "precision": (("target",), ("prevalence",)),
    "cost": (("costs",), ("prevalence",)),
}


class ThresholdRule(Section):
    """How the decision threshold is chosen on validation.

    ``max_f1`` takes the threshold with the highest F1. ``recall`` the highest one that finds the
    share ``target`` of the positives: of those in validation, or, with ``confidence``, of new ones
    that surely. ``precision`` the lowest one at which the share ``target`` of what is called
    positive is. ``cost`` the cheapest one, where ``costs`` maps the actual class to the called one
    to what that mistake costs (1 where nothing is said, ``never`` for one that must not happen).
    The last two count at ``prevalence``, or at validation's own. Without a positive class there is
    no threshold: the costs then choose the class with the least expected cost of calibrated
    probabilities, and any other rule the most probable class.
    """

    rule: Literal["max_f1", "recall", "precision", "cost"]
    target: Annotated[float, Field(gt=0, le=1)] | None = None
    confidence: Annotated[float, Field(ge=0.5, lt=1)] | None = None
    prevalence: Prevalence | None = None
    costs: dict[str, dict[str, Cost]] | None = None

    @model_validator(mode="after")
    def _keys_belong_to_the_rule(self) -> "ThresholdRule":
        needed, optional = _KEYS[self.rule]
        for name in ("target", "confidence", "prevalence", "costs"):
            given = getattr(self, name) is not None
            if name in needed and not given:
                raise ValueError(f"the rule '{self.rule}' needs {_EXAMPLES[name]}")
            if given and name not in needed + optional:
                raise ValueError(f"the rule '{self.rule}' takes no `{name}`: leave it out")
        return self

    @model_validator(mode="after")
    def _right_answers_are_free(self) -> "ThresholdRule":
        for label, costs in (self.costs or {}).items():
            if label in costs:
                raise ValueError(f"costs.{label}.{label}: calling '{label}' that is no mistake")
        return self


_EXAMPLES = {
    "target": "a `target` in (0, 1], e.g. 0.9",
    "costs": "`costs`, e.g. {diseased: {healthy: 100}, healthy: {diseased: 1}}",
}


class SliceParams(Section):
    """Parts of the test set, by each recorded factor.

    A factor of numbers is cut into ``bins`` parts that hold equally many; a part with fewer than
    ``min_images`` to count (for recall: positives) is not shown.
    """

    bins: Annotated[int, Field(ge=2, le=20)]
    min_images: Annotated[int, Field(ge=1)]


def _one_or_several(value: Any) -> str:
    return "list[float]" if isinstance(value, list | tuple) else "float"


Prevalences = Annotated[
    Annotated[Prevalence, Tag("float")]
    | Annotated[tuple[Prevalence, ...], Field(min_length=1), Tag("list[float]")],
    Discriminator(_one_or_several),
]


class EvaluateParams(Section):
    """How the model is judged.

    ``confidence`` is that of every interval, ``proportions`` how those of shares are made, and
    ``resamples`` the number of bootstrap resamples. ``deployment_prevalence`` is the share of the
    positive class where the model will be used, or a list of shares, the most important first; it
    has no effect on a dataset without a positive class. ``calibration_bins`` is
    the number of points of the reliability diagram. ``perturb`` is the recipe that the clean test
    images are put through. ``threads`` is the number of CPU threads of the model (null: all cores).
    """

    seed: Annotated[int, Field(ge=0)]
    threshold: ThresholdRule
    confidence: Annotated[float, Field(ge=0.5, lt=1)]
    proportions: Literal["wilson", "clopper_pearson"]
    resamples: Annotated[int, Field(ge=100, le=1_000_000)]
    deployment_prevalence: Prevalences
    calibration_bins: Annotated[int, Field(ge=2, le=100)]
    slices: SliceParams
    perturb: list[Step]
    threads: Annotated[int, Field(ge=1, le=1024)] | None = None

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
