"""A project in which every stage before evaluate has run, small and without torch."""

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from raresight.pipeline.core.files import stage_outputs
from raresight.pipeline.dataset.schema import Description, Rows
from raresight.pipeline.dataset.writer import shard_name, write_shard
from raresight.pipeline.models.out_of_fold import OutOfFold
from raresight.pipeline.splitting.counts import count_images
from raresight.pipeline.splitting.table import make_table, write_splits

SIDE = 12
COUNT = 120
LABELS = ["rare" if k % 6 == 0 else "common" for k in range(COUNT)]
IDS = [f"image-{k:03d}" for k in range(COUNT)]
SPLITS = [("train", "train", "val", "test")[k // 6 % 4] for k in range(COUNT)]

PARAMS = """
evaluate:
  seed: 3
  threshold: {{name: max_f1}}
  confidence_level: 0.9
  proportion_interval: wilson
  num_bootstrap: 100
  deployment_prevalence: 1.0e-3
  calibration_bins: 10
  slices: {{bins: 4, min_images: 1}}
  perturb: {perturb}
"""
CARD = {"score_prior": {"common": 0.75, "rare": 0.25}}
NOISE = "[{name: GaussNoise, p: 1.0, std_range: [0.2, 0.3]}]"


def draw_images() -> np.ndarray:
    """Noise; in a rare image a faint bright square in the middle."""
    images = np.random.default_rng(0).integers(60, 160, (COUNT, SIDE, SIDE, 3), np.uint8)
    images[[label == "rare" for label in LABELS], 4:8, 4:8] += 60
    return images


def draw_masks() -> np.ndarray:
    """The square of each rare image, in a fifth of them without its last row."""
    masks = np.zeros((COUNT, SIDE, SIDE), np.uint8)
    masks[::6, 4:8, 4:8] = 1
    masks[::30, 7] = 0
    return masks


class SquareScorer:
    """Scores an image by how bright its middle is."""

    classes = ("common", "rare")
    num_features = 2

    def features(self, images, rows) -> np.ndarray:
        """The brightness of the middle, and that of everything."""
        pixels = images[rows].astype(np.float32)
        return np.stack([pixels[:, 4:8, 4:8].mean((1, 2, 3)), pixels.mean((1, 2, 3))], axis=1)

    def scores(self, images, rows) -> np.ndarray:
        middle = images[rows][:, 4:8, 4:8].mean(axis=(1, 2, 3))
        rare = 1 / (1 + np.exp(-(middle - 140) / 8))
        return np.stack([1 - rare, rare], axis=1)


class DullScorer(SquareScorer):
    """Sees less: the brightness drowns in noise of its own, another one for every ``seed``."""

    def __init__(self, seed: int, noise: float = 2.0):
        self.seed, self.noise = seed, noise

    def scores(self, images, rows) -> np.ndarray:
        rare = super().scores(images, rows)[:, 1]
        own = np.random.default_rng([self.seed, len(rows)]).normal(size=len(rows))
        rare = 1 / (1 + (1 - rare) / rare * np.exp(self.noise * own))
        return np.stack([1 - rare, rare], axis=1)


class BrokenScorer(SquareScorer):
    def scores(self, images, rows) -> np.ndarray:
        return np.full((len(rows), 2), np.nan)


class OtherScorer(SquareScorer):
    classes = ("cat", "dog")


def write_generated(folder: Path, positive: str | None) -> None:
    description = Description(
        classes=("common", "rare"),
        positive=positive,
        image_shape=(SIDE, SIDE, 3),
        columns=("mask",),
        factors={"side": "string", "size": "float"},
        sources=({"name": "image"},),
        seed=0,
        versions={},
    )
    rows = Rows(
        ids=IDS,
        source_ids=IDS,
        origin="synthetic",
        labels=LABELS,
        true_labels=LABELS,
        variants=[0] * COUNT,
        images=draw_images(),
        columns={"mask": draw_masks()},
        factors={
            "side": [("left", "right", None)[k % 5 % 3] for k in range(COUNT)],
            "size": [None if k % 7 == 0 else float(k) for k in range(COUNT)],
        },
    )
    shard = write_shard(folder / shard_name(0), rows, description, source="image")
    replace(description, shards=(shard,)).write(folder)


def summary(splits: list[str]) -> dict[str, Any]:
    """What `split` says of these images: how many there are, all of them originals."""
    rows, labels = np.array(splits), np.array(LABELS)
    nothing = np.array([], str)
    classes = sorted(set(LABELS))
    return {"images": count_images(classes, originals=(rows, labels), copies=(nothing, nothing))}


def write_inputs(
    folder: Path,
    positive: str | None = "rare",
    *,
    seeds: tuple[int, ...] = (1,),
    groups: list[str] = IDS,
    augment: Mapping[str, Any] | None = None,
    held_out: OutOfFold | None = None,
):
    """What the stages before evaluate leave: images, recipe, splits and the cards of the models."""
    targets = [folder / name for name in ("generated", "augmented", "splits", "model")]
    with stage_outputs(*targets) as (generated, augmented, splits, model):
        (augmented / "report.json").write_text(json.dumps({"recipe": augment or {}}))
        write_generated(generated, positive)
        write_splits(splits, make_table(ids=IDS, source_ids=IDS, groups=groups, splits=SPLITS))
        (splits / "summary.json").write_text(json.dumps(summary(SPLITS)))
        if held_out is not None:
            held_out.write(model)
        for number, seed in enumerate(seeds, 1):
            place = model / f"replicate-{number}" if number > 1 else model
            place.mkdir(exist_ok=True)
            (place / "model.json").write_text(json.dumps(CARD | {"seed": seed}))


def contents(folder: Path) -> dict[str, bytes]:
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


def predictions(data: Path, name: str) -> pa.Table:
    with pa.OSFile(str(data / "evaluation" / "predictions" / f"{name}.arrow")) as file:
        return pa.ipc.open_file(file).read_all()
