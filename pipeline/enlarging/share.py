"""How many made images for each real one? Short trainings with each number, chosen on validation.

Nothing is chosen that its interval does not put above nothing; and what the chosen number gave is
told in the unit that people understand: so many real images.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from raresight.pipeline.core import seeds
from raresight.pipeline.sweeps.engine import Arm, Measured, nested, sweep
from raresight.pipeline.sweeps.gains import Gain, gains
from raresight.pipeline.sweeps.learning_curve import MOST_AHEAD, carried_on
from raresight.pipeline.training.inputs import TrainingImages
from raresight.pipeline.training.params import TrainParams

if TYPE_CHECKING:
    import torch

PARTS = (1 / 4, 1 / 2)  # of the real positives, without made ones: what a real one is worth


@dataclass(frozen=True, kw_only=True)
class Tried:
    """A number of made images for ``each`` real one: the average precision on validation, a seed
    each, and the gain over none, None for none itself."""

    each: int
    average_precision: tuple[float, ...]
    gain: Gain | None


@dataclass(frozen=True, kw_only=True)
class Worth:
    """What the made images of a number did, in real ones: as much as ``real`` more real positives
    would do, ``low`` to ``high`` by the gain's interval; ``more`` where that is four times as many
    or beyond, where nothing is foretold. ``made`` is how many they were.
    """

    made: int
    real: float
    low: float
    high: float
    more: bool


@dataclass(frozen=True, kw_only=True)
class Choice:
    """What was tried, fewest first, and the number ``chosen``: 0 where none is surely better.

    ``best`` is the number that did best, chosen or not. ``worth`` says what the chosen one, or else
    the best, is in real images, None where no made image is of the positive class. ``judged_by``
    are validation's positives.
    """

    tried: tuple[Tried, ...]
    chosen: int
    best: int
    worth: Worth | None
    judged_by: int


def numbers(most: int) -> list[int]:
    """0, 1, 2, 4, 8 and so on, up to ``most``, which is among them."""
    doubled = [2**power for power in range(most.bit_length())]
    return sorted({0, *doubled, most})


def choose(tried: Sequence[int], found: Sequence[Gain]) -> tuple[int, int]:
    """Of the numbers ``tried`` but the first, 0: the one whose gain is greatest among those whose
    interval is above 0, or 0; and the one whose gain is greatest whatever its interval says."""
    surely = [
        (gain.mean, each) for each, gain in zip(tried[1:], found, strict=True) if gain.low > 0
    ]
    best = max(zip((one.mean for one in found), tried[1:], strict=True))[1]
    return (max(surely)[1] if surely else 0), best


def worth(sizes: np.ndarray, errors: np.ndarray, gain: Gain, *, made: int) -> Worth:
    """How many more real positives would have given ``gain``, by the learning curve through the
    ``errors`` float (k,), 1 - average precision, at ``sizes`` (k,), of which the last is all."""
    ahead = np.linspace(0, MOST_AHEAD - 1, 601) * sizes[-1]
    curve = carried_on(sizes, errors, sizes[-1] + ahead, floor=False)
    gained = curve[0] - curve

    def real(value: float) -> float:
        return 0.0 if value <= 0 else float(ahead[min(np.searchsorted(gained, value), 600)])

    return Worth(
        made=made,
        real=real(gain.mean),
        low=real(gain.low),
        high=real(gain.high),
        more=bool(gain.mean > gained[-1]),
    )


def sweep_share(
    images: TrainingImages,
    params: TrainParams,
    *,
    most: int,
    num_seeds: int,
    data: Path,
    device: "torch.device",
    on_done: Callable[[Measured], None] = lambda found: None,
) -> Choice:
    """Train with none and with each of :func:`numbers` of the ``images``' made ones, and without
    any on a quarter and on half of the real positives; choose on validation originals."""
    tried, originals = numbers(most), images.originals
    assert originals.positive is not None
    assert images.enlarged is not None
    index = originals.classes.index(originals.positive)
    arms = list(planned(images, index, tried, num_seeds, params.seed))
    found = sweep(arms, params, data=data, name="enlarge", device=device, on_done=on_done)
    reached = np.array([one.average_precision for one in found]).reshape(-1, num_seeds)
    scores = np.stack([one.scores for one in found[: len(tried) * num_seeds]])
    held = images.rows("val")
    positive = originals.targets[held] == index
    gained = gains(
        scores.reshape(len(tried), num_seeds, -1), positive, images.groups[held], seed=params.seed
    )
    chosen, best = choose(tried, gained)
    told = chosen or best
    made = (images.enlarged.labels == originals.positive) & (images.enlarged.variants <= told)
    learned = int((originals.targets[images.rows("train")] == index).sum())
    sizes = np.array([*PARTS, 1.0]) * learned
    errors = 1 - np.concatenate((reached[len(tried) :], reached[:1])).mean(axis=1)
    return Choice(
        tried=tuple(
            Tried(each=each, average_precision=tuple(values.tolist()), gain=gain)
            for each, values, gain in zip(tried, reached, [None, *gained], strict=False)
        ),
        chosen=chosen,
        best=best,
        worth=(
            worth(sizes, errors, gained[tried.index(told) - 1], made=int(made.sum()))
            if made.any()
            else None
        ),
        judged_by=int(positive.sum()),
    )


def planned(
    images: TrainingImages, index: int, tried: Sequence[int], num_seeds: int, seed: int
) -> list[Arm]:
    """The trainings: each number with every seed, then the parts of the real positives."""
    rows = images.rows("train")
    targets, groups = images.originals.targets[rows], images.groups[rows]
    drawn = [seeds.integer(seed, "enlarge", number) for number in range(1, num_seeds + 1)]
    arms = [
        Arm(name=str(each), seed=one, images=replace(images, made_each=each), rows=rows)
        for each in tried
        for one in drawn
    ]
    alone = replace(images, made_each=0)
    for part in PARTS:
        for one in drawn:
            kept = nested(targets, groups, index, part, seed=one)
            arms.append(Arm(name=f"{part:g} real", seed=one, images=alone, rows=rows[kept]))
    return arms
