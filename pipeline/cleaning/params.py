"""The ``clean`` section of params.yaml."""

from typing import Annotated, Literal

from pydantic import Field

from raresight.pipeline.core.params import Section
from raresight.pipeline.core.ranges import Fraction, Seed

Treatment = Literal["advise", "drop"]


class CleanParams(Section):
    """Which training images look wrong, and what becomes of them; validation and test stay as they
    are. Nothing is looked for by default.

    ``labels``: the net of ``train`` is trained ``folds`` times without a part of the training
    images, for ``epochs`` (null: as many as ``train.epochs``), and labels that its scores of that
    part contradict are listed (``advise``) or not learned from (``drop``). ``second_opinion`` says
    for labels of which classes the nearest neighbors must contradict, too: those of ``rare``
    classes, ``all`` or ``none``. Where more than the share ``max_dropped`` of a class looks falsely
    labelled, it is rather the net that is wrong: none of that class is left out for its label, and
    all are listed. ``outliers``: images that are blank, over-exposed, there before, or unlike all
    others of their class are listed, or not learned from. ``decisions`` is a CSV file with the
    columns id and decision (``keep`` or ``drop``): what a person decided, which holds whatever else
    is found.
    """

    seed: Seed = 1
    labels: Treatment | None = None
    outliers: Treatment | None = None
    folds: Annotated[int, Field(ge=2, le=100)] = 5
    epochs: Annotated[int, Field(ge=1, le=100_000)] | None = None
    second_opinion: Literal["rare", "all", "none"] = "rare"
    max_dropped: Fraction = 0.5
    decisions: Annotated[str, Field(min_length=1)] | None = None

    @property
    def reads(self) -> tuple[str, ...]:
        return () if self.decisions is None else (self.decisions,)
