"""What a dataset holds: its columns, and the JSON beside them."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from raresight.pipeline.core.files import read_json, write_json
from raresight.pipeline.runtime.errors import DataError

DESCRIPTION = "dataset.json"
FORMAT = 1
SHARD_BYTES = 48 * 2**20
ORIGINS = ("synthetic", "real")
ROLES = ("any", "train_only", "test_only")
# What a dataset may hold of its images besides pixels, masks and factors, in the order of columns.
COLUMNS = ("boxes", "instances", "depth")
# Those of them that hold a number for each pixel.
PIXELS = {"instances": np.dtype(np.uint16), "depth": np.dtype(np.float32)}
BOX = pa.list_(pa.float32(), 4)


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
    all classes matter alike. ``image_shape`` is (height, width, channels). ``factors`` maps a
    factor to ``float`` or ``string``. ``sources`` keeps each source's name, role, generator and
    params. ``columns`` are those of COLUMNS that the shards hold.
    """

    classes: tuple[str, ...]
    positive: str | None
    image_shape: tuple[int, int, int]
    masks: bool
    factors: Mapping[str, str]
    sources: tuple[Mapping[str, Any], ...]
    seed: int
    versions: Mapping[str, str]
    shards: tuple[Shard, ...] = field(default=())
    columns: tuple[str, ...] = ()
    format: int = FORMAT

    def write(self, folder: Path) -> None:
        document = asdict(self)
        if not self.columns:
            del document["columns"]  # as before there were any: the same data, the same bytes
        write_json(folder / DESCRIPTION, document)

    @classmethod
    def read(cls, folder: Path) -> "Description":
        """Raises InputMissing without a dataset.json, DataError when it is not one of ours."""
        raw = read_json(folder / DESCRIPTION)
        try:
            if raw["format"] != FORMAT:
                place = folder / DESCRIPTION
                raise DataError(f"{place} has format {raw['format']}, not {FORMAT}.")
            shards = tuple(Shard(**shard) for shard in raw.pop("shards"))
            raw.setdefault("columns", [])
            lists = ("classes", "image_shape", "sources", "columns")
            tuples = {key: tuple(raw.pop(key)) for key in lists}
            return cls(**raw, **tuples, shards=shards)
        except (KeyError, TypeError) as error:
            raise DataError(
                f"{folder / DESCRIPTION} is not a dataset description: {error}."
            ) from None


def versions(*names: str) -> dict[str, str]:
    """Installed versions of the libraries that decide the bytes; an absent one is left out."""
    found = {}
    for name in names:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def rows_per_shard(
    image_shape: tuple[int, int, int], masks: bool, columns: Sequence[str] = ()
) -> int:
    """Rows in a full shard: 48 MB of pixels, at least one row."""
    height, width, channels = image_shape
    more = sum(PIXELS[name].itemsize for name in columns if name in PIXELS)
    return max(1, SHARD_BYTES // (height * width * (channels + masks + more)))


def arrow_schema(description: Description) -> pa.Schema:
    """The columns of every shard of a dataset, in order."""
    height, width, channels = description.image_shape
    fields = [
        pa.field("id", pa.string(), nullable=False),
        pa.field("source_id", pa.string(), nullable=False),
        pa.field("origin", pa.string(), nullable=False),
        pa.field("label", pa.string(), nullable=False),
        pa.field("true_label", pa.string(), nullable=False),
        pa.field("variant", pa.int32(), nullable=False),
        pa.field("image", pa.fixed_shape_tensor(pa.uint8(), (height, width, channels))),
    ]
    if description.masks:
        fields.append(pa.field("mask", pa.fixed_shape_tensor(pa.uint8(), (height, width))))
    for name in description.columns:
        kind = pa.list_(BOX)
        if name in PIXELS:
            kind = pa.fixed_shape_tensor(pa.from_numpy_dtype(PIXELS[name]), (height, width))
        fields.append(pa.field(name, kind))
    kinds = {"float": pa.float64(), "string": pa.string()}
    fields += [
        pa.field(f"factor.{name}", kinds[kind]) for name, kind in description.factors.items()
    ]
    return pa.schema(fields)


@dataclass(kw_only=True)
class Rows:
    """Rows on their way into a shard, as columns of equal length n.

    ``images`` is uint8 (n, H, W, C); ``masks`` is uint8 (n, H, W) with 1 where a pixel carries the
    label, or None where the source knows no masks. A factor that a row lacks is None or NaN.
    """

    ids: list[str]
    source_ids: list[str]
    origin: str
    labels: list[str]
    true_labels: list[str]
    variants: list[int]
    images: np.ndarray
    masks: np.ndarray | None
    factors: Mapping[str, list]
    boxes: Sequence[Sequence[Sequence[float]]] | None = None
    instances: np.ndarray | None = None
    depth: np.ndarray | None = None

    def __len__(self) -> int:
        return len(self.ids)
