"""What few positives in validation cost, and what ``train.folds`` gives back of it.

``python -m benchmarks.folds [--seeds 3] [--first 1] [--json FILE]``: drawn stars among circles and
squares, 4 % of all; some 17 of them in train and 3 in validation, and 200 in a test
set that says what a threshold is worth. Of every seed the whole pipeline runs twice, without folds
and with five. The best possible F1 is that of the same model at the best threshold of the test set,
which nobody could know. One core, some minutes.
"""

import argparse
import json
import os
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from rich.console import Console
from rich.table import Table
from ruamel.yaml import YAML

from benchmarks.inputs import params_document
from raresight.pipeline.evaluation.decisions.thresholds import choose
from raresight.pipeline.evaluation.params import MaxF1
from raresight.pipeline.stages import augment, evaluate, generate, split, train

FOLDS, POSITIVE = 5, "star"
_EASY = {"size": [0.6, 0.8], "clutter": [0, 0], "occlusion": [0.0, 0.0], "grounds": ["plain"]}
_OTHERS = ("circle", "square")
_RULES = {"highest F1": MaxF1(smooth_below=0), "expected F1 (default)": MaxF1()}


def document(seed: int, folds: int | None) -> dict[str, Any]:
    """A whole params file: 500 images to learn from, 5,000 to test on."""
    found = params_document()

    def source(name: str, positives: int, splits: Any) -> dict[str, Any]:
        others = dict.fromkeys(_OTHERS, positives * 24 // len(_OTHERS))
        options = {"classes": [POSITIVE, *_OTHERS], **_EASY}
        counts = {POSITIVE: positives, **others}
        return {
            "name": name, "generator": "shapes", "options": options, "counts": counts,
            "splits": splits,
        }  # fmt: skip

    found["generate"] = {
        "seed": seed,
        "image_size": 32,
        "positive": POSITIVE,
        "sources": [
            source("seen", 20, {"train": 0.85, "val": 0.15}),
            source("unseen", 200, ["test"]),
        ],
    }
    found["augment"]["copies"] = {}
    found["split"]["seed"] = seed
    found["train"].update(seed=seed, folds=folds, epochs=60, batch_size=32, threads=1)
    found["train"]["batch_augment"].update(
        flip="both", rotate90=True, shift=3, brightness=0.1, contrast=0.1
    )
    found["train"]["model"].update(width=8, blocks=[1, 1])
    found["train"]["optimizer"]["learning_rate"] = 3.0e-3
    found["train"]["sampler"]["max_per_class"] = None
    found["evaluate"].update(threshold={"name": "max_f1"}, num_bootstrap=200, perturb=[], threads=1)
    return found


def run(folder: Path, seed: int) -> Iterator[dict[str, Any]]:
    """Both trainings of a seed, judged by each rule."""
    params, data = folder / "params.yaml", folder / "data"
    for folds in (None, FOLDS):
        YAML().dump(document(seed, folds), params)
        if folds is None:
            for stage in (generate, augment):
                stage.run(params, data, workers=1)
            split.run(params, data)
        train.run(params, data, device="cpu")
        results = evaluate.run(params, data, device="cpu")
        val, test = (_scores(data / "evaluation/predictions" / f"{n}.arrow") for n in _SETS)
        best = max(_f1(*test, value) for value in np.unique(test[0][test[1]]))
        chosen = {name: _f1(*test, choose(rule, *val).value) for name, rule in _RULES.items()}
        held = results["threshold"]["with_choice"]
        yield {
            "seed": seed,
            "folds": folds,
            "decided_by": int(val[1].sum()),
            "average_precision": results["test"]["average_precision"],
            "best": best,
            "f1": chosen,
            "recall": results["test"]["recall"],
            "recall_interval": [results["test"]["recall_low"], results["test"]["recall_high"]],
            "recall_with_choice": [held["recall_low"], held["recall_high"]],
        }


_SETS = ("val", "test")


def _scores(path: Path) -> tuple[np.ndarray, np.ndarray]:
    """Scores of the positive class, and which images are of it."""
    with pa.OSFile(str(path)) as file:
        table = pa.ipc.open_file(file).read_all()
    return table[f"score.{POSITIVE}"].to_numpy(), table["label"].to_numpy() == POSITIVE


def _f1(scores: np.ndarray, positive: np.ndarray, threshold: float) -> float:
    called = scores >= threshold
    return float(2 * (called & positive).sum() / (called.sum() + positive.sum()))


def _print(rows: list[dict[str, Any]]) -> None:
    table = Table(title="F1 on 200 test positives, by what the threshold was decided on")
    for heading in ("seed", "folds", "positives", "AP", "best", *_RULES, "recall", "with choice"):
        table.add_column(heading, justify="right")
    for row in rows:
        ends = (row["recall_interval"], row["recall_with_choice"])
        table.add_row(
            str(row["seed"]),
            str(row["folds"] or "-"),
            str(row["decided_by"]),
            f"{row['average_precision']:.3f}",
            f"{row['best']:.3f}",
            *(f"{row['f1'][name]:.3f} ({row['f1'][name] - row['best']:+.3f})" for name in _RULES),
            *(f"{low:.2f}-{high:.2f}" for low, high in ends),
        )
    console = Console()
    console.width = max(console.width, 110)
    console.print(table)


def main() -> None:
    parser = argparse.ArgumentParser("python -m benchmarks.folds")
    parser.add_argument("--seeds", type=int, default=3, help="how many (default: 3)")
    parser.add_argument("--first", type=int, default=1, help="the first of them (default: 1)")
    parser.add_argument("--json", type=Path, help="write every row")
    asked = parser.parse_args()
    os.environ["RARESIGHT_VERBOSITY"] = "-1"
    rows = []
    for seed in range(asked.first, asked.first + asked.seeds):
        with tempfile.TemporaryDirectory(prefix="raresight-bench-") as folder:
            for row in run(Path(folder), seed):
                rows.append(row)
                print(json.dumps(row), file=sys.stderr, flush=True)
    if asked.json:
        asked.json.write_text(json.dumps(rows))
    _print(rows)


if __name__ == "__main__":
    main()
