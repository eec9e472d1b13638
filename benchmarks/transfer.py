"""Few real digits and ten thousand drawn ones: what pouring in, weighting and pretraining buy.

``python -m benchmarks.transfer [--seeds 3] [--plain] [--json FILE]``: 10, 30 or 60 of
scikit-learn's real digits a class to learn from, 10 a class to choose the epoch on, and 1,097
others, which nothing has seen, to judge. Every arm goes through the stages with the same
recipe and takes as many steps: digits that are few are shown more often. Digits are drawn as
`digits-sim2real` draws them, whose ranges were chosen while looking at real ones; with ``--plain``
as `glyphs` draws without being told. One core.
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

from benchmarks.inputs import ROOT, params_document
from raresight.pipeline.commands.digits import write_digits
from raresight.pipeline.core import seeds
from raresight.pipeline.dataset.reader import Dataset
from raresight.pipeline.models.checkpoint import load_model
from raresight.pipeline.splitting.table import read_splits
from raresight.pipeline.stages import augment, generate, split, train

PER_CLASS, JUDGED, DRAWN, BATCH = (10, 30, 60), 10, 10_000, 64
EPOCHS, FIRST = 4, 2  # of all images together; those of them that a first phase has
_STEPS = (DRAWN + BATCH - 1) // BATCH

ARMS: Mapping[str, Mapping[str, Any]] = {
    "real alone": {"source_weights": {"drawn": 0.0}},
    "drawn poured in": {},
    "source_weights, half of an epoch real": {"source_weights": {"real": 0.5}},
    "pretrain on drawn, then real": {"pretrain": {"sources": ["drawn"], "epochs": FIRST}},
}


def section(arm: str, per_class: int, seed: int) -> dict[str, Any]:
    """The ``train`` section of an arm that has ``per_class`` real digits of each class."""
    found = params_document()["train"]
    found["model"].update(width=8, blocks=[1, 1])
    found["batch_augment"] = {"shift": 1}
    found["sampler"]["max_per_class"] = None
    found.update(seed=seed, epochs=EPOCHS, batch_size=BATCH, early_stopping=None, threads=1)
    found["optimizer"]["learning_rate"] = 3.0e-3
    found.update(ARMS[arm])
    if "pretrain" in ARMS[arm]:  # an epoch of the few is short: as many steps as the others take
        of_real = -(-10 * per_class // BATCH)
        found["epochs"] = (EPOCHS - FIRST) * _STEPS // of_real
    return found


def given_splits(labels: Sequence[str], per_class: int, seed: int) -> list[str | None]:
    """The split of each real digit: the same ones judge whatever ``per_class`` is, those that only
    more would learn from are left out (None).
    """
    rng, names = seeds.rng(seed, "transfer", ""), np.asarray(labels)
    found = np.full(len(names), "test", object)
    for label in np.unique(names):
        members = rng.permutation(np.flatnonzero(names == label))
        found[members[: JUDGED + max(PER_CLASS)]] = None
        found[members[:JUDGED]] = "val"
        found[members[JUDGED : JUDGED + per_class]] = "train"
    given: list[str | None] = found.tolist()
    return given


def drawn_options(*, plain: bool) -> dict[str, Any]:
    """How digits are drawn."""
    if plain:
        return {}
    scenario = YAML(typ="safe").load(ROOT / "params/digits-sim2real.yaml")
    options: dict[str, Any] = scenario["generate"]["sources"][0]["options"]
    return options


def prepare(folder: Path, per_class: int, seed: int, *, plain: bool) -> None:
    """The stages before training, for one choice of real digits."""
    document, data = params_document(), folder / "data"
    digits = folder / "digits"
    if not digits.exists():
        write_digits(digits)
    files = sorted(path.relative_to(digits) for path in digits.glob("*/*.png"))
    labels = [path.parent.name for path in files]
    rows = zip(files, labels, given_splits(labels, per_class, seed), strict=True)
    table = folder / "digits.csv"
    lines = [f"{file},{label},{given}" for file, label, given in rows if given is not None]
    table.write_text("\n".join(["file,label,split", *lines]) + "\n")
    drawn = {"name": "drawn", "generator": "glyphs", "count": DRAWN, "splits": ["train"]}
    real = {"path": str(table), "images": str(digits)}
    document["generate"] = {
        "seed": seed,
        "image_size": 16,
        "positive": None,
        "sources": [
            {**drawn, "options": drawn_options(plain=plain)},
            {"name": "real", "generator": "table", "options": real},
        ],
    }
    document["augment"]["copies"] = {}
    document["split"]["seed"] = seed
    YAML().dump(document, folder / "params.yaml")
    for stage in (generate, augment):
        stage.run(folder / "params.yaml", data, workers=1)
    split.run(folder / "params.yaml", data)


def run(folder: Path, arm: str, per_class: int, seed: int) -> dict[str, Any]:
    """One training, and how many digits never seen it reads right."""
    params, data, started = folder / "params.yaml", folder / "data", time.process_time()
    yaml = YAML()
    document = yaml.load(params)
    document["train"] = section(arm, per_class, seed)
    yaml.dump(document, params)
    train.run(params, data, device="cpu", resume="never")
    originals = Dataset(data / "generated")
    rows = read_splits(data / "splits").rows(originals, "test")
    scores = load_model(data / "model", "cpu").scores(originals.images, rows)
    results = json.loads((data / "training/results.json").read_text())
    return {
        "arm": arm,
        "per_class": per_class,
        "seed": seed,
        "test": len(rows),
        "accuracy": float((scores.argmax(1) == originals.targets[rows]).mean()),
        "epochs": results["epochs"],
        "steps_per_epoch": results["steps_per_epoch"],
        "seconds": time.process_time() - started,
    }


def rows_of(folder: Path, count: int, *, plain: bool) -> Iterator[dict[str, Any]]:
    """Every arm at every number of real digits, over ``count`` seeds."""
    for per_class in PER_CLASS:
        for seed in range(1, count + 1):
            prepare(folder, per_class, seed, plain=plain)
            for arm in ARMS:
                yield run(folder, arm, per_class, seed)


def table(rows: Sequence[Mapping[str, Any]]) -> str:
    """Markdown: accuracy by arm and real digits a class, mean ± standard deviation over seeds, and
    the paired gain over the real digits alone.
    """
    first = next(iter(ARMS))
    head = [f"{per_class} a class | gain" for per_class in PER_CLASS]
    lines = [f"| | {' | '.join(head)} |", f"| --- |{' --- | --- |' * len(PER_CLASS)}"]
    for arm in ARMS:
        cells = []
        for per_class in PER_CLASS:
            found, alone = (_accuracies(rows, name, per_class) for name in (arm, first))
            gain = np.subtract(found, alone)
            cells += [_spread(found), "" if arm == first else _spread(gain, sign="+")]
        lines.append(f"| {arm} | {' | '.join(cells)} |")
    return "\n".join(lines)


def _accuracies(rows: Sequence[Mapping[str, Any]], arm: str, per_class: int) -> list[float]:
    return [row["accuracy"] for row in rows if row["arm"] == arm and row["per_class"] == per_class]


def _spread(values: Sequence[float] | np.ndarray, sign: str = "") -> str:
    deviation = np.std(values, ddof=1) if len(values) > 1 else 0.0
    return f"{np.mean(values):{sign}.3f} ± {deviation:.3f}"


def main() -> None:
    parser = argparse.ArgumentParser("python -m benchmarks.transfer")
    parser.add_argument("--seeds", type=int, default=3, help="how many (default: 3)")
    parser.add_argument("--plain", action="store_true", help="draw by glyphs' defaults")
    parser.add_argument("--json", type=Path, help="write every training's figures")
    asked = parser.parse_args()
    os.environ["RARESIGHT_VERBOSITY"] = "-1"
    rows: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory(prefix="raresight-bench-") as folder:
        for row in rows_of(Path(folder), asked.seeds, plain=asked.plain):
            rows.append(row)
            print(json.dumps(row), file=sys.stderr, flush=True)
    if asked.json:
        asked.json.write_text(json.dumps(rows, indent=2) + "\n")
    print(table(rows))
    print(f"\n{sum(row['seconds'] for row in rows):.0f} s of one core.")


if __name__ == "__main__":
    main()
