"""One image that exists, and what is known of it: the same for every way that images are kept."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from raresight.generators.real.contents import Content
from raresight.generators.records import Record

Value = float | str | None


@dataclass(frozen=True, kw_only=True)
class Row:
    """One image: where it lies, what it is called, its class, and what else is known."""

    content: Content
    file: str
    label: str
    group: str | None = None
    given_split: str | None = None
    mask: Content | None = None
    id: str | None = None
    factors: Mapping[str, Value] = field(default_factory=dict, hash=False)


@dataclass(frozen=True, kw_only=True)
class Listing:
    """All images of a source: its classes, a row an image, and what columns and factors they have.

    ``factors`` maps each factor besides ``file`` to ``float`` or ``string`` and what it means.
    """

    classes: tuple[str, ...]
    rows: Sequence[Row]
    columns: tuple[str, ...] = ()
    factors: Mapping[str, tuple[str, str]] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class RealRecord(Record):
    """The record of an image that exists: all that reading it takes, in whatever process."""

    row: Row
