"""What ``train.shuffle_window`` costs in quality, and what it saves in reading.

``python -m benchmarks.shuffle [--seeds 8] [--epochs 16]``: one rare and one common shape, 1,560
images; the same net for as many steps on the same images, which lie on the disk in random order,
by class as in a folder of folders, or by class and brightness. A window is an eighth of them, and
holds all blocks of the rare class.
Average precision on 300 and 2,000 other images, each seed beside the whole shuffle of the same
seed. Then an epoch of 200,000 images of 64 pixels through a simulated cache that holds a quarter
of them. One core.
"""

import argparse
import json
import sys
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np
import torch
from sklearn.metrics import average_precision_score

from benchmarks.imbalance import draw, section
from raresight.pipeline.core import seeds
from raresight.pipeline.dataset.pixels import Pixels
from raresight.pipeline.models.checkpoint import Scorer
from raresight.pipeline.training.data.feed import Feed
from raresight.pipeline.training.data.order import batches_of, epoch_order
from raresight.pipeline.training.data.windows import Windows, in_windows, windows_of
from raresight.pipeline.training.initialization import fresh
from raresight.pipeline.training.loop import Trainer

LEARNED, UNSEEN = {"circle": 1500, "cross": 60}, {"circle": 2000, "cross": 300}
BLOCK, WINDOW, EPOCHS = 6, 32, 16  # images, blocks
_CPU = torch.device("cpu")

Lie = Callable[[np.ndarray, np.ndarray, int], np.ndarray]
LIE: dict[str, Lie] = {
    "shuffled": lambda images, targets, seed: seeds.rng(seed, "lie", 0).permutation(len(targets)),
    "by class": lambda images, targets, seed: np.argsort(targets, kind="stable"),
    "by class and brightness": lambda images, targets, seed: np.lexsort(
        (images.mean((1, 2, 3)), targets)
    ),
}
WHOLE = "whole shuffle"
# What the order is there to be better than.
LARGE, UNDRAWN = "by class and brightness, large blocks", "by class, classes not drawn"


