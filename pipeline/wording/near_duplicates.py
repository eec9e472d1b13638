"""What near duplicates across splits mean, in words: the verdict, the page, the card."""

from collections.abc import Iterator, Mapping
from typing import Any

from raresight.pipeline.wording.numbers import count, share


def in_verdict(results: Mapping[str, Any]) -> Iterator[str | tuple[str, str]]:
    """Parts of the verdict, from the contents of results.json; none where nothing is wrong."""
    found = results.get("near_duplicates")
    if found is None:
        return
    total = sum(results["counts"]["test"].values())
    seen = found["test_images"]
    yield (f" {count(seen)} of {count(total)} test images ({share(seen / total)})", "bold")
    yield (
        " show the same as an image of train or val: these figures are better than on new images. "
        "`split.near_duplicates: together` or `drop` mends it."
    )


def of_split(found: Mapping[str, Any]) -> str:
    """What `split` found, from ``near_duplicates`` of its summary.json."""
    if not found["compared"]:
        return "Images were not compared with each other for near duplicates."
    if not found["pairs"]:
        return f"{count(found['compared'])} real images were compared; no two show the same."
    ways = {
        "report": "nothing was done about them",
        "together": "they are kept in one split",
        "drop": "of two in different splits one is left out",
        "refuse": "none may be in different splits",
    }
    return (
        f"{count(found['compared'])} real images were compared: {count(found['pairs'])} pairs show "
        f"the same, {count(found['across_splits'])} of them in different splits and "
        f"{count(found['different_labels'])} under different labels "
        f"(near_duplicates: {found['choice']}; {ways[found['choice']]})."
    )
