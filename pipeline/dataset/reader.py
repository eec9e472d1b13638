"""Reading a dataset: columns as numpy, factors as pandas, pixels without a copy."""

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from raresight.pipeline.dataset.pixels import Pixels
from raresight.pipeline.dataset.schema import PIXELS, Description, arrow_schema
from raresight.pipeline.runtime.errors import DataError, InputMissing

if TYPE_CHECKING:
    import pandas


class Dataset:
    """A dataset folder, memory-mapped: opening it reads no pixels, and it may exceed memory.

    >>> data = Dataset("data/generated")
    >>> data.images[3]                 # one image, uint8 (H, W, C), read straight from the map
    >>> data.images[[3, 1, 4]]         # several, copied into one array (3, H, W, C)
    >>> data.boxes[3]                  # float32 (objects, 4): x, y, width, height in pixels
    >>> data.labels, data.ids          # numpy arrays of str, one entry a row
    >>> data.factors                   # pandas DataFrame, one row an image
    >>> data.torch()                   # torch Dataset of (uint8 tensor (C, H, W), class index)

    Raises InputMissing when the folder holds no dataset, DataError when it is damaged.
    """

    def __init__(self, folder: str | Path):
        self.folder = Path(folder)
        self.description = Description.read(self.folder)
        self._batches = [self._open(shard.file, shard.rows) for shard in self.description.shards]

    def _open(self, name: str, rows: int) -> pa.RecordBatch:
        path = self.folder / name
        try:
            with pa.memory_map(str(path)) as source:
                reader = pa.ipc.open_file(source)
                batch = reader.get_batch(0)
        except FileNotFoundError:
            raise InputMissing(f"{path} is missing. Run `dvc checkout {self.folder}`.") from None
        except (pa.ArrowInvalid, OSError, IndexError) as error:
            raise DataError(f"{path} is not a readable Arrow file: {error}.") from None
        if reader.num_record_batches != 1 or batch.num_rows != rows:
            raise DataError(f"{path} holds {batch.num_rows} rows; dataset.json says {rows}.")
        return batch

    def __len__(self) -> int:
        return sum(batch.num_rows for batch in self._batches)

    def __repr__(self) -> str:
        height, width, channels = self.image_shape
        return f"Dataset({str(self.folder)!r}: {len(self)} images {height}x{width}x{channels})"

    @property
    def classes(self) -> tuple[str, ...]:
        return self.description.classes

    @property
    def positive(self) -> str | None:
        return self.description.positive

    @property
    def image_shape(self) -> tuple[int, int, int]:
        return self.description.image_shape

    @cached_property
    def images(self) -> Pixels:
        """The pixels as an array-like of shape (n, H, W, C), dtype uint8."""
        return self._pixels("image", self.image_shape)

    @cached_property
    def masks(self) -> Pixels | None:
        """Which pixels carry the label: array-like (n, H, W), uint8 0 or 1; None without masks.

        Rows of a source that knows no masks read as all zero; ``has_mask`` tells them apart.
        """
        if not self.description.masks:
            return None
        return self._pixels("mask", self.image_shape[:2])

    @cached_property
    def has_mask(self) -> np.ndarray:
        """bool (n,): whether a row's mask is known."""
        return self.known("mask")

    @cached_property
    def instances(self) -> Pixels | None:
        """The number of the object seen in each pixel (0: ground): array-like (n, H, W), uint16.

        None where no source knows them; ``known("instances")`` tells which rows do.
        """
        return self._pixels_of_column("instances")

    @cached_property
    def depth(self) -> Pixels | None:
        """Distance from the camera's plane in metres: array-like (n, H, W), float32, or None."""
        return self._pixels_of_column("depth")

    @cached_property
    def boxes(self) -> "Boxes | None":
        """The boxes of each row's objects, read when asked for; None where no source knows any."""
        if "boxes" not in self.description.columns:
            return None
        return Boxes([batch.column("boxes") for batch in self._batches])

    def known(self, name: str) -> np.ndarray:
        """bool (n,): whether a row has a value in the column ``name``, such as ``depth``."""
        if name not in self._names:
            return np.zeros(len(self), bool)
        known = [batch.column(name).is_valid().to_numpy(False) for batch in self._batches]
        return np.concatenate(known) if known else np.zeros(0, bool)

    @cached_property
    def ids(self) -> np.ndarray:
        return self._strings("id")

    @cached_property
    def source_ids(self) -> np.ndarray:
        return self._strings("source_id")

    @cached_property
    def labels(self) -> np.ndarray:
        """The label as the learner sees it, str (n,)."""
        return self._strings("label")

    @cached_property
    def true_labels(self) -> np.ndarray:
        return self._strings("true_label")

    @cached_property
    def origins(self) -> np.ndarray:
        return self._strings("origin")

    @cached_property
    def variants(self) -> np.ndarray:
        """int32 (n,): 0 for an original, k for its k-th augmented copy."""
        columns = [batch.column("variant").to_numpy() for batch in self._batches]
        return np.concatenate(columns) if columns else np.zeros(0, np.int32)

    @cached_property
    def targets(self) -> np.ndarray:
        """The label as an index into ``classes``, int64 (n,)."""
        return np.searchsorted(np.asarray(self.classes), self.labels).astype(np.int64)

    @cached_property
    def roles(self) -> np.ndarray:
        """The role of each row's source (any, train_only or test_only), str (n,)."""
        role = {source["name"]: source["role"] for source in self.description.sources}
        return self._of_shards([role[shard.source] for shard in self.description.shards])

    @cached_property
    def source_names(self) -> np.ndarray:
        """The name of each row's source in ``description.sources``, str (n,)."""
        return self._of_shards([shard.source for shard in self.description.shards])

    @cached_property
    def factors(self) -> "pandas.DataFrame":
        """Every factor the generator drew, one column each, indexed by image id."""
        names = [name for name in self._names if name.startswith("factor.")]
        frame = self._table(names).to_pandas()
        frame.columns = [name.removeprefix("factor.") for name in names]
        return frame.set_index(self.ids)

    def column(self, name: str, rows: Sequence[int]) -> list:
        """The values of any column but the pixels, such as ``factor.size``, at ``rows``."""
        return self._table([name]).take(pa.array(rows, pa.int64()))[name].to_pylist()

    def frame(self) -> "pandas.DataFrame":
        """Every column but the pixels, as a pandas DataFrame indexed by image id."""
        names = [name for name in self._names if name not in ("image", "mask", *PIXELS)]
        return self._table(names).to_pandas().set_index("id")

    def torch(self, rows: Sequence[int] | None = None) -> Any:
        """A map-style ``torch.utils.data.Dataset`` over ``rows`` (all by default).

        Each item is (image, target): a uint8 tensor (C, H, W) and the index into ``classes``.
        """
        from raresight.pipeline.dataset.torch_view import TorchView

        return TorchView(self, rows)

    @property
    def _names(self) -> list[str]:
        return arrow_schema(self.description).names

    def _table(self, names: list[str]) -> pa.Table:
        full = arrow_schema(self.description)
        schema = pa.schema([full.field(name) for name in names])
        return pa.Table.from_batches([batch.select(names) for batch in self._batches], schema)

    def _pixels(self, name: str, shape: tuple[int, ...]) -> Pixels:
        dtype = PIXELS.get(name, np.dtype(np.uint8))
        shards = [_pixels(batch, name, shape) for batch in self._batches]
        return Pixels(shards, shape, dtype, mapped=True)

    def _pixels_of_column(self, name: str) -> Pixels | None:
        if name not in self.description.columns:
            return None
        return self._pixels(name, self.image_shape[:2])

    def _of_shards(self, values: list[str]) -> np.ndarray:
        rows = np.array([shard.rows for shard in self.description.shards], np.int64)
        return np.repeat(np.array(values, str), rows)

    def _strings(self, name: str) -> np.ndarray:
        columns = [batch.column(name).to_numpy(zero_copy_only=False) for batch in self._batches]
        return np.concatenate(columns).astype(str) if columns else np.zeros(0, str)


class Boxes:
    """The boxes of every row in any number of shards: ``boxes[row]`` is float32 (objects, 4), each
    (x, y, width, height) in pixels, or None where they are unknown."""

    def __init__(self, shards: Sequence[pa.ListArray]):
        self._shards = list(shards)
        self._starts = np.cumsum([0, *(len(shard) for shard in self._shards)])

    def __len__(self) -> int:
        return int(self._starts[-1])

    def __getitem__(self, row: int) -> np.ndarray | None:
        if not -len(self) <= row < len(self):
            raise IndexError(f"row {row} of {len(self)}")
        row = int(row) % len(self)
        shard = int(np.searchsorted(self._starts, row, side="right")) - 1
        found = self._shards[shard][row - int(self._starts[shard])]
        if not found.is_valid:
            return None
        return np.array(found.as_py(), np.float32).reshape(-1, 4)


def _pixels(batch: pa.RecordBatch, name: str, shape: Sequence[int]) -> np.ndarray:
    storage = batch.column(name).storage
    flat = storage.values.to_numpy(zero_copy_only=True)
    size = int(np.prod(shape))
    start = storage.offset * size
    return flat[start : start + len(storage) * size].reshape(len(storage), *shape)
