"""Test images that show what was learned from, or chosen on, as `split` found them."""

from pathlib import Path

from raresight.pipeline.core.inputs import read_mapping, understood


def near_duplicates(splits: Path) -> dict[str, int] | None:
    """How many test images are such, by the summary of the folder ``splits``; None for none."""
    place = splits / "summary.json"
    found, names = read_mapping(place), ("test_images", "across_splits", "pairs")
    with understood(str(place), "Run `raresight split` again."):
        known = found.get("near_duplicates", {})
        return {name: int(known[name]) for name in names} if known.get("test_images") else None
