"""Out-of-fold scores beside a model: what its recipe says of images that it did not learn from.

The file is absent where there are no folds; reading it needs no torch.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa

from raresight.pipeline.core.arrow import read_arrow
from raresight.pipeline.runtime.errors import DataError

FILE = "out_of_fold.arrow"
_SCORE = "score."


@dataclass(frozen=True, kw_only=True)
class OutOfFold:
    """Scores of images, each by a model that was trained without the fold that the image is in.

    ``ids`` is str (n,), ``folds`` int (n,) from 1 on, ``scores`` float64 (n, K) in the order of
    ``classes``.
    """

    classes: tuple[str, ...]
    ids: np.ndarray
    folds: np.ndarray
    scores: np.ndarray

    @property
    def num_folds(self) -> int:
        return int(self.folds.max())

    def sides(self) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Of each fold: which rows are learned from and which are held out, bool (n,) each."""
        for fold in range(1, self.num_folds + 1):
            held = self.folds == fold
            yield ~held, held

    def write(self, folder: Path) -> None:
        """Write the table into an existing folder, as one record batch."""
        columns = {"id": self.ids, "fold": self.folds.astype(np.int32)}
        columns |= {f"{_SCORE}{label}": self.scores[:, k] for k, label in enumerate(self.classes)}
        batch = pa.record_batch({name: pa.array(values) for name, values in columns.items()})
        with pa.OSFile(str(folder / FILE), "wb") as sink, pa.ipc.new_file(sink, batch.schema) as to:
            to.write_batch(batch)

    @classmethod
    def read(cls, folder: Path) -> "OutOfFold | None":
        """The table of a folder, None where there is none; DataError where it is damaged."""
        path = folder / FILE
        if not path.is_file():
            return None
        try:
            table = read_arrow(path, missing="Run `raresight train` again.")
            labels = [name for name in table.column_names if name.startswith(_SCORE)]
            return cls(
                classes=tuple(name.removeprefix(_SCORE) for name in labels),
                ids=table["id"].to_numpy().astype(str),
                folds=table["fold"].to_numpy(),
                scores=np.stack([table[name].to_numpy() for name in labels], axis=1),
            )
        except (pa.ArrowException, KeyError, ValueError) as error:
            raise DataError(f"{path} is no table of out-of-fold scores: {error}.") from None
