"""What each remedy for imbalance buys on one long-tailed task, over seeds.

``python -m benchmarks.imbalance [--seeds 3] [--json FILE]``: six shapes of which each is 2.5 times
as rare as the one before, 600 images of the first and 6 of the last; judged on 200 test images of
each. Every remedy trains the same small net for as many steps, on the same images for the same
seed, and keeps its last epoch: nothing is chosen by looking. One core.
"""

import argparse
import json
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from scipy.stats import t as student

from benchmarks.inputs import params_document
from raresight.generators.base import Record
from raresight.generators.shapes import Shapes, ShapesOptions
from raresight.pipeline.core import seeds
from raresight.pipeline.core.params import parse
from raresight.pipeline.dataset.pixels import Pixels
from raresight.pipeline.models.checkpoint import Scorer
from raresight.pipeline.training.classifier_retraining import retrainer
from raresight.pipeline.training.data.feed import Feed
from raresight.pipeline.training.initialization import fresh
from raresight.pipeline.training.loop import Trainer
from raresight.pipeline.training.params import TrainParams
from raresight.pipeline.training.scores import ranking

SIDE, EPOCHS, TEST = 32, 30, 200
COUNTS = {"circle": 600, "square": 240, "triangle": 96, "star": 38, "hexagon": 15, "cross": 6}
RAREST = 2  # classes, of which the recall is shown
_EASY = {"size": (0.5, 0.8), "clutter": (0, 1), "occlusion": (0.0, 0.1), "grounds": ("plain",)}
_CPU = torch.device("cpu")

_PLAIN = {"name": "cross_entropy", "label_smoothing": 0.0, "class_weights": None,
          "post_hoc_tau": None}  # fmt: skip
