"""The ``evaluate`` section of params.yaml."""

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Discriminator, Field, Tag, TypeAdapter, field_validator, model_validator

from raresight.pipeline.augmentation.params import Step
from raresight.pipeline.core.params import ByName, Section
from raresight.pipeline.core.ranges import Seed
from raresight.pipeline.evaluation.metrics.goal_names import goal_names
from raresight.pipeline.evaluation.uncertainty.settings import IntervalSettings
from raresight.pipeline.runtime.errors import suggest

Prevalence = Annotated[float, Field(gt=0, lt=1)]
Cost = Annotated[float, Field(ge=0, le=1e12)] | Literal["never"]


# With fewer in validation the highest F1 may lie anywhere between the scores of two of them.
FEW_POSITIVES = 20


class MaxF1(Section):
    """The threshold with the highest F1 on validation.

    With fewer positives than ``smooth_below`` the F1 is that which is expected if their log odds
    are normal, as the highest one would lie anywhere between two of their scores.
    """

    objective: ClassVar[str] = "f1"
    name: Literal["max_f1"] = "max_f1"
    smooth_below: Annotated[int, Field(ge=0, le=1_000_000)] = FEW_POSITIVES


class RecallTarget(Section):
    """The highest threshold that finds the share ``target`` of the positives.

    Of those in validation or, with ``confidence``, of new ones with that confidence.
    """

    objective: ClassVar[str] = "recall"
    name: Literal["recall"] = "recall"
    target: Annotated[float, Field(gt=0, le=1)]
    confidence: Annotated[float, Field(ge=0.5, lt=1)] | None = None


class PrecisionTarget(Section):
    """The lowest threshold at which the share ``target`` of predicted positives are positive.

    Counted at ``prevalence``, or at validation's own; of those in validation or, with
    ``confidence``, of new ones with that confidence.
    """

    objective: ClassVar[str] = "precision"
    name: Literal["precision"] = "precision"
    target: Annotated[float, Field(gt=0, le=1)]
    prevalence: Prevalence | None = None
    confidence: Annotated[float, Field(ge=0.5, lt=1)] | None = None


class LowestCost(Section):
    """The threshold with the lowest expected cost.

    ``costs`` maps the actual class to the predicted one to what that mistake costs (1 where nothing
    is said, ``never`` for one that must not happen), counted at ``prevalence``, or at validation's
    own. Without a positive class each image gets the class with the least expected cost of
    calibrated probabilities.
    """

    objective: ClassVar[str] = "cost"
    name: Literal["cost"] = "cost"
    costs: dict[str, dict[str, Cost]]
    prevalence: Prevalence | None = None

    @model_validator(mode="after")
    def _right_answers_are_free(self) -> "LowestCost":
        for label, costs in self.costs.items():
            if label in costs:
                raise ValueError(f"costs.{label}.{label}: predicting that is no mistake")
        return self


# Each has an ``objective``: the metric, or the cost, that it is about.
ThresholdRule = MaxF1 | RecallTarget | PrecisionTarget | LowestCost
THRESHOLD_RULES: Mapping[str, type[ThresholdRule]] = {
    "max_f1": MaxF1,
    "recall": RecallTarget,
    "precision": PrecisionTarget,
    "cost": LowestCost,
}
ThresholdParams = Annotated[ThresholdRule, ByName(THRESHOLD_RULES, default="max_f1")]


def threshold_rule(value: Mapping[str, Any]) -> ThresholdRule:
    """The rule that a mapping, such as one read from a file, describes.

    Raises pydantic's ValidationError where it is none.
    """
    return TypeAdapter(ThresholdParams).validate_python(value)


class SliceParams(Section):
    """Parts of the test set, by each recorded factor.

    A factor of numbers is cut into ``bins`` parts that hold equally many; a part with fewer than
    ``min_images`` to count (for recall: positives) is not shown.
    """

    bins: Annotated[int, Field(ge=2, le=20)] = 4
    min_images: Annotated[int, Field(ge=1, le=1_000_000)] = 5


def _one_or_several(value: Any) -> str:
    return "list[float]" if isinstance(value, list | tuple) else "float"


Prevalences = Annotated[
    Annotated[Prevalence, Tag("float")]
    | Annotated[tuple[Prevalence, ...], Field(min_length=1), Tag("list[float]")],
    Discriminator(_one_or_several),
]


# What a worse camera does: a little blur, other light, noise.
_PERTURB = [
    Step.model_validate(step)
    for step in (
        {"name": "GaussianBlur", "p": 0.3, "blur_limit": [3, 3]},
        {
            "name": "RandomBrightnessContrast",
            "p": 0.8,
            "brightness_limit": 0.1,
            "contrast_limit": 0.1,
        },
        {"name": "GaussNoise", "p": 0.5, "std_range": [0.004, 0.012]},
    )
]


class EvaluateParams(Section):
    """How the model is judged.

    ``threshold`` is chosen on validation; without a positive class there is none. Every interval
    has ``confidence_level``; those of proportions are made by ``proportion_interval``, and what has
    no interval in closed form gets one from ``num_bootstrap`` resamples. ``deployment_prevalence``
    is the share of the positive class where the model will be used, or a list of shares, the most
    important first; it has no effect on a dataset without a positive class. ``goals`` are the
    values that metrics of the test set have to reach, by name; ``_deployed`` after it means at the
    (first) deployment prevalence, as in ``precision_deployed: 0.5``. ``calibration_bins`` is the
    number of points of the reliability diagram. ``perturb`` is the recipe that the clean test
    images are put through. ``threads`` is the number of CPU threads of the model (null: all cores).
    """

    seed: Seed = 1
    threshold: ThresholdParams = MaxF1()
    confidence_level: Annotated[float, Field(ge=0.5, lt=1)] = 0.95
    proportion_interval: Literal["wilson", "clopper_pearson"] = "wilson"
    num_bootstrap: Annotated[int, Field(ge=100, le=1_000_000)] = 2000
    deployment_prevalence: Prevalences = 1e-4
    goals: dict[str, Annotated[float, Field(ge=-1, le=1)]] = Field(default_factory=dict)
    calibration_bins: Annotated[int, Field(ge=2, le=100)] = 15
    slices: SliceParams = SliceParams()
    perturb: list[Step] = _PERTURB
    threads: Annotated[int, Field(ge=1, le=1024)] | None = None

    @field_validator("deployment_prevalence")
    @classmethod
    def _each_once(cls, value: float | tuple[float, ...]) -> float | tuple[float, ...]:
        if isinstance(value, tuple) and len(set(value)) < len(value):
            raise ValueError("each prevalence may be listed once")
        return value

    @field_validator("goals")
    @classmethod
    def _known(cls, value: dict[str, float]) -> dict[str, float]:
        known = dict.fromkeys((*goal_names(positive=True), *goal_names(positive=False)))
        for name in value:
            if name not in known:
                raise ValueError(f"no metric '{name}'. {suggest(name, known)}")
        return value

    @property
    def prevalence_assumed(self) -> bool:
        """Whether nobody stated a deployment prevalence, so that it is the default."""
        return "deployment_prevalence" not in self.model_fields_set

    @property
    def prevalences(self) -> tuple[float, ...]:
        """Every deployment prevalence, the first being the one that the verdict is about."""
        given = self.deployment_prevalence
        return given if isinstance(given, tuple) else (given,)

    @property
    def intervals(self) -> IntervalSettings:
        """How every interval of the evaluation is made."""
        return IntervalSettings(
            confidence_level=self.confidence_level,
            num_bootstrap=self.num_bootstrap,
            proportion_interval=self.proportion_interval,
        )
