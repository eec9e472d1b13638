"""Test images that show what was learned from, or chosen on, as `split` found them."""

from pathlib import Path

from raresight.pipeline.core.files import read_json


def near_duplicates(splits: Path) -> dict[str, int] | None:
    """How many test images are such, by the summary of the folder ``splits``; None for none."""
    found = read_json(splits / "summary.json").get("near_duplicates", {})
    names = ("test_images", "across_splits", "pairs")
    return {name: found[name] for name in names} if found.get("test_images") else None
