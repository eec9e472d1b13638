"""Params files with every default written out, for tests that change single values."""

from pathlib import Path
from typing import Any

from imports import ROOT

from raresight.pipeline.commands import validate


def full_params(path: Path = ROOT / "params.yaml") -> dict[str, Any]:
    """Every section of a params file as plain values, defaults included."""
    return validate.plain(validate.run(path))
