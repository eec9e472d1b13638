"""What enlarging a rare class gives, beside nothing, plain copies and new real images.

``python -m benchmarks.enlarging [pathology digits] [--seeds 3] [--json FILE]``. ``pathology``:
drawn tissue of 32 pixels, 100 dividing cells beside 3,000 patches without one, 8 made images for
each positive (or 4 and 4), as many steps for every net of the product, judged on 600 + 3,000 new
patches; one core, half a minute an arm and seed. ``digits``: scikit-learn's real digits, 15 of the
rare class beside all others of 1,000, a support vector machine, and stand-ins for composites, which
digits without masks have none of; the stage's rule chooses on validation. Some seconds a seed.
"""

import argparse
import json
import os
import sys
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table
from ruamel.yaml import YAML

from benchmarks.inputs import params_document
from benchmarks.trained import tested

POSITIVE, KNOWN, OTHERS, MADE, NEW = "mitotic", 100, 3000, 8, 4
EPOCHS = 20  # without made images; with them as many steps
# Of each arm: copies and composites of each positive, and how many times as many real ones.
ARMS: Mapping[str, tuple[int, int, int]] = {
    "nothing": (0, 0, 1),
    "copies": (MADE, 0, 1),
    "composites": (0, MADE, 1),
    "half copies, half composites": (MADE // 2, MADE // 2, 1),
    f"{NEW} times as many new positives": (0, 0, 1 + NEW),
}


def pathology_document(seed: int, copies: int, composites: int, real: int) -> dict[str, Any]:
    """Params of an arm: what teaches, what chooses and what judges are sources of their own."""
    found = params_document()

    def source(name: str, positives: int, others: int, split: str) -> dict[str, Any]:
        return {
            "name": name, "generator": "pathology", "splits": [split],
            "counts": {POSITIVE: positives, "normal": others},
        }  # fmt: skip

    found["generate"] = {
        "seed": seed,
        "image_size": 32,
        "positive": POSITIVE,
        "sources": [
            source("seen", KNOWN * real, OTHERS, "train"),
            source("judged", 200, 2000, "val"),
            source("unseen", 600, 3000, "test"),
        ],
    }
    found["augment"]["copies"] = {POSITIVE: copies} if copies else {}
    found["enlarge"] = {"seed": seed, "classes": {POSITIVE: composites} if composites else {}}
    images = OTHERS + KNOWN * (real + copies + composites)
    epochs = round(EPOCHS * (OTHERS + KNOWN) / images)
    found["train"].update(seed=seed, epochs=epochs, batch_size=64, threads=1, early_stopping=None)
    found["train"]["batch_augment"].update(flip="both", rotate90=True, shift=4)
    found["train"]["model"].update(width=16, blocks=[1, 1, 1])
    found["train"]["optimizer"]["learning_rate"] = 5.0e-3
    found["train"]["sampler"]["max_per_class"] = None
    return found


def pathology(seed: int) -> Iterator[dict[str, Any]]:
    """A row an arm: average precision on validation and on test, and what the checks say."""
    from raresight.pipeline.core.files import read_json
    from raresight.pipeline.core.params import load_section
    from raresight.pipeline.stages import augment, enlarge, generate, split
    from raresight.pipeline.training.inputs import open_images
    from raresight.pipeline.training.params import TrainParams

    for arm, amounts in ARMS.items():
        with tempfile.TemporaryDirectory(prefix="raresight-bench-") as name:
            params, data = Path(name) / "params.yaml", Path(name) / "data"
            YAML().dump(pathology_document(seed, *amounts), params)
            generate.run(params, data, workers=1)
            augment.run(params, data, workers=1)
            split.run(params, data)
            enlarge.run(params, data)
            train = load_section(params, "train", TrainParams)
            images = open_images(params, train, data)
            chosen, judged = tested(images, train, data, "val", "test")
            checks = read_json(data / "enlarged/report.json")["classes"]
            yield {"seed": seed, "arm": arm, "val": chosen, "AP": judged, "checks": checks}


def table(name: str, rows: list[dict[str, Any]]) -> Table:
    """Means over the seeds; gains over nothing and over plain copies with their standard error."""
    seeds = sorted({row["seed"] for row in rows})
    by_arm = {
        arm: np.array([[row["val"], row["AP"]] for row in rows if row["arm"] == arm])
        for arm in dict.fromkeys(row["arm"] for row in rows)
    }
    shown = Table(title=f"{name}: {len(seeds)} seeds")
    for heading in ("learned from, besides", "validation", "test", "gain", "over copies"):
        shown.add_column(heading, justify="left" if shown.columns == [] else "right")
    for arm, values in by_arm.items():
        gains = [_gain(values[:, 1] - by_arm[base][:, 1]) for base in ("nothing", "copies")]
        shown.add_row(arm, *(f"{one:.3f}" for one in values.mean(axis=0)), *gains)
    return shown


def _gain(differences: np.ndarray) -> str:
    error = differences.std(ddof=1) / len(differences) ** 0.5 if len(differences) > 1 else 0.0
    return f"{differences.mean():+.3f} ± {error:.3f}"


SCENARIOS = {"pathology": pathology}


def main() -> None:
    """Measure what is asked for and print it."""
    parser = argparse.ArgumentParser("python -m benchmarks.enlarging")
    parser.add_argument("names", nargs="*", help=f"of {', '.join(SCENARIOS)} (default: all)")
    parser.add_argument("--seeds", type=int, default=3, help="how many (default: 3)")
    parser.add_argument("--json", type=Path, help="write every row")
    asked = parser.parse_args()
    os.environ["RARESIGHT_VERBOSITY"] = "-1"
    console, every = Console(), {}
    console.width = max(console.width, 110)
    for name in asked.names or SCENARIOS:
        rows = every[name] = []
        for seed in range(1, asked.seeds + 1):
            for row in SCENARIOS[name](seed):
                rows.append(row)
                print(json.dumps(row), file=sys.stderr, flush=True)
        console.print(table(name, rows))
        if asked.json:
            asked.json.write_text(json.dumps(every))


if __name__ == "__main__":
    main()
