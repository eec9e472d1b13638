"""What is taken of the images that were found: junk and damage told apart, and an id for each."""

import logging
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from raresight.generators.base import BadImages
from raresight.generators.real.survey import Surveyed

logger = logging.getLogger(__name__)

_MAX_LISTED = 10


def tell_junk(junk: Sequence[Surveyed], place: str) -> None:
    """A warning that counts what was passed over, by the suffixes of the files."""
    if junk:
        names = [Path(one.content.name) for one in junk]
        kinds = Counter(name.suffix.lower() or name.name for name in names)
        told = ", ".join(f"{count} {kind}" for kind, count in kinds.most_common(5))
        logger.warning("%s: passed over %d files that are no images: %s", place, len(junk), told)


def tell_damaged(damaged: Mapping[str, str], place: str, *, max_unreadable: int) -> None:
    """A warning with the damaged images and their reasons; BadImages where they are too many."""
    if not damaged:
        return
    lines = [f"{name}: {problem}" for name, problem in damaged.items()]
    listed = "\n".join(f"  {line}" for line in lines[:_MAX_LISTED])
    if len(lines) > _MAX_LISTED:
        listed += f"\n  ... and {len(lines) - _MAX_LISTED} more"
    if len(lines) > max_unreadable:
        raise BadImages(
            f"{place} has {len(lines)} unreadable files; "
            f"`max_unreadable` allows {max_unreadable}:\n{listed}\n"
            "Repair or remove them, or raise `max_unreadable` to skip that many.",
            details=lines,
        )
    logger.warning("%s: skipped %d unreadable files:\n%s", place, len(lines), listed)


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
