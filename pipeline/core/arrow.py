"""Arrow files that may be damaged, or a stranger's: checked before a value is read from them.

Arrow believes what a file says of itself, and an offset beyond its buffer ends the process.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from raresight.pipeline.runtime.errors import DataError, InputMissing


@contextmanager
def reading(path: Path | str, *, missing: str) -> Iterator[None]:
    """Whatever Arrow makes of a file that is none: DataError; InputMissing where there is none.

    ``missing`` says what to do then.
    """
    try:
        yield
    except FileNotFoundError:
        raise InputMissing(f"{path} does not exist. {missing}") from None
    except (pa.ArrowException, OSError, ValueError, KeyError, IndexError, TypeError) as error:
        cause = " ".join(str(error).split())
        raise DataError(f"{path} is not a readable Arrow file: {cause}.") from None


def read_arrow(path: Path, *, missing: str, content: Any = None) -> pa.Table:
    """The table in an Arrow file (or in ``content``, then ``path`` is only its name), every value
    of which may be read.

    Raises InputMissing where there is none, ending with ``missing``, and DataError for a bad one.
    """
    with reading(path, missing=missing):
        if content is not None:
            table = pa.ipc.open_file(content).read_all()
        else:
            with pa.OSFile(str(path), "rb") as source:
                table = pa.ipc.open_file(source).read_all()
        table.validate(full=True)
    return table


def places_in(column: pa.ChunkedArray, names: Sequence[str]) -> np.ndarray:
    """Where each value of a column stands among ``names``, int64 (n,); -1 where it is none."""
    found = pc.index_in(column, value_set=pa.array(names, pa.string()))
    return np.asarray(pc.fill_null(found, -1).to_numpy(), np.int64)
