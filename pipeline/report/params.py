"""The ``report`` section of params.yaml."""

from typing import Annotated

from pydantic import Field

from raresight.pipeline.core.params import Section


class ReportParams(Section):
    """How much the page shows.

    ``images_per_class`` is the length of a contact sheet, ``mistakes`` the number of false
    positives and of false negatives shown as pictures, the most confident first. ``seed`` chooses
    the images.
    """

    seed: Annotated[int, Field(ge=0)] = 1
    images_per_class: Annotated[int, Field(ge=1, le=100)] = 10
    mistakes: Annotated[int, Field(ge=0, le=100)] = 12
