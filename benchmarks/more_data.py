"""Does the interval of ``raresight plan --more-data`` hold the truth, with the product's own net?

``python -m benchmarks.more_data [--worlds 4] [--seeds 3] [--json FILE]``: the whole command on
small worlds of drawn shapes, 32 stars beside 400 others, and then as many trainings with the same
stars and as many, or three times as many, new ones, judged on the same validation images. Every
world has other images, and is harder than the one before. One core: a minute a world.
"""

import argparse
import json
import os
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table
from ruamel.yaml import YAML

from benchmarks.inputs import params_document

POSITIVE, KNOWN, OTHERS = "star", 32, 400
SIZES = ((0.75, 0.9), (0.65, 0.9), (0.55, 0.85), (0.45, 0.8))  # of the shapes, a world each


def document(world: int, positives: int) -> dict[str, Any]:
    """A world with so many positives to learn from: a smaller world's are among a larger one's."""
    found = params_document()

    def source(name: str, rare: int, others: int, split: str) -> dict[str, Any]:
        size = SIZES[world % len(SIZES)]
        options = {"classes": [POSITIVE, "circle"], "size": [*size], "clutter": [0, 1]}
        return {
            "name": name, "generator": "shapes", "splits": [split], "options": options,
            "counts": {POSITIVE: rare, "circle": others},
        }  # fmt: skip

    sources = [source("seen", positives, OTHERS, "train"), source("judged", 150, 600, "val")]
    sources.append(source("unseen", 10, 10, "test"))
    found["generate"] = {
        "seed": 100 + world, "image_size": 24, "positive": POSITIVE, "sources": sources,
    }  # fmt: skip
    found["augment"]["copies"] = {}
    found["train"].update(seed=1, epochs=16, batch_size=32, threads=1, early_stopping=None)
    found["train"]["batch_augment"].update(flip="both", rotate90=True, shift=2)
    found["train"]["model"].update(width=8, blocks=[1, 1])
    found["train"]["optimizer"]["learning_rate"] = 5.0e-3
    found["train"]["sampler"]["max_per_class"] = None
    return found


def foretold(world: int, num_seeds: int) -> dict[str, Any]:
    """What the command foretells in a world, and what comes true."""
    from raresight.pipeline.commands import plan_data

    with tempfile.TemporaryDirectory(prefix="raresight-bench-") as name:
        params, data = _prepared(Path(name) / "known", document(world, KNOWN))
        plan = plan_data.run(params, data, num_seeds=num_seeds, device="cpu")
        truth = [
            _truth(Path(name) / str(times), document(world, times * KNOWN), num_seeds)
            for times in plan_data.TIMES
        ]
    return {
        "world": world,
        "points": [float(np.mean(one.average_precision)) for one in plan.points],
        "ahead": [vars(one) for one in plan.ahead],
        "back_test": vars(plan.back_test),
        "foretold": plan.foretold,
        "truth": truth,
    }


def _prepared(folder: Path, asked: dict[str, Any]) -> tuple[Path, Path]:
    from raresight.pipeline.stages import augment, generate, split

    folder.mkdir()
    params, data = folder / "params.yaml", folder / "data"
    YAML().dump(asked, params)
    generate.run(params, data, workers=1)
    augment.run(params, data, workers=1)
    split.run(params, data)
    return params, data


def _truth(folder: Path, asked: dict[str, Any], num_seeds: int) -> float:
    """The error of trainings with all there is, as the command's are: by the last epoch."""
    from raresight.pipeline.core.params import load_section
    from raresight.pipeline.models import device as devices
    from raresight.pipeline.sweeps.engine import Arm, sweep
    from raresight.pipeline.training.inputs import open_images
    from raresight.pipeline.training.params import TrainParams

    params, data = _prepared(folder, asked)
    train = load_section(params, "train", TrainParams)
    images = open_images(params, train, data)
    arms = [
        Arm(name="all", seed=900 + number, images=images, rows=images.rows("train"))
        for number in range(num_seeds)
    ]
    found = sweep(arms, train, data=data, name="truth", device=devices.resolve("cpu"))
    return 1 - float(np.mean([one.average_precision for one in found]))


def table(rows: list[dict[str, Any]]) -> Table:
    """A world a line, as average precision."""
    shown = Table(title=f"average precision, {len(rows)} worlds")
    for heading in (
        "world",
        "known",
        "2x foretold",
        "2x true",
        "4x foretold",
        "4x true",
        "back-test",
    ):
        shown.add_column(heading, justify="right")
    for row in rows:
        cells = []
        for ahead, truth in zip(row["ahead"], row["truth"], strict=True):
            held = "in" if ahead["low"] <= truth <= ahead["high"] else "OUT"
            cells += [
                f"{1 - ahead['high']:.3f} to {1 - ahead['low']:.3f}",
                f"{1 - truth:.3f} {held}",
            ]
        back = "held" if row["foretold"] else "not held"
        shown.add_row(str(row["world"]), f"{row['points'][-1]:.3f}", *cells, back)
    return shown


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser("python -m benchmarks.more_data")
    parser.add_argument("--worlds", type=int, default=4, help="how many (default: 4)")
    parser.add_argument("--seeds", type=int, default=3, help="trainings a size (default: 3)")
    parser.add_argument("--json", type=Path, help="write every row")
    asked = parser.parse_args()
    os.environ["RARESIGHT_VERBOSITY"] = "-1"
    rows = []
    for world in range(asked.worlds):
        rows.append(foretold(world, asked.seeds))
        print(json.dumps(rows[-1]), flush=True)
        if asked.json:
            asked.json.write_text(json.dumps(rows))
    off = np.array([
        [abs(one["expected"] - t) for one, t in zip(row["ahead"], row["truth"], strict=True)]
        for row in rows
    ])  # fmt: skip
    console = Console()
    console.width = max(console.width, 110)
    console.print(table(rows))
    console.print(f"off by {off[:, 0].mean():.3f} at twice, {off[:, 1].mean():.3f} at four times")


if __name__ == "__main__":
    main()
