"""Image files as pixels, many at a time, in worker processes."""

import hashlib
import os
import stat
import warnings
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from PIL import UnidentifiedImageError

from raresight.generators.image_file import AS_IT_IS, Reading, read_image, readable_name, reason
from raresight.pipeline.evaluation.decisions.unlike import pixel_statistics
from raresight.pipeline.runtime import stores
from raresight.pipeline.runtime.errors import InputMissing

_CHUNK_BYTES = 8 << 20  # of pixels, that travel between processes together
_MOST = 512


@dataclass(frozen=True, kw_only=True)
class Chunk:
    """Files to be read as images of ``shape`` (height, width)."""

    files: Sequence[str]
    shape: tuple[int, int]
    reading: Reading = AS_IT_IS
    found: frozenset[str] = frozenset()  # by nobody named, and not named as images are


@dataclass(frozen=True, kw_only=True, eq=False)
class Images:
    """n images: their ``files`` and ``ids``, uint8 (n, H, W, C) pixels and their statistics (n, 8).

    ``labels`` and ``groups`` (n,) are None where they are not known. ``unreadable`` are files, and
    why they could not be read; ``passed_over`` those found in a folder that are no images, such as
    Thumbs.db.
    """

    files: Sequence[str]
    ids: Sequence[str]
    pixels: np.ndarray
    statistics: np.ndarray
    labels: Sequence[str | None] | None = None
    groups: Sequence[str | None] | None = None
    unreadable: Sequence[tuple[str, str]] = ()
    passed_over: Sequence[str] = ()


def rows_per_chunk(shape: tuple[int, int]) -> int:
    """How many images are read together: few enough for any memory, enough to keep a CPU busy."""
    return max(16, min(_MOST, _CHUNK_BYTES // (3 * shape[0] * shape[1])))


def read_chunk(chunk: Chunk) -> Images:
    """Read the files as training images are read; an id is made of a file's content."""
    pixels = np.empty((len(chunk.files), *chunk.shape, 3), np.uint8)
    files: list[str] = []
    ids: list[str] = []
    unreadable: list[tuple[str, str]] = []
    passed_over: list[str] = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Pillow's, about the file; what cannot be read is an error
        for file in chunk.files:
            try:
                content = _content(file)
                pixels[len(files)] = read_image(content, chunk.shape, chunk.reading)
            except UnidentifiedImageError as error:
                if file in chunk.found:
                    passed_over.append(readable_name(file))
                else:
                    unreadable.append((readable_name(file), reason(error)))
                continue
            except Exception as error:  # a damaged file makes Pillow's decoders raise anything
                unreadable.append((readable_name(file), reason(error)))
                continue
            files.append(readable_name(file))
            ids.append(hashlib.sha256(content).hexdigest()[:16])
    read = pixels[: len(files)]
    return Images(
        files=files,
        ids=ids,
        pixels=read,
        statistics=pixel_statistics(read),
        unreadable=unreadable,
        passed_over=passed_over,
    )


def _content(file: str) -> bytes:
    if stores.is_url(file):
        try:
            return stores.read_bytes(file)
        except InputMissing as error:  # the message begins with the file, which its reader names
            raise ValueError(str(error).removeprefix(f"{file} ")) from None
    try:
        regular = stat.S_ISREG(os.stat(file).st_mode)
    except FileNotFoundError:
        regular = False
    if not regular:  # a pipe or a socket would be waited for
        raise ValueError("not a file (or a broken link)")
    with open(file, "rb", buffering=0) as opened:
        return opened.read()
