"""Reading a dataset: columns as numpy, factors as pandas, pixels without a copy."""

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from raresight.pipeline.core.arrow import places_in, reading
from raresight.pipeline.dataset.annotations import Boxes, PixelMaps
from raresight.pipeline.dataset.columns import PIXELS
from raresight.pipeline.dataset.pixels import Pixels
from raresight.pipeline.dataset.schema import FACTOR, OPTIONAL, Description, arrow_schema
from raresight.pipeline.runtime.errors import DataError

if TYPE_CHECKING:
    import pandas

    from raresight.pipeline.dataset.torch_view import TorchView


class Dataset:
    """A dataset folder, memory-mapped: opening it reads no pixels, and it may exceed memory.

    >>> data = Dataset("data/generated")
    >>> data.images[3]                 # one image, uint8 (H, W, C), read straight from the map
    >>> data.images[[3, 1, 4]]         # several, copied into one array (3, H, W, C)
    >>> data.masks[3]                  # uint8 (H, W), straight from the map; None where unknown
    >>> data.boxes[3]                  # float32 (objects, 4): x, y, width, height in pixels
    >>> data.labels, data.ids          # numpy arrays of str, one entry a row
    >>> data.factors                   # pandas DataFrame, one row an image
    >>> data.torch()                   # torch Dataset of (uint8 tensor (C, H, W), class index)

    Raises InputMissing when the folder holds no dataset, DataError when it is damaged.
    """

    def __init__(self, folder: str | Path):
        self.folder = Path(folder)
        self.name = str(folder)  # what it is called to people: its URL, where it has one
        self.description = Description.read(self.folder)
        self._schema = arrow_schema(self.description)
        self._batches = [self._open(shard.file, shard.rows) for shard in self.description.shards]

    def _open(self, name: str, rows: int) -> pa.RecordBatch:
        path = self.folder / name
        with reading(path, missing=f"Run `dvc checkout {self.folder}`."):
            with pa.memory_map(str(path)) as source:
                reader = pa.ipc.open_file(source)
                batch = reader.get_batch(0)
            batch.validate(full=True)  # ids and masks have offsets; pixels have none to be read
            if reader.num_record_batches != 1 or batch.num_rows != rows:
                raise DataError(f"{path} holds {batch.num_rows} rows; dataset.json says {rows}.")
            if not batch.schema.equals(self._schema):
                told = ", ".join(batch.schema.names)
                raise DataError(f"{path} has other columns than dataset.json says: {told}.")
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

    def values(self, name: str) -> Any:
        """A column, indexed by row, in the form of its kind (pipeline/dataset/columns.py).

        None where no source knows the column, KeyError where there is no such column.
        """
        if name not in self._schema.names:
            if name not in OPTIONAL:
                raise KeyError(f"{self.folder} has no column {name}")
            return None
        kind = self.description.kinds()[name].kind
        return kind.decode([batch.column(name) for batch in self._batches], self.image_shape)

    @cached_property
    def images(self) -> Pixels:
        """The pixels as an array-like of shape (n, H, W, C), dtype uint8."""
        found: Pixels = self.values("image")
        return found

    @cached_property
    def masks(self) -> PixelMaps | None:
        """Which pixels carry the label: uint8 (H, W), 0 or 1, a row; None without masks.

        A row is None where a source knows no masks; in arrays of several rows that reads as zero,
        and ``has_mask`` tells them apart.
        """
        found: PixelMaps | None = self.values("mask")
        return found

    @cached_property
    def has_mask(self) -> np.ndarray:
        """bool (n,): whether a row's mask is known."""
        return self.known("mask")

    @cached_property
    def instances(self) -> PixelMaps | None:
        """The number of the object seen in each pixel (0: background): uint16 (H, W) a row.

        None where no source knows them; ``known("instances")`` tells which rows do.
        """
        found: PixelMaps | None = self.values("instances")
        return found

    @cached_property
    def depth(self) -> PixelMaps | None:
        """Distance from the camera's plane in metres: float32 (H, W) a row, or None."""
        found: PixelMaps | None = self.values("depth")
        return found

    @cached_property
    def boxes(self) -> Boxes | None:
        """The boxes of each row's objects, read when asked for; None where no source knows any."""
        found: Boxes | None = self.values("boxes")
        return found

    def arrow(self, name: str) -> pa.ChunkedArray:
        """A column as Arrow has it, a chunk a shard, straight from the map."""
        return pa.chunked_array(
            [batch.column(name) for batch in self._batches], self._schema.field(name).type
        )

    def known(self, name: str) -> np.ndarray:
        """bool (n,): whether a row has a value in the column ``name``, such as ``depth``."""
        if name not in self._schema.names:
            return np.zeros(len(self), bool)
        known = [batch.column(name).is_valid().to_numpy(False) for batch in self._batches]
        return np.concatenate(known) if known else np.zeros(0, bool)

    @cached_property
    def ids(self) -> np.ndarray:
        return self._array("id")

    @cached_property
    def source_ids(self) -> np.ndarray:
        return self._array("source_id")

    @cached_property
    def groups(self) -> np.ndarray:
        """What belongs together, such as the patient, str (n,); the source where nothing is known.

        The split may join groups: what was assigned and is resampled together are those of
        :meth:`raresight.pipeline.splitting.table.Splits.groups`.
        """
        return self._array("group")

    @cached_property
    def labels(self) -> np.ndarray:
        """The label as the learner sees it, str (n,)."""
        return self._array("label")

    @cached_property
    def true_labels(self) -> np.ndarray:
        return self._array("true_label")

    @cached_property
    def origins(self) -> np.ndarray:
        return self._array("origin")

    @cached_property
    def variants(self) -> np.ndarray:
        """int32 (n,): 0 for an original, k for its k-th augmented copy."""
        return self._array("variant")

    @cached_property
    def targets(self) -> np.ndarray:
        """The label as an index into ``classes``, int64 (n,).

        DataError where a label is none of them.
        """
        found = places_in(self.arrow("label"), self.classes)
        if (found < 0).any():
            row = int(np.argmax(found < 0))
            label = self.arrow("label")[row].as_py()
            raise DataError(
                f"{self.folder} labels {self.arrow('id')[row].as_py()!r} as {label!r}, and its "
                f"classes are {', '.join(self.classes)}. Run the stage that wrote it again."
            )
        return found

    @cached_property
    def given_splits(self) -> np.ndarray:
        """The split that whoever made the images gave each row, str (n,); "" where none did."""
        if "given_split" in self._schema.names:
            return self._array("given_split")
        return np.full(len(self), "")

    @cached_property
    def source_names(self) -> np.ndarray:
        """The name of each row's source in ``description.sources``, str (n,)."""
        return self._of_shards([shard.source for shard in self.description.shards])

    @cached_property
    def factors(self) -> "pandas.DataFrame":
        """Every factor the generator drew, one column each, indexed by image id."""
        names = [f"{FACTOR}{name}" for name in self.description.factors]
        frame: pandas.DataFrame = self._table(names).to_pandas()
        frame.columns = list(self.description.factors)
        return frame.set_index(self.ids)

    def column(self, name: str, rows: Sequence[int] | np.ndarray) -> list[Any]:
        """The values of any column but the pixels, such as ``factor.size``, at ``rows``."""
        taken = self._table([name]).take(pa.array(rows, pa.int64()))
        found: list[Any] = taken[name].to_pylist()
        return found

    def frame(self) -> "pandas.DataFrame":
        """Every column but the pixels, as a pandas DataFrame indexed by image id."""
        columns = self.description.kinds().items()
        names = [name for name, column in columns if not isinstance(column.kind, PIXELS)]
        frame: pandas.DataFrame = self._table(names).to_pandas()
        return frame.set_index("id")

    def torch(self, rows: Sequence[int] | None = None) -> "TorchView":
        """A map-style ``torch.utils.data.Dataset`` over ``rows`` (all by default).

        Each item is (image, target): a uint8 tensor (C, H, W) and the index into ``classes``.
        """
        from raresight.pipeline.dataset.torch_view import TorchView

        return TorchView(self, rows)

    def _table(self, names: list[str]) -> pa.Table:
        schema = pa.schema([self._schema.field(name) for name in names])
        return pa.Table.from_batches([batch.select(names) for batch in self._batches], schema)

    def _array(self, name: str) -> np.ndarray:
        found: np.ndarray = self.values(name)
        return found

    def _of_shards(self, values: list[str]) -> np.ndarray:
        rows = np.array([shard.rows for shard in self.description.shards], np.int64)
        return np.repeat(np.array(values, str), rows)
