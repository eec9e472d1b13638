"""The ``augment`` section of params.yaml."""

from collections.abc import Iterator, Mapping
from typing import Annotated, Any

from pydantic import AfterValidator, ConfigDict, Field

from raresight.pipeline.core.params import Section
from raresight.pipeline.core.ranges import Fraction, Seed

Copies = Annotated[int, Field(ge=0, le=1000)]


# Beyond any pixel, degree, gray level or kelvin that a transform can mean. The library checks few
# of its arguments: of a NaN it makes garbage, and from a huge number it never returns.
_LARGEST = 20_000


def _usable(argument: Any) -> Any:
    for number in _numbers(argument):
        if not abs(number) <= _LARGEST:  # so written, this is true for NaN
            raise ValueError(f"numbers must be finite, from -{_LARGEST:,} to {_LARGEST:,}")
    return argument


def _numbers(value: Any) -> Iterator[float]:
    if isinstance(value, Mapping):
        value = list(value.values())
    if isinstance(value, list | tuple):
        for inner in value:
            yield from _numbers(inner)
    elif isinstance(value, int | float):
        yield value


class Step(Section):
    """One transform of a recipe: its albumentations name, how often it is applied, its arguments.

    Name and arguments are checked by :func:`raresight.pipeline.augmentation.recipe.check`, which
    needs the library; reading the file does not.
    """

    model_config = ConfigDict(extra="allow")
    __pydantic_extra__: dict[str, Annotated[Any, AfterValidator(_usable)]] = Field(init=False)

    name: str
    p: Fraction = 0.5

    @property
    def arguments(self) -> dict[str, Any]:
        """Every further key, as albumentations is to get it."""
        return dict(self.model_extra or {})


class AugmentParams(Section):
    """How the classes are enlarged.

    ``copies`` is the number of copies of each original, by class; other classes get none. A copy
    that keeps less than ``min_label_share`` of its label's pixels is drawn again, and dropped after
    ``max_tries`` draws. ``spatial`` transforms move pixels, and the mask with them; ``pixel``
    transforms change values only and come last.
    """

    seed: Seed = 1
    copies: dict[str, Copies] = Field(default_factory=dict)
    min_label_share: Fraction = 0.7
    max_tries: Annotated[int, Field(ge=1, le=1000)] = 5
    spatial: list[Step] = Field(default_factory=list)
    pixel: list[Step] = Field(default_factory=list)
