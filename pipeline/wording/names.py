"""What the rows of results are called, in the terminal and on the page."""

from collections.abc import Mapping
from typing import Any

from raresight.pipeline.evaluation.baselines.registry import BASELINES

RANDOM = "random baseline"


def row_names(results: Mapping[str, Any]) -> dict[str, str]:
    """The entries of results.json that are set side by side, with their names, in order."""
    return {
        "test": "model",
        "perturbed": "model, perturbed images",
        **{name: baseline.label for name, baseline in BASELINES.items()},
        "random_baseline": RANDOM,
        "majority_baseline": majority_name(results["majority_baseline"]["answer"]),
    }


def majority_name(label: str) -> str:
    """The baseline that predicts ``label`` for every image."""
    return f"always '{label}'"
