"""The options that say which column of a table of images says what."""

import re
from collections.abc import Collection, Sequence
from typing import Annotated

from pydantic import Field, model_validator

from raresight.generators.base import Options

Name = Annotated[str, Field(min_length=1)]

# What people call a column, where none is called as its role is.
_CALLED = {
    "file": r"(image|img|file)?_?(file|path|name|image|img)(_?(name|path|id))?|filepath|id_code",
    "label": r"class(_?name)?|diagnosis|dx|category|target|species|finding|y",
    "group": r"(patient|subject|person|animal|slide|lesion|case|video)(_?(id|no|nr|number))?",
}
CALLED_OTHERWISE = tuple(_CALLED)  # the roles that are


def columns_called(role: str, names: Sequence[str], taken: Collection[str] = ()) -> list[str]:
    """The columns that may be those of a role: the one of its name, or all that are called alike.

    ``taken`` are those of other roles.
    """
    if role in names:
        return [role]
    fits = re.compile(_CALLED[role], re.IGNORECASE)
    return [name for name in names if fits.fullmatch(name.strip()) and name not in taken]


class LabelRule(Options):
    """Classes from graded labels in ``column``: from a number on, or word by word.

    ``at_least``: a number that high is ``name``, a lower ``otherwise``, by default ``not NAME``.
    ``classes`` maps each value of the column to a class; several may become one.
    """

    column: Name
    at_least: Annotated[float, Field(ge=-1e300, le=1e300)] | None = None
    name: Name | None = None
    otherwise: Name | None = None
    classes: Annotated[dict[str, Name], Field(min_length=1)] | None = None

    @model_validator(mode="after")
    def _one_way(self) -> "LabelRule":
        if (self.at_least is None) == (self.classes is None):
            raise ValueError("give either `at_least` with `name`, or `classes`")
        if (self.at_least is None) != (self.name is None):
            raise ValueError("`at_least` and `name` go together: from there on, which class is it?")
        if self.otherwise is not None and self.name is None:
            raise ValueError("`otherwise` is the class below `at_least`")
        return self


class Columns(Options):
    """Which column says what; the optional ones are taken where the table has one of that name.

    ``file``: path of the image. ``label``: its class, or a rule that makes it from grades.
    ``group``: what it belongs to. ``split``: the split it was given. ``mask``: path of an image
    that is not black where the label is. ``id``: a name that stays, instead of one made from the
    file's content. Null leaves a column to the factors.
    """

    file: Name = "file"
    label: Name | LabelRule = "label"
    group: Name | None = "group"
    split: Name | None = "split"
    mask: Name | None = "mask"
    id: Name | None = "id"
