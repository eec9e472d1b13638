"""Reading every file once: which are images, which are damaged, and which are something else."""

import hashlib
import logging
import warnings
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from PIL import Image

from raresight.generators.base import BadImages
from raresight.generators.image_file import decode, readable_name, reason

logger = logging.getLogger(__name__)

_MAX_LISTED = 10
_THREADS = 8


@dataclass(frozen=True, kw_only=True)
class Checked:
    """What reading a file showed: the sha256 of its bytes, or why it is no image.

    ``junk`` says that neither its name nor its content is that of an image, as of Thumbs.db.
    """

    path: Path
    digest: str = ""
    problem: str = ""
    junk: bool = False


def check(paths: Sequence[Path]) -> list[Checked]:
    """Read and decode every file, in threads: Pillow's decoders release the interpreter lock."""
    pool = ThreadPoolExecutor(_THREADS)
    with warnings.catch_warnings():
        # Pillow only warns of an image just above its limit; decode refuses it by its own.
        warnings.simplefilter("ignore", Image.DecompressionBombWarning)
        try:
            return list(pool.map(_check_one, paths))
        finally:
            pool.shutdown(cancel_futures=True)


def sift(checked: Sequence[Checked], place: str, *, max_unreadable: int) -> dict[Path, str]:
    """The digest of every image; what is left out is told in a warning, junk and damage apart.

    BadImages where more than ``max_unreadable`` images are damaged.
    """
    junk = [one for one in checked if one.problem and one.junk]
    bad = [one for one in checked if one.problem and not one.junk]
    if junk:
        kinds = Counter(one.path.suffix.lower() or one.path.name for one in junk)
        told = ", ".join(f"{count} {kind}" for kind, count in kinds.most_common(5))
        logger.warning("%s: passed over %d files that are no images: %s", place, len(junk), told)
    if bad:
        lines = [f"{readable_name(str(one.path))}: {one.problem}" for one in bad]
        listed = "\n".join(f"  {line}" for line in lines[:_MAX_LISTED])
        if len(bad) > _MAX_LISTED:
            listed += f"\n  ... and {len(bad) - _MAX_LISTED} more"
        if len(bad) > max_unreadable:
            raise BadImages(
                f"{place} has {len(bad)} unreadable files; "
                f"`max_unreadable` allows {max_unreadable}:\n{listed}\n"
                "Repair or remove them, or raise `max_unreadable` to skip that many.",
                details=lines,
            )
        logger.warning("%s: skipped %d unreadable files:\n%s", place, len(bad), listed)
    return {one.path: one.digest for one in checked if not one.problem}


def left_out(checked: Sequence[Checked]) -> dict[str, dict[str, str]]:
    """The files that are not taken, each with the reason: ``no_image`` and ``unreadable``."""
    bad = [one for one in checked if one.problem]
    kinds = {"no_image": True, "unreadable": False}
    return {
        kind: {readable_name(str(one.path)): one.problem for one in bad if one.junk is junk}
        for kind, junk in kinds.items()
        if any(one.junk is junk for one in bad)
    }


def content_ids(name: str, digests: Iterable[str]) -> Iterator[tuple[str, str | None]]:
    """An id for each file, and its group where another file has the same content.

    The id is made from the content; a second file of the same content gets ``-2``, and the group
    of all of them is the first one's id.
    """
    digests = [digest[:16] for digest in digests]
    counts, seen = Counter(digests), Counter[str]()
    for short in digests:
        seen[short] += 1
        first = f"{name}-{short}"
        again = f"{first}-{seen[short]}" if seen[short] > 1 else first
        yield again, (first if counts[short] > 1 else None)


def _check_one(path: Path) -> Checked:
    try:
        if not path.is_file():  # a pipe or a socket would be waited for
            return _bad(path, "not a file (or a broken link)")
        content = path.read_bytes()
        decode(content)
    except Image.UnidentifiedImageError as error:
        return _bad(path, reason(error))
    except Exception as error:  # a damaged file makes Pillow's decoders raise nearly anything
        # What begins as an image does is one, whatever its name; nothing at all is what it says.
        empty = path.exists() and path.stat().st_size == 0
        return _bad(path, reason(error)) if empty else Checked(path=path, problem=reason(error))
    return Checked(path=path, digest=hashlib.sha256(content).hexdigest())


def _bad(path: Path, problem: str) -> Checked:
    return Checked(path=path, problem=problem, junk=not named_as_image(path))


def named_as_image(path: Path) -> bool:
    """Whether a file has the suffix of an image that Pillow knows."""
    return path.suffix.lower() in _suffixes()


@cache
def _suffixes() -> frozenset[str]:
    """The suffixes of images that Pillow knows."""
    Image.init()
    return frozenset(Image.EXTENSION)
