"""The ``split`` section of params.yaml."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from raresight.pipeline.core.params import Section
from raresight.pipeline.core.ranges import Seed

Ratio = Annotated[float, Field(ge=0.01, le=0.98)]


class Ratios(Section):
    """The share of each class's sources in each split: at least 0.01 each, together 1."""

    train: Ratio = 0.70
    val: Ratio = 0.15
    test: Ratio = 0.15

    @model_validator(mode="after")
    def _whole(self) -> "Ratios":
        total = self.train + self.val + self.test
        if abs(total - 1) > 1e-9:
            raise ValueError(f"train, val and test must sum to 1, not to {total:.10g}")
        return self


class SplitParams(Section):
    """How sources are assigned to train, val and test.

    ``keep`` is a CSV file (group, split) that keeps where groups are, so that new ones can be
    placed for balance and none ever moves; ``raresight split --keep`` writes it. Without one a hash
    of its name places a group. ``incomplete_classes`` says what becomes of a class other than the
    positive one of which validation or test have no image: ``refuse`` it, or ``allow`` it to be
    learned from and not judged there.

    ``near_duplicates``: real images that show the same (exact copies, compressed, cropped, ...) are
    looked for. ``report`` lists them, ``together`` keeps them in one split, ``drop`` leaves one of
    two that would be in different splits out, ``refuse`` stops where there are any such.
    """

    seed: Seed = 1
    ratios: Ratios = Ratios()
    keep: Annotated[str, Field(min_length=1)] | None = None
    incomplete_classes: Literal["refuse", "allow"] = "refuse"
    near_duplicates: Literal["report", "together", "drop", "refuse"] = "report"

    @model_validator(mode="after")
    def _known_places(self) -> "SplitParams":
        if self.near_duplicates == "together" and self.keep is None:
            raise ValueError(
                "near_duplicates is 'together', and an image that is new follows the one that is "
                "there: only `keep` says which that is. Write `keep: data/raw/split.csv`"
            )
        return self

    @property
    def reads(self) -> tuple[str, ...]:
        return () if self.keep is None else (self.keep,)
