"""The ``enlarge`` section of params.yaml."""

from typing import Annotated, Literal

from pydantic import Field

from raresight.pipeline.core.params import Section
from raresight.pipeline.core.ranges import Seed
from raresight.pipeline.enlarging.methods import Composites, MethodParams


class EnlargeParams(Section):
    """More training images of ``classes``: so many of each training original of a class, made by
    ``method``; none by default.

    ``share: sweep`` trains the net of ``train`` with 0, 1, 2, 4 and so on of each original, up to
    the number in ``classes``, ``num_seeds`` times for ``epochs`` each (null: ``train.epochs``), and
    keeps the number that validation says is better than none, or none; ``all`` keeps all.
    """

    seed: Seed = 1
    method: MethodParams = Composites()
    classes: dict[str, Annotated[int, Field(ge=1, le=1000)]] = Field(default_factory=dict)
    share: Literal["all", "sweep"] = "all"
    num_seeds: Annotated[int, Field(ge=2, le=100)] = 3
    epochs: Annotated[int, Field(ge=1, le=100_000)] | None = None