class Blocks(Feed):
    """Images in blocks that are as small as the set."""

    block, size = BLOCK, WINDOW

    def windows(self, mebibytes: int | None) -> Windows | None:
        if mebibytes is None:
            return None
        return Windows(blocks=np.arange(len(self)) // self.block, size=self.size)


class LargeBlocks(Blocks):
    """As much in a window, in 4 blocks."""

    block, size = BLOCK * WINDOW // 4, 4


class Undrawn(Trainer):
    """Windows as of images without classes."""

    def _batches(self) -> list[np.ndarray]:
        epoch, windows = self.progress.epoch, self.train_feed.windows(self.params.shuffle_window)
        assert windows is not None
        rng = seeds.rng(self.params.seed, "undrawn", epoch)
        order = in_windows([[np.arange(len(self.targets))]], windows, rng)
        self.batches.start(order, epoch)
        return batches_of(order, self.params.batch_size)


def quality(
    lie: Lie,
    seed: int,
    *,
    epochs: int = EPOCHS,
    whole: bool = False,
    feed: type[Blocks] = Blocks,
    kind: type[Trainer] = Trainer,
) -> float:
    """Average precision of the rare class after one training."""
    window = None if whole else WINDOW  # any number: `feed` says what is in one
    params = section(seed, {"shuffle_window": window, "loss": {"name": "cross_entropy"}})
    params = params.model_copy(update={"epochs": epochs})
    images, targets = draw(LEARNED, seed)
    on_disk = lie(images, targets, seed)
    images, targets = images[on_disk], targets[on_disk]
    pixels = Pixels([images], images.shape[1:])
    train = feed(pixels, np.arange(len(images)), targets, _CPU)
    unseen, truth = draw(UNSEEN, seed=0)
    few = np.arange(0, len(unseen), 50)  # a trainer judges every epoch; nothing hangs on it here
    val = Feed(Pixels([unseen], unseen.shape[1:]), few, truth[few], _CPU)
    mean, std = images.mean((0, 1, 2)), images.std((0, 1, 2))
    seen = torch.from_numpy(images[:: len(images) // 64])
    model = fresh(params, classes=2, mean=mean, std=std, seed=seed, images=seen)
    trainer = kind(model, params, train, val, classes=2, positive=1, device=_CPU)
    trainer.fit()
    scorer = Scorer(trainer.eval_model, tuple(LEARNED), _CPU)
    scores = scorer.scores(unseen, np.arange(len(unseen)))
    return float(average_precision_score(truth == 1, scores[:, 1]))


def qualities(number: int, epochs: int) -> dict[str, list[float]]:
    """Average precision of every arm, by seed."""
    found: dict[str, list[float]] = {}
    started = time.process_time()
    for seed in range(1, number + 1):
        arms = {WHOLE: quality(LIE["shuffled"], seed, epochs=epochs, whole=True)}
        arms |= {name: quality(lie, seed, epochs=epochs) for name, lie in LIE.items()}
        arms[LARGE] = quality(LIE["by class and brightness"], seed, epochs=epochs, feed=LargeBlocks)
        arms[UNDRAWN] = quality(LIE["by class"], seed, epochs=epochs, kind=Undrawn)
        for name, value in arms.items():
            found.setdefault(name, []).append(value)
        told = {"seed": seed, "seconds": round(time.process_time() - started)} | arms
        print(json.dumps(told), file=sys.stderr, flush=True)
    return found


def reading(order: np.ndarray, *, image: int, cache: int) -> dict[str, float]:
    """What an epoch takes from a disk of which ``cache`` bytes stay in memory, oldest out first.

    An ``image`` has so many bytes; the kernel reads 128 KB at a time. ``bytes`` is all that is
    read, in sets.
    """
    block, kept, fetched = 128 << 10, OrderedDict[int, None](), 0
    for row in order.tolist():
        for at in range(row * image // block, ((row + 1) * image - 1) // block + 1):
            if at in kept:
                kept.move_to_end(at)
                continue
            kept[at], fetched = None, fetched + 1
            if len(kept) > cache // block:
                kept.popitem(last=False)
    return {"bytes": fetched * block / (len(order) * image), "reads": fetched}


def readings(images: int = 200_000) -> dict[str, dict[str, float]]:
    """An epoch of 64-pixel images, 1 % of them rare, through a cache of a quarter of them.

    A window is as large as half the cache.
    """
    image, shard, rare = 64 * 64 * 3, 3072, images // 100
    cache = images * image // 4
    targets = np.repeat([0, 1], [images - rare, rare])
    mixed = seeds.rng(1, "reading", 0).permutation(targets)
    found = {}
    rows, counts = np.arange(images), np.array([images - rare, rare])
    windows = windows_of(rows // shard, rows % shard, image, cache // 2 >> 20)
    for name, lie, asked in (
        (WHOLE, mixed, None),
        ("shuffled", mixed, windows),
        ("by class", targets, windows),
    ):
        order = epoch_order(lie, counts, seed=1, epoch=0, windows=asked)
        found[name] = reading(order, image=image, cache=cache)
    return found


def table(found: dict[str, list[float]], disk: dict[str, dict[str, float]]) -> Iterable[str]:
    """Markdown: mean and standard error, and the difference from the whole shuffle."""
    heads = (
        "order",
        "AP of the rare class",
        "difference",
        "reads",
        "bytes, in sets",
    )
    yield f"| {' | '.join(heads)} |\n{'| --- ' * len(heads)}|"
    for name, values in found.items():
        gain = np.subtract(values, found[WHOLE])
        cells = [_error(np.array(values)), _error(gain, "+") if gain.any() else ""]
        if read := disk.get(name):
            cells += [f"{read['reads']:,}", f"{read['bytes']:.2f}"]
        yield f"| {name} | {' | '.join(cells)} |"


def _error(values: np.ndarray, sign: str = "") -> str:
    error = values.std(ddof=1) / np.sqrt(len(values))
    return f"{values.mean():{sign}.3f} ± {error:.3f}"


def main() -> None:
    parser = argparse.ArgumentParser("python -m benchmarks.shuffle")
    parser.add_argument("--seeds", type=int, default=8, help="trainings of each arm, 2 or more")
    parser.add_argument("--epochs", type=int, default=EPOCHS)
    parser.add_argument("--json", type=Path, help="write every figure")
    asked = parser.parse_args()
    torch.set_num_threads(1)
    found, disk = qualities(asked.seeds, asked.epochs), readings()
    if asked.json:
        asked.json.write_text(json.dumps({"quality": found, "disk": disk}, indent=2) + "\n")
    print("\n".join(table(found, disk)))


if __name__ == "__main__":
    main()
