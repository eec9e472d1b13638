"""What was exported of a dataset, in a few words."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from raresight.pipeline.exports.registry import FORMATS


def render(found: Mapping[str, Any], out: str | Path) -> str:
    """How many images of each split were written, and who opens them."""
    splits = ", ".join(f"{sum(of.values()):,} {name}" for name, of in found["images"].items())
    opened_by = FORMATS[found["format"]].opened_by.replace("DIR", str(out)).replace("`", "")
    return f"wrote {out}: {splits}\n{opened_by}"
