"""Datasets and trained models, opened."""

from pathlib import Path

import numpy as np

from raresight.pipeline.core.files import require_verified
from raresight.pipeline.dataset.reader import Dataset
from raresight.pipeline.models.checkpoint import Scorer
from raresight.pipeline.models.checkpoint import load_model as load_scorer
from raresight.pipeline.runtime.errors import DataError


def open_dataset(folder: str | Path) -> Dataset:
    """The dataset in a folder, memory-mapped; InputMissing or DataError where it holds none."""
    return Dataset(folder)


class Model:
    """A trained model: images in, a score a class out. ``classes`` are those of the scores."""

    def __init__(self, scorer: Scorer, image_shape: tuple[int, int, int]):
        self._scorer = scorer
        self.classes = scorer.classes
        self.image_shape = image_shape

    def predict(self, images: np.ndarray) -> np.ndarray:
        """Scores (n, K) of images, uint8 (n, H, W, C) with values in [0, 255].

        A row sums to 1. Raises DataError where the images are of another shape or type.
        """
        array = np.asarray(images)
        if array.dtype != np.uint8 or array.shape[1:] != self.image_shape:
            raise DataError(
                f"images must be uint8 (n, {', '.join(map(str, self.image_shape))}). "
                f"Got {array.dtype} {array.shape}."
            )
        return self._scorer.scores(array, np.arange(len(array)))


def load_model(folder: str | Path, *, device: str = "auto") -> Model:
    """The model that the train stage wrote, its bytes verified, on auto, cpu, cuda or cuda:N.

    Raises InputMissing without one and DataError where it is not what was written.
    """
    from raresight.pipeline.models.checkpoint import load

    folder = Path(folder)
    require_verified(folder, "train")
    _, card = load(folder)
    return Model(load_scorer(folder, device), tuple(card.image_shape))
