"""What the checks found that belongs in the verdict: a class known by the wrong thing."""

from collections.abc import Iterator, Mapping
from typing import Any

from raresight.pipeline.wording import augmentation_check, near_duplicates, object_removed


def in_verdict(results: Mapping[str, Any]) -> Iterator[str | tuple[str, str]]:
    """Parts of the verdict, from the contents of results.json; none where nothing is wrong."""
    yield from near_duplicates.in_verdict(results)
    yield from augmentation_check.in_verdict(results)
    yield from object_removed.in_verdict(results)
