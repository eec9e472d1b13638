"""A first look at every image: which are images at all, how large, and how deep their values go.

Only the header of an image is read, unless its values have more than 8 bits: which of them are
black and white is a question to all of them.
"""

import hashlib
import warnings
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from PIL import Image

from raresight.generators.image_file import reason
from raresight.generators.reading.decoding import NoContent, decode, header_of, values_of
from raresight.generators.reading.ranges import Extent, Range, extent_of
from raresight.generators.real.budget import PixelBudget
from raresight.generators.real.contents import Content

T = TypeVar("T")
_THREADS = 8
_IN_FLIGHT = PixelBudget(80_000_000)  # as one image may have, of all threads together


@dataclass(frozen=True, kw_only=True)
class Surveyed:
    """What a first look at an image showed: the sha256 of its bytes and its size (width, height),
    of one that is ``deep``, with more than 8 bits, how far its values reach; or the ``problem``.

    ``junk`` says that neither its name nor its content is that of an image, as of Thumbs.db.
    """

    content: Content
    digest: str = ""
    size: tuple[int, int] = (0, 0)
    deep: bool = False
    extent: Extent | None = None
    problem: str = ""
    junk: bool = False


def survey(contents: Sequence[Content], value_range: Range | None) -> list[Surveyed]:
    """Look at every image, in threads.

    Where the range of values of more than 8 bits is not given in numbers, how far they reach is
    looked at, too: with None, to find it; with ``dtype``, to hold them to it.
    """
    return _in_threads(lambda content: _look_at(content, value_range), contents)


def damaged(contents: Sequence[Content]) -> list[Surveyed]:
    """Those that cannot be decoded: the slow look, where it is known already that some cannot."""
    looked = _in_threads(_decode, contents)
    return [one for one in looked if one.problem]


def _in_threads(look: Callable[[Content], T], contents: Sequence[Content]) -> list[T]:
    """Pillow's decoders and hashes release the interpreter lock."""
    pool = ThreadPoolExecutor(_THREADS)
    with without_bomb_warning():
        try:
            return list(pool.map(look, contents))
        finally:
            pool.shutdown(cancel_futures=True)


@contextmanager
def without_bomb_warning() -> Iterator[None]:
    """Pillow only warns of an image just above its limit; decoding refuses it by its own."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", Image.DecompressionBombWarning)
        yield


def _look_at(content: Content, value_range: Range | None) -> Surveyed:
    try:
        found = content.read()
        header = header_of(found)
        extent = None
        if header.deep and not isinstance(value_range, tuple):
            with _IN_FLIGHT.holding(header.size):
                extent = _reached(found, value_range)
    except Exception as error:  # a damaged file makes Pillow's decoders raise nearly anything
        return _bad(content, error)
    return Surveyed(
        content=content,
        digest=digest_of(found),
        size=header.size,
        deep=header.deep,
        extent=extent,
    )


def _reached(found: bytes | np.ndarray, value_range: Range | None) -> Extent | None:
    """How far the values of more than 8 bits reach; ValueError where they do not fit the range."""
    if (deep := values_of(found)) is None:
        return None
    extent = extent_of(deep)
    if value_range == "dtype":
        deep.levels(value_range)
    return extent


def _decode(content: Content) -> Surveyed:
    try:
        found = content.read()
        with _IN_FLIGHT.holding(header_of(found).size):
            decode(found)
    except Exception as error:  # as above
        return _bad(content, error)
    return Surveyed(content=content)


def _bad(content: Content, error: Exception) -> Surveyed:
    # What begins as an image does is one, whatever its name; nothing at all is what it says.
    looks_like_none = isinstance(error, (Image.UnidentifiedImageError, NoContent))
    junk = looks_like_none and not content.named_as_image
    return Surveyed(content=content, problem=reason(error), junk=junk)


def digest_of(content: bytes | np.ndarray) -> str:
    """The sha256 of an image's bytes; of an array with its shape and type."""
    if isinstance(content, bytes):
        return hashlib.sha256(content).hexdigest()
    kind = f"{content.dtype.str} {content.shape}".encode()
    return hashlib.sha256(kind + np.ascontiguousarray(content).tobytes()).hexdigest()
