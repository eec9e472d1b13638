"""The ``generate`` section of params.yaml."""

from collections.abc import Sequence
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, ValidationInfo, field_validator, model_validator

from raresight.generators import registry
from raresight.generators.base import Generator, Options
from raresight.generators.image_file import shape_of
from raresight.pipeline.core.params import Section, parse
from raresight.pipeline.core.ranges import Fraction, FractionAboveZero, Seed
from raresight.pipeline.generation.corruptions import LabelNoiseParams, Outliers, noise_problems
from raresight.pipeline.runtime.errors import suggest

Count = Annotated[int, Field(ge=0, le=100_000_000)]
Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]+$")]
Side = Annotated[int, Field(ge=8, le=1024)]

Split = Literal["train", "val", "test"]


def _sound_splits(value: Any) -> Any:
    if isinstance(value, list) and (not value or len(set(value)) < len(value)):
        raise ValueError("name train, val or test, each once")
    if isinstance(value, dict) and abs(sum(value.values()) - 1) > 1e-9:
        raise ValueError(f"the shares must sum to 1, not to {sum(value.values()):.10g}")
    return value


SourceSplits = Annotated[
    list[Split] | dict[Split, FractionAboveZero] | None, AfterValidator(_sound_splits)
]


class Source(Section):
    """One generator with its options, how many images, and what they may be used for.

    ``splits`` names the splits that the images may go to, ``[train]`` or ``[val, test]``, or gives
    each its share, ``{train: 0.7, val: 0.15, test: 0.15}``; null is all, by ``split.ratios``.
    ``origin: generated`` says that images which are read in were made by a model: they may teach
    (``splits: [train]``) and judge nothing, and ``enlarge`` checks them.
    """

    generator: str
    options: Any = Field(default_factory=dict, validate_default=True)
    name: Name | None = None
    splits: SourceSplits = None
    origin: Literal["generated"] | None = None
    counts: Annotated[dict[str, Count], Field(min_length=1)] | None = None
    count: Annotated[Count, Field(ge=1)] | None = None
    prevalence: Annotated[dict[str, Fraction], Field(min_length=1)] | None = None
    label_noise: LabelNoiseParams | None = None
    outliers: Outliers | None = None

    @field_validator("generator")
    @classmethod
    def _known(cls, name: str) -> str:
        try:
            registry.find(name)
        except KeyError:
            raise ValueError(f"unknown generator. {suggest(name, registry.names())}") from None
        return name

    @field_validator("options", mode="plain")
    @classmethod
    def _of_the_generator(cls, value: Any, info: ValidationInfo) -> Options | None:
        name = info.data.get("generator")
        return parse(registry.find(name).options, value) if name else None

    @model_validator(mode="after")
    def _amount(self) -> "Source":
        given = {key for key in ("counts", "count", "prevalence") if getattr(self, key) is not None}
        if not registry.find(self.generator).countable:
            if given:
                raise ValueError(
                    f"'{self.generator}' takes what is there: leave out {sorted(given)}"
                )
        elif given not in ({"counts"}, {"count"}, {"count", "prevalence"}):
            raise ValueError(
                "give either `counts` (a number a class) or `count`, with `prevalence` (shares) "
                "or without it (the generator's own shares)"
            )
        return self

    @model_validator(mode="after")
    def _made_images_judge_nothing(self) -> "Source":
        if self.origin is None:
            return self
        if registry.find(self.generator).countable:
            raise ValueError(
                f"origin: '{self.generator}' draws its images. `origin: generated` is for images "
                "that a model made elsewhere and that are read in from a folder or a table"
            )
        if self.splits != ["train"]:
            raise ValueError(
                "splits: images that a model made judge nothing. Write `splits: [train]` beside "
                f"`origin: generated`. Got {self.splits}"
            )
        return self

    @property
    def id_prefix(self) -> str:
        """What every id of this source begins with."""
        return self.name or self.generator

    @property
    def has_corruptions(self) -> bool:
        return self.label_noise is not None or self.outliers is not None

    def build(self, image_shape: Sequence[int]) -> Generator:
        """The generator of images of that height and width."""
        height, width = image_shape[:2]
        kind: Any = registry.find(self.generator)
        generator: Generator = kind(self.options, height if kind.square else (height, width))
        return generator


class GenerateParams(Section):
    """Which images to draw.

    ``positive`` names the rare class that precision, recall and F1 are about; null where every
    class matters alike. ``image_size`` is the side of the square images in pixels, or
    ``[height, width]``.
    """

    seed: Seed = 1
    image_size: Side | Annotated[list[Side], Field(min_length=2, max_length=2)] = 64
    positive: str | None = None
    sources: Annotated[list[Source], Field(min_length=1)]

    @property
    def shape(self) -> tuple[int, int]:
        """Height and width of the images."""
        return shape_of(self.image_size)

    @model_validator(mode="after")
    def _consistent(self) -> "GenerateParams":
        names = [source.id_prefix for source in self.sources]
        for name in sorted({name for name in names if names.count(name) > 1}):
            raise ValueError(f"two sources are called '{name}': give each a `name` of its own")
        height, width = self.shape
        for number, source in enumerate(self.sources):
            kind = registry.find(source.generator)
            if kind.square and height != width:
                raise ValueError(
                    f"sources[{number}]: '{source.generator}' draws square images, so image_size "
                    f"must be one number. Got [{height}, {width}]"
                )
            if kind.countable:
                generator = source.build(self.shape)
                _check_labels(source, number, generator.classes)
                for problem in noise_problems(source.label_noise, generator, generator.classes):
                    raise ValueError(f"sources[{number}].{problem}")
        return self


def _check_labels(source: Source, number: int, classes: tuple[str, ...]) -> None:
    """Every class asked for is one the generator makes, and shares leave something for the rest."""
    asked = source.counts if source.counts is not None else source.prevalence or {}
    key = "counts" if source.counts is not None else "prevalence"
    for label in asked:
        if label not in classes:
            raise ValueError(
                f"sources[{number}].{key}: no class '{label}'. {suggest(label, classes)}"
            )
    if source.counts is not None and sum(asked.values()) == 0:
        raise ValueError(f"sources[{number}].counts: at least one class needs a count above 0")
    if source.prevalence is not None:
        total, rest = sum(asked.values()), set(classes) - set(asked)
        if total > 1 + 1e-9 or (not rest and abs(total - 1) > 1e-9):
            raise ValueError(f"sources[{number}].prevalence: shares sum to {total:g}, not to 1")
