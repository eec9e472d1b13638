"""Writing tensors: their library has errors and file modes of its own."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from raresight.pipeline.runtime.errors import OutputError


@contextmanager
def writing_tensors(path: Path) -> Iterator[None]:
    """Around the ``save_file`` of safetensors that writes ``path``: a full disk is OutputError as
    anywhere else, and the file may be read by whom the umask lets read others (it has 0600)."""
    from safetensors import SafetensorError

    try:
        yield
    except SafetensorError as error:
        raise OutputError(
            f"{path} cannot be written: {error}. Outputs of earlier runs are as they were."
        ) from None
    mask = os.umask(0)
    os.umask(mask)
    path.chmod(0o666 & ~mask)