_EFFECTIVE = {"name": "effective_number", "beta": 0.999, "from_epoch": 0}
_LATE = {**_EFFECTIVE, "from_epoch": EPOCHS * 4 // 5}


def _sampler(name: str) -> dict[str, Any]:
    return {"loss": _PLAIN, "sampler": {"name": name, "max_per_class": None}}


REMEDIES: dict[str, dict[str, Any]] = {
    "cross-entropy": {"loss": _PLAIN},
    "class weights, inverse": {
        "loss": {**_PLAIN, "class_weights": {"name": "inverse", "from_epoch": 0}}
    },
    "class weights, effective number": {"loss": {**_PLAIN, "class_weights": _EFFECTIVE}},
    "focal": {"loss": {"name": "focal", "gamma": 2.0, "class_weights": None}},
    "focal, class-balanced": {"loss": {"name": "focal", "gamma": 2.0, "class_weights": _EFFECTIVE}},
    "LDAM, deferred weights": {
        "loss": {"name": "ldam", "max_margin": 0.5, "scale": 30.0, "class_weights": _LATE}
    },
    "logit adjustment (balanced softmax)": {
        "loss": {"name": "logit_adjusted", "tau": 1.0, "label_smoothing": 0.0}
    },
    "logit adjustment, post hoc": {"loss": {**_PLAIN, "post_hoc_tau": 1.0}},
    "balanced sampler": _sampler("balanced"),
    "square-root sampler": _sampler("square_root"),
    "progressive sampler": _sampler("progressive"),
    "two stages (classifier retrained)": {
        "loss": _PLAIN,
        "classifier_retraining": {"epochs": 5, "learning_rate": 3.0e-3},
    },
    "mixup": {"loss": _PLAIN, "mixing": {"name": "mixup", "alpha": 0.2}},
}


def section(seed: int, changes: Mapping[str, Any]) -> TrainParams:
    """params.yaml's train section, made small, with what a remedy changes."""
    document = params_document()["train"]
    document["model"].update(width=8, blocks=[1, 1])
    document["sampler"]["max_per_class"] = None
    document["optimizer"]["learning_rate"] = 3.0e-3
    document["batch_augment"]["shift"] = 2
    document.update(
        seed=seed, epochs=EPOCHS, batch_size=64, early_stopping=None, checkpoint="last",
        precision="float32", threads=1, **changes,
    )  # fmt: skip
    return parse(TrainParams, document)


def draw(counts: Mapping[str, int], seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Images uint8 (n, SIDE, SIDE, 3), and their classes in the order of ``counts``, int64 (n,)."""
    shapes = Shapes(ShapesOptions(classes=tuple(counts), **_EASY), SIDE)
    targets = np.repeat(np.arange(len(counts)), list(counts.values()))
    labels = [label for label, count in counts.items() for _ in range(count)]
    images = [
        shapes.sample(Record(id=f"{k}", label=label), seeds.rng(seed, "imbalance", k)).image
        for k, label in enumerate(labels)
    ]
    return np.stack(images), targets


def run(changes: Mapping[str, Any], seed: int) -> dict[str, float]:
    """One training, judged on the balanced test set."""
    params = section(seed, changes)
    images, targets = draw(COUNTS, seed)
    train = Feed(Pixels([images], images.shape[1:]), np.arange(len(images)), targets, _CPU)
    unseen, truth = draw(dict.fromkeys(COUNTS, TEST), seed=0)
    few = np.arange(0, len(unseen), 20)  # a trainer judges every epoch; nothing hangs on it here
    test = Feed(Pixels([unseen], unseen.shape[1:]), few, truth[few], _CPU)
    mean, std = images.mean((0, 1, 2)), images.std((0, 1, 2))
    seen = torch.from_numpy(images[:: len(images) // 64])
    model = fresh(params, classes=len(COUNTS), mean=mean, std=std, seed=seed, images=seen)
    trainer = Trainer(model, params, train, test, classes=len(COUNTS), positive=None, device=_CPU)
    trainer.fit()
    if params.classifier_retraining is not None:
        trainer = retrainer(trainer)
        trainer.fit()
    scores = Scorer(trainer.eval_model, tuple(COUNTS), _CPU).scores(unseen, np.arange(len(unseen)))
    right = scores.argmax(1) == truth
    return {
        "accuracy": float(right.mean()),
        "rarest": float(right[truth >= len(COUNTS) - RAREST].mean()),
        "average_precision": ranking(scores, truth, None)[0],
    }


def table(rows: Mapping[str, list[dict[str, float]]]) -> str:
    """Markdown: mean and standard deviation over seeds, and the difference from the first row."""
    first = next(iter(rows.values()))
    lines = [
        f"| remedy | accuracy | recall of the {RAREST} rarest | mean AP | accuracy gained (95 %) |",
        "| --- | --- | --- | --- | --- |",
    ]
    for name, found in rows.items():
        cells = [_spread([one[key] for one in found]) for key in found[0]]
        gains = np.array([a["accuracy"] - b["accuracy"] for a, b in zip(found, first, strict=True)])
        lines.append(f"| {name} | {' | '.join(cells)} | {_interval(gains)} |")
    return "\n".join(lines)


def _spread(values: list[float]) -> str:
    return f"{np.mean(values):.3f} ± {np.std(values, ddof=1):.3f}"


def _interval(gains: np.ndarray) -> str:
    """Student's interval of the mean difference; seeds are paired."""
    if not gains.any():
        return ""
    half = student.ppf(0.975, len(gains) - 1) * gains.std(ddof=1) / np.sqrt(len(gains))
    low, high = gains.mean() - half, gains.mean() + half
    verdict = "better" if low > 0 else "worse" if high < 0 else "inconclusive"
    return f"{gains.mean():+.3f} ({low:+.3f} to {high:+.3f}): {verdict}"


def main() -> None:
    parser = argparse.ArgumentParser("python -m benchmarks.imbalance")
    parser.add_argument("--seeds", type=int, default=3, help="trainings of each remedy")
    parser.add_argument("--json", type=Path, help="write every training's figures")
    asked = parser.parse_args()
    torch.set_num_threads(1)
    started, rows = time.process_time(), {}
    for name, changes in REMEDIES.items():
        rows[name] = [run(changes, seed) for seed in range(1, asked.seeds + 1)]
        print(f"{name}: {time.process_time() - started:.0f} s", file=sys.stderr, flush=True)
    if asked.json:
        asked.json.write_text(json.dumps(rows, indent=2) + "\n")
    print(table(rows))
    print(f"\n{time.process_time() - started:.0f} s of one core.")


if __name__ == "__main__":
    main()
