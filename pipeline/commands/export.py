"""export: the trained model, for other places and other programs."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from raresight.pipeline.prediction.model_folder import ModelFolder, open_model_folder
from raresight.pipeline.prediction.packing import pack

Exporter = Callable[[ModelFolder, Path], dict[str, Any]]

FORMATS: Mapping[str, Exporter] = {"folder": pack}


def run(model: Path, *, format: str, out: Path) -> dict[str, Any]:
    """Write the model of a folder as ``out`` in one of FORMATS; returns its card."""
    return FORMATS[format](open_model_folder(model, need_decision=True), out)
