"""The ``augment`` section of params.yaml."""

from typing import Annotated, Any

from pydantic import ConfigDict, Field

from raresight.pipeline.core.params import Section

Copies = Annotated[int, Field(ge=0, le=1000)]


class Step(Section):
    """One transform of a recipe: its albumentations name, how often it is applied, its arguments.

    Name and arguments are checked by :func:`raresight.pipeline.augmentation.recipe.check`, which
    needs the library; reading the file does not.
    """

    model_config = ConfigDict(extra="allow")

    name: str
    p: Annotated[float, Field(ge=0, le=1)]

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

    seed: Annotated[int, Field(ge=0)] = 1
    copies: dict[str, Copies] = Field(default_factory=dict)
    min_label_share: Annotated[float, Field(ge=0, le=1)] = 0.7
    max_tries: Annotated[int, Field(ge=1, le=1000)] = 5
    spatial: list[Step] = Field(default_factory=list)
    pixel: list[Step] = Field(default_factory=list)
