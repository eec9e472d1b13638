"""What every generator of images that exist shares; each says only what there is."""

from abc import abstractmethod
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from itertools import chain
from typing import Annotated, Any, ClassVar, Literal

import numpy as np
from pydantic import AfterValidator, Field

from raresight.generators.base import BadImages, Generator, Options, Record, Sample, Unreadable
from raresight.generators.image_file import Reading, read_content, readable_name, reason, shape_of
from raresight.generators.reading.ranges import Extent, Range
from raresight.generators.real.checking import content_ids, tell_damaged, tell_junk
from raresight.generators.real.class_names import unprintable
from raresight.generators.real.contents import File
from raresight.generators.real.masks import read_mask
from raresight.generators.real.row import Listing, RealRecord, Row
from raresight.generators.real.sizes import Sizes, sizes_of
from raresight.generators.real.survey import Surveyed, damaged, survey
from raresight.generators.real.value_range import found_range, warn_of_unused


def _ascending(pair: list[float]) -> list[float]:
    if not pair[0] < pair[1]:
        raise ValueError(f"the first must be less than the second. Got {pair}")
    return pair


PixelValue = Annotated[float, Field(ge=-1e38, le=1e38)]  # of any kind of number, float32 too
Pair = Annotated[list[PixelValue], Field(min_length=2, max_length=2), AfterValidator(_ascending)]
PerCent = Annotated[float, Field(ge=0, le=100)]


class Percentiles(Options):
    """Black and white: what so many per cent of all pixels of the source lie below."""

    percentile: Annotated[
        list[PerCent], Field(min_length=2, max_length=2), AfterValidator(_ascending)
    ]


class ImageOptions(Options):
    """Base of the options of images that exist: how they become pixels.

    ``range`` says which values of more than 8 bits become black and white: ``dtype``, the ends of
    their kind of number (of the bits stored, in DICOM); ``[low, high]``; or ``percentile``, those
    that 0.1 and 99.9 per cent of all pixels of the source lie below (``{percentile: [1, 99]}`` for
    others), which are then written into dataset.json. ``fit``: ``pad`` fits an image in, ``crop``
    fills the canvas and cuts what is over, ``stretch`` takes the canvas's proportions. ``crop_to:
    content`` first cuts off a border of one color. Up to ``max_unreadable`` damaged files are
    skipped with a warning; more stop the run.
    """

    range: Literal["dtype", "percentile"] | Pair | Percentiles = "dtype"
    fit: Literal["pad", "crop", "stretch"] = "pad"
    crop_to: Literal["content"] | None = None
    max_unreadable: Annotated[int, Field(ge=0, le=100_000_000)] = 0


