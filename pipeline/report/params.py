"""The ``report`` section of params.yaml."""

from typing import Annotated

from pydantic import Field

from raresight.pipeline.core.params import Section
from raresight.pipeline.core.ranges import Seed


class ReportParams(Section):
    """What the page is called, and how much it shows.

    ``title`` stands over the page instead of what the run is about; ``notes`` are paragraphs of
    free text below the verdict, parted by empty lines. ``images_per_class`` is the length of a
    contact sheet, ``mistakes`` the number of false positives and of false negatives shown as
    pictures, the most confident first (without a positive class: of mistakes of each cell of the
    confusion matrix, and twice as many in all), and that of right answers, the least confident
    first, kept for who asks for them. ``seed`` chooses the images.
    """

    title: Annotated[str, Field(min_length=1, max_length=200)] | None = None
    notes: Annotated[str, Field(min_length=1, max_length=20_000)] | None = None
    seed: Seed = 1
    images_per_class: Annotated[int, Field(ge=1, le=100)] = 10
    mistakes: Annotated[int, Field(ge=0, le=100)] = 12
