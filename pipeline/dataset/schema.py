"""What a dataset holds: its columns, and the JSON beside them."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from raresight.pipeline.core.files import read_json, write_json
from raresight.pipeline.dataset.columns import BoxList, Image, Kind, Number, PixelMap, Shape, Text
from raresight.pipeline.runtime.errors import DataError

DESCRIPTION = "dataset.json"
FORMAT = 2
SHARD_BYTES = 48 * 2**20
ORIGINS = ("synthetic", "real", "generated")
SPLITS = ("train", "val", "test")


@dataclass(frozen=True, kw_only=True)
class Column:
    """A column; one that is ``optional`` may be missing from a dataset, and null in a row."""

    kind: Kind
    optional: bool = False


# Every column of a shard, in order, but for the factors. The writer, the reader, what generate
# collects and what augment hands on are made from it. An optional one is a field of a generator's
# Sample of the same name, and a test holds the two to each other.
COLUMNS: dict[str, Column] = {
    "id": Column(kind=Text()),
    "source_id": Column(kind=Text()),
    "group": Column(kind=Text()),
    "origin": Column(kind=Text()),
    "label": Column(kind=Text()),
    "true_label": Column(kind=Text()),
    "variant": Column(kind=Number(np.int32)),
    "image": Column(kind=Image()),
    "mask": Column(kind=PixelMap(np.uint8), optional=True),
    "boxes": Column(kind=BoxList(), optional=True),
    "instances": Column(kind=PixelMap(np.uint16), optional=True),
    "depth": Column(kind=PixelMap(np.float32), optional=True),
    "given_split": Column(kind=Text(), optional=True),
}
OPTIONAL = tuple(name for name, column in COLUMNS.items() if column.optional)
FACTOR = "factor."
FACTOR_KINDS: Mapping[str, Kind] = {"float": Number(np.float64), "string": Text()}


@dataclass(frozen=True, kw_only=True)
class Shard:
    """One Arrow file: its rows all come from the source of that name."""

    file: str
    rows: int
    sha256: str
    source: str


@dataclass(frozen=True, kw_only=True)
class Description:
    """The contents of dataset.json.

    ``classes`` are sorted; ``positive`` is the rare class that the results are about, or None where
    all classes matter alike. ``image_shape`` is (height, width, channels). ``columns`` are the
    optional ones that the shards hold, in the order of COLUMNS; ``factors`` maps a factor to
    ``float`` or ``string``, and ``outcomes`` are those that came out with the class and tell it.
    ``sources`` keeps each source's name, splits, generator and params, ``seed`` what was drawn
    from: they tell where the data came from, and nothing reads them back.
    """

    classes: tuple[str, ...]
    positive: str | None
    image_shape: Shape
    factors: Mapping[str, str]
    sources: tuple[Mapping[str, Any], ...]
    seed: int
    versions: Mapping[str, str]
    shards: tuple[Shard, ...] = field(default=())
    columns: tuple[str, ...] = ()
    outcomes: tuple[str, ...] = ()

    def kinds(self) -> dict[str, Column]:
        """Every column of the shards, in order."""
        fixed = {
            name: column
            for name, column in COLUMNS.items()
            if not column.optional or name in self.columns
        }
        factors = {
            f"{FACTOR}{name}": Column(kind=FACTOR_KINDS[kind], optional=True)
            for name, kind in self.factors.items()
        }
        return fixed | factors

    def splits_of(self, source: str) -> Sequence[str] | Mapping[str, float]:
        """The splits that a source may go to, all where it says none, perhaps with their shares."""
        found = next((one for one in self.sources if one["name"] == source), None)
        if found is None:
            raise DataError(f"a shard is of the source '{source}', which is not among the sources.")
        if "role" in found:
            raise DataError(
                f"source '{source}' has a role, as earlier versions of raresight wrote it. "
                "Run `raresight generate` again."
            )
        splits: Sequence[str] | Mapping[str, float] = found.get("splits") or SPLITS
        return splits

    @property
    def readings(self) -> dict[str, Mapping[str, Any]]:
        """How the files of each source that was read in became pixels."""
        return {one["name"]: one["reading"] for one in self.sources if "reading" in one}

    def write(self, folder: Path) -> None:
        types = {name: one.kind.spelled(self.image_shape) for name, one in self.kinds().items()}
        facts = {key: value for key, value in asdict(self).items() if key != "factors"}
        if not self.outcomes:
            del facts["outcomes"]
        write_json(folder / DESCRIPTION, {"format": FORMAT, **facts, "columns": types})

    @classmethod
    def read(cls, folder: Path) -> "Description":
        """Raises InputMissing without a dataset.json, DataError when it is not one of ours."""
        place = folder / DESCRIPTION
        raw = read_json(place)
        if not isinstance(raw, dict) or "format" not in raw:
            raise DataError(f"{place} is not a dataset description: it names no format.")
        if (found := raw.pop("format")) != FORMAT:
            raise DataError(
                f"{place} has format {found}, but this version of raresight reads format {FORMAT}. "
                "Run the stage that wrote it again (`dvc repro`), or use the version that wrote it."
            )
        try:
            types = raw.pop("columns")
            shards = tuple(Shard(**shard) for shard in raw.pop("shards"))
            facts: dict[str, Any] = {
                **raw,
                **{key: tuple(raw[key]) for key in ("classes", "image_shape", "sources")},
                "columns": tuple(name for name in OPTIONAL if name in types),
                "factors": _factors(types),
                "outcomes": tuple(raw.get("outcomes", ())),
            }
            description = cls(shards=shards, **facts)
            if unknown := [name for name in types if name not in description.kinds()]:
                raise KeyError(f"no such column: {', '.join(unknown)}")
            if problem := next(_problems(description), None):
                raise ValueError(problem)
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise DataError(f"{place} is not a dataset description: {error}.") from None
        return description


def _problems(one: Description) -> Iterator[str]:
    """A sentence for each part that is of another kind than is written, or cannot be true."""
    names = [*one.classes, *one.outcomes, *(shard.source for shard in one.shards)]
    if not all(isinstance(name, str) for name in names) or list(one.classes) != sorted(
        set(one.classes)
    ):
        yield f"classes, outcomes and sources must be names, classes sorted: {names}"
    if one.positive is not None and one.positive not in one.classes:
        yield f"positive is {one.positive!r}, which is no class"
    if len(one.image_shape) != 3 or not all(_counts(side) for side in one.image_shape):
        yield f"image_shape must be height, width and channels: {one.image_shape}"
    for shard in one.shards:
        if not _counts(shard.rows) or not _plain(shard.file):
            yield f"shard {shard.file!r} with {shard.rows!r} rows"
    for source in one.sources:
        if not isinstance(source, Mapping) or not isinstance(source.get("name"), str):
            yield f"a source without a name: {source}"


def _plain(name: Any) -> bool:
    """Whether it names a file of the folder, on any system, and a visible one."""
    return (
        isinstance(name, str)
        and Path(name).name == name
        and not name.startswith(".")
        and "\\" not in name
    )


def _counts(value: Any) -> bool:
    return isinstance(value, int) and 0 < value < 2**31


def _factors(types: Mapping[str, str]) -> dict[str, str]:
    """``float`` or ``string`` of each factor among the columns of a dataset.json."""
    kinds = {kind.spelled((0, 0, 0)): name for name, kind in FACTOR_KINDS.items()}
    return {
        name.removeprefix(FACTOR): kinds[kind]
        for name, kind in types.items()
        if name.startswith(FACTOR)
    }


def versions(*names: str) -> dict[str, str]:
    """Installed versions of the libraries that decide the bytes; an absent one is left out."""
    found = {}
    for name in names:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def rows_per_shard(image_shape: Shape, columns: Iterable[str] = ()) -> int:
    """Rows in a full shard with these optional columns: 48 MB, at least one row.

    Counted are the bytes that a row takes at most; what is null or zero everywhere takes none.
    """
    kinds = [COLUMNS["image"].kind, *(COLUMNS[name].kind for name in columns)]
    return max(1, SHARD_BYTES // sum(kind.bytes_per_row(image_shape) for kind in kinds))


def arrow_schema(description: Description) -> pa.Schema:
    """The columns of every shard of a dataset, in order."""
    shape = description.image_shape
    return pa.schema(
        pa.field(name, column.kind.arrow(shape), nullable=column.optional)
        for name, column in description.kinds().items()
    )


@dataclass(kw_only=True)
class Rows:
    """Rows on their way into a shard, as columns of equal length n.

    ``images`` is uint8 (n, H, W, C). ``groups`` are the sources where nothing else is known of
    what belongs together. ``columns`` holds what is known of the optional columns, one value a row
    (None where it is unknown) as the Sample of a generator has it; ``factors`` likewise, or NaN.
    """

    ids: Sequence[str]
    source_ids: Sequence[str]
    groups: Sequence[str] | None = None
    origin: str
    labels: Sequence[str]
    true_labels: Sequence[str]
    variants: Sequence[int]
    images: np.ndarray
    columns: Mapping[str, Sequence[Any]] = field(default_factory=dict)
    factors: Mapping[str, Sequence[Any]] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.ids)

    def by_column(self) -> dict[str, Any]:
        """The values of every column that is known, by its name in the shard."""
        return {
            "id": self.ids,
            "source_id": self.source_ids,
            "group": self.source_ids if self.groups is None else self.groups,
            "origin": [self.origin] * len(self),
            "label": self.labels,
            "true_label": self.true_labels,
            "variant": self.variants,
            "image": self.images,
            **self.columns,
            **{f"{FACTOR}{name}": values for name, values in self.factors.items()},
        }