class RealImages(Generator):
    """Base of generators of images that exist: :meth:`_list` says which there are.

    An id is made from an image's content where no row has one; a second image of the same content
    gets ``-2``, and belongs to the first one's group.
    """

    origin = "real"
    countable = False
    square = False
    in_file_order: ClassVar[bool] = False  # where reading in another order would cost
    factors: ClassVar = {"file": ("string", "path or name of the image in its source")}
    libraries = ("numpy", "pillow")

    config: ImageOptions

    def __init__(self, options: Options, image_size: int | Sequence[int]):
        self.shape = shape_of(image_size)
        self._damaged: dict[str, str] = {}
        super().__init__(options, self.shape[0])

    @abstractmethod
    def _list(self) -> Listing:
        """What there is; FileNotFoundError, or BadImages with all that is wrong with it."""

    @property
    @abstractmethod
    def place(self) -> str:
        """The source in a message."""

    def _grouped(self, rows: Sequence[Row]) -> Sequence[Row]:
        """The rows that are taken, with groups where they are told by what was taken."""
        return rows

    @property
    def classes(self) -> tuple[str, ...]:
        return self._listing.classes

    @property
    def kept_columns(self) -> tuple[str, ...]:
        return self._listing.columns

    @property
    def kept_factors(self) -> Mapping[str, tuple[str, str]]:
        return {**self.factors, **self._listing.factors}

    @property
    def prevalence(self) -> Mapping[str, float]:
        """The share of the images of each class."""
        counts = Counter(dict.fromkeys(self.classes, 0))
        counts.update(row.label for row in self._listing.rows)
        return {label: counts[label] / max(1, counts.total()) for label in self.classes}

    def streams(self, name: str, **amount: Any) -> list[Sequence[Record]]:
        """Every image, one stream a class, or one in the order of a file.

        Only headers were looked at: what is damaged shows when it is drawn.
        Raises BadImages, naming every image that cannot be read or has no group.
        """
        rows = self._grouped([row for row, one in self._looked_at if not one.problem])
        digests = {row.content: one.digest for row, one in self._looked_at}
        made = content_ids(name, (digests[row.content] for row in rows))
        records: list[Record] = [
            RealRecord(
                id=f"{name}-{row.id}" if row.id else id,
                label=row.label,
                path=row.content.path if isinstance(row.content, File) else None,
                group=row.group or same,
                given_split=row.given_split,
                row=row,
            )
            for row, (id, same) in zip(rows, made, strict=True)
        ]
        self._refuse_empty(Counter(record.label for record in records))
        if self.in_file_order:
            return [records]
        return [[one for one in records if one.label == label] for label in self.classes]

    def settled(self) -> Options:
        value = self._range
        return self.config.model_copy(update={"range": value if value == "dtype" else list(value)})

    def about(self) -> Mapping[str, Any]:
        return {"native_sizes": self.sizes.as_json(), "reading": self.reading.as_json()}

    @property
    def rows(self) -> Sequence[Row]:
        """What there is, in its order; FileNotFoundError, or BadImages with all that is wrong."""
        return self._listing.rows

    @cached_property
    def sizes(self) -> Sizes:
        """How large the images are in their files."""
        return sizes_of(one.size for _, one in self._looked_at if not one.problem)

    def finish(self, unreadable: Mapping[str, str], read: Mapping[str, int]) -> None:
        self._damaged |= unreadable
        tell_damaged(self._damaged, self.place, max_unreadable=self.config.max_unreadable)
        self._refuse_empty(read)

    def left_out(self) -> Mapping[str, Mapping[str, str]]:
        """``no_image`` and ``unreadable``."""
        junk = {one.content.name: one.problem for _, one in self._looked_at if one.junk}
        kinds = {"no_image": junk, "unreadable": self._damaged}
        return {kind: dict(files) for kind, files in kinds.items() if files}

    def sample(self, record: Record, rng: np.random.Generator) -> Sample:
        """Read the record's image, and its mask where there is one; nothing is random."""
        assert isinstance(record, RealRecord)
        row = record.row
        try:
            found = read_content(row.content.read(), self.shape, self.reading)
        except Exception as error:  # a damaged file makes Pillow's decoders raise nearly anything
            raise Unreadable(row.content.name, reason(error)) from None
        return Sample(
            image=found.pixels,
            label=record.label,
            mask=None if row.mask is None else read_mask(row.mask, row.content.name, found),
            factors={"file": readable_name(row.file), **row.factors},
            given_split=record.given_split,
        )

    @property
    def reading(self) -> Reading:
        """How the images become pixels, a range of percentiles in numbers."""
        return Reading(fit=self.config.fit, crop_to=self.config.crop_to, range=self._range)

    @cached_property
    def _range(self) -> Range:
        asked = self.config.range
        if isinstance(asked, list):
            return asked[0], asked[1]
        if asked == "dtype":
            return "dtype"
        ends = asked.percentile if isinstance(asked, Percentiles) else [0.1, 99.9]
        return found_range(self._extents, (ends[0], ends[1]), self.place)

    @property
    def _extents(self) -> list[Extent]:
        return [one.extent for _, one in self._looked_at if one.extent is not None]

    @cached_property
    def _listing(self) -> Listing:
        found = self._list()
        self._refuse_unprintable(found)
        return found

    def _refuse_unprintable(self, found: Listing) -> None:
        names = chain(found.classes, *(_names(row) for row in found.rows))
        if problems := unprintable(names):
            some = "\n".join(f"  {one}" for one in problems[:20])
            more = f"\n  ... and {len(problems) - 20} more" if len(problems) > 20 else ""
            raise BadImages(
                f"{self.place} has names with control characters, which a terminal, a page or a "
                f"table would take for a command or a new line. Rename:\n{some}{more}"
            )

    @cached_property
    def _looked_at(self) -> list[tuple[Row, Surveyed]]:
        """Every row with what a first look showed; BadImages where too many are damaged."""
        rows, asked = self._listing.rows, self.config.range
        known: Range | None = "dtype" if asked == "dtype" else None
        if isinstance(asked, list):
            known = (asked[0], asked[1])
        looked = survey([row.content for row in rows], known)
        tell_junk([one for one in looked if one.junk], self.place)
        bad = [one for one in looked if one.problem and not one.junk]
        if len(bad) > self.config.max_unreadable:  # it will stop: every other one is named as well
            bad += damaged([one.content for one in looked if not one.problem])
        self._damaged = {one.content.name: one.problem for one in bad}
        if len(bad) > self.config.max_unreadable:
            tell_damaged(self._damaged, self.place, max_unreadable=self.config.max_unreadable)
        if asked != "dtype" and not any(one.deep for one in looked):
            raise BadImages(
                f"{self.place}: `range` is about values of more than 8 bits, and no image has any. "
                "Leave it out."
            )
        if asked == "dtype":
            warn_of_unused([one.extent for one in looked if one.extent is not None], self.place)
        return list(zip(rows, looked, strict=True))

    def _refuse_empty(self, counts: Mapping[str, int]) -> None:
        for label in self.classes:
            if not counts.get(label):
                raise BadImages(f"{self.place} has no readable image of class '{label}'.")


def _names(row: Row) -> Iterator[str | None]:
    """Every text that a row brings along."""
    yield from (row.file, row.label, row.group, row.id)
    yield from (value for value in row.factors.values() if isinstance(value, str))
