"""Label safety: a copy counts only when enough of its label's pixels are still in the picture."""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from raresight.pipeline.augmentation.params import AugmentParams, Step
from raresight.pipeline.augmentation.recipe import Recipe, build
from raresight.pipeline.core import seeds

_NEIGHBORS = np.ones((3, 3), np.uint8)


@dataclass(frozen=True, kw_only=True)
class Original:
    """An image to copy.

    ``image`` is uint8 (H, W, C). ``label`` is bool (h, w): the pixels that carry the label, in the
    box around them. ``numbers`` is float32 (H, W): these pixels hold their place in the box,
    counted from 1 along its rows, and all others 0. Both are None where no pixel is known to carry
    the label.
    """

    id: str
    image: np.ndarray
    label: np.ndarray | None = None
    numbers: np.ndarray | None = None

    @classmethod
    def of(cls, id: str, image: np.ndarray, mask: np.ndarray | None) -> "Original":
        """From a mask (H, W) that is not 0 where a pixel carries the label."""
        if mask is None or not np.any(mask):
            return cls(id=id, image=image)
        rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
        box = slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1)
        label = mask[box] != 0
        # float32 counts exactly to 2**24 and is the widest type that all of OpenCV's warps take.
        numbers = np.zeros(mask.shape, np.float32)
        numbers[box] = np.arange(1, label.size + 1).reshape(label.shape) * label
        return cls(id=id, image=image, label=label, numbers=numbers)

    def keeps(self, moved: np.ndarray | None, share: float) -> bool:
        """Whether a copy, given its numbers after the transforms, keeps ``share`` of the label."""
        if moved is None:
            return True  # without known pixels nothing can be lost
        seen = self._seen(moved)
        return self._share(seen) >= share or self._share(self._closed(seen)) >= share

    def surviving_share(self, moved: np.ndarray | None) -> float:
        """The share of the label's pixels that are still to be seen, given a copy's numbers.

        Pixels are told apart: those that a copy shows twice (enlarged, or mirrored at the border)
        do not make up for those it lost, and those that a turned or slightly shrunk copy only skips
        between two others are not lost. Without known pixels nothing can be lost: 1.
        """
        return 1.0 if moved is None else self._share(self._closed(self._seen(moved)))

    def _seen(self, moved: np.ndarray) -> np.ndarray:
        """uint8 (h, w): the pixels of the label's box whose number is in the copy."""
        label = self._known()
        found = np.zeros(label.size + 1, np.uint8)
        found[moved[moved > 0].astype(np.intp)] = 1
        return found[1:].reshape(label.shape)

    def _closed(self, seen: np.ndarray) -> np.ndarray:
        """``seen``, and the label's pixels that were only skipped between two of them."""
        # The margin keeps the outline from passing for skipped where a whole side of it is gone.
        framed = cv2.copyMakeBorder(seen, 1, 1, 1, 1, cv2.BORDER_CONSTANT)
        return cv2.morphologyEx(framed, cv2.MORPH_CLOSE, _NEIGHBORS)[1:-1, 1:-1] & self._known()

    def _share(self, seen: np.ndarray) -> float:
        return int(np.count_nonzero(seen)) / int(np.count_nonzero(self._known()))

    def _known(self) -> np.ndarray:
        if self.label is None:
            raise ValueError(f"{self.id}: no pixel is known to carry the label")
        return self.label


@dataclass(frozen=True, kw_only=True)
class Policy:
    """How copies are made: see :class:`raresight.pipeline.augmentation.params.AugmentParams`."""

    spatial: Recipe
    pixel: Recipe
    min_label_share: float
    max_tries: int
    seed: int

    @classmethod
    def of(cls, params: AugmentParams) -> "Policy":
        """That of the ``augment`` section."""
        return cls(
            spatial=build(params.spatial),
            pixel=build(params.pixel),
            min_label_share=params.min_label_share,
            max_tries=params.max_tries,
            seed=params.seed,
        )


@dataclass(frozen=True, kw_only=True)
class Copy:
    """What came of a copy.

    ``image`` is uint8 (H, W, C), or None where ``max_tries`` draws all lost too much of the label;
    ``mask`` is bool (H, W), None where no pixel is known to carry it; ``redraws`` counts the draws
    after the first.
    """

    image: np.ndarray | None
    mask: np.ndarray | None
    redraws: int


def make_copy(original: Original, variant: int, *, policy: Policy) -> Copy:
    """The ``variant``-th copy, drawn until enough of its label survives or the tries are used up.

    A pure function of the original, the variant and the policy: each try has a stream of its own.
    """
    for attempt in range(policy.max_tries):
        rng = seeds.rng(policy.seed, "augment", f"{original.id}+{variant}/{attempt}")
        moved, image_of = policy.spatial.begin(original.image, original.numbers, rng=rng)
        if original.keeps(moved, policy.min_label_share):
            image, _ = policy.pixel(image_of(), rng=rng)
            return Copy(image=image, mask=None if moved is None else moved > 0, redraws=attempt)
    return Copy(image=None, mask=None, redraws=policy.max_tries - 1)


def violations(
    steps: Sequence[Step], originals: Sequence[Original], *, min_label_share: float, seed: int
) -> dict[str, int]:
    """For each step, always applied and alone: how many originals lose too much of their label.

    Keys are the steps' names, with ``#2`` and so on where a name comes again.
    """
    counts: dict[str, int] = {}
    names = [step.name for step in steps]
    for number, step in enumerate(steps):
        again = names[:number].count(step.name)
        recipe = build([step.model_copy(update={"p": 1.0})])
        counts[f"{step.name}#{again + 1}" if again else step.name] = sum(
            not _keeps(recipe, original, number, seed, min_label_share) for original in originals
        )
    return counts


def _keeps(recipe: Recipe, original: Original, number: int, seed: int, share: float) -> bool:
    rng = seeds.rng(seed, "augment.violations", f"{original.id}/{number}")
    moved, _ = recipe.begin(original.image, original.numbers, rng=rng)
    return original.keeps(moved, share)
