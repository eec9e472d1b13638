"""Datasets and trained models, opened."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from raresight.generators.image_file import read_image
from raresight.pipeline.dataset.reader import Dataset
from raresight.pipeline.prediction.predictor import Applied, Predictor, open_predictor
from raresight.pipeline.prediction.stored import open_at


def open_dataset(folder: str | Path) -> Dataset:
    """The dataset in a folder, memory-mapped; InputMissing or DataError where it holds none.

    Of a URL (``s3://bucket/generated``) what is not in the cache yet is fetched, and verified.
    """
    return open_at(folder)


class Model:
    """A trained model: images in, a score a class out. ``classes`` are those of the scores.

    Where evaluate has decided (``decides``), it gives calibrated probabilities and answers, too.
    """

    def __init__(self, predictor: Predictor):
        self._predictor = predictor
        self.classes = predictor.classes
        self.image_shape = predictor.opened.image_shape

    @property
    def decides(self) -> bool:
        """Whether a threshold and a calibration were kept for it."""
        return self._predictor.opened.decision is not None

    def read(self, files: Sequence[str | Path]) -> np.ndarray:
        """Image files as the model takes them, read as the training images were: (n, H, W, C)."""
        reading = self._predictor.opened.reading()
        images = [read_image(file, self.image_shape[:2], reading) for file in files]
        return np.stack(images) if images else np.empty((0, *self.image_shape), np.uint8)

    def predict(self, images: np.ndarray) -> np.ndarray:
        """Scores (n, K) of images, uint8 (n, H, W, C) with values in [0, 255].

        A row sums to 1. Raises DataError where the images are of another shape or type.
        """
        return self._predictor.scores(images)

    def apply(self, images: np.ndarray, *, prevalence: float | None = None) -> Applied:
        """Scores, calibrated probabilities, answers, and which of the images are unlike.

        With a ``prevalence``, the share of positives in (0, 1) where the images come from, also
        what is right there (``deployed``). Raises InputMissing where nothing was decided,
        ParamsError for a prevalence without a positive class, and DataError as :meth:`predict`.
        """
        return self._predictor.apply(images, prevalence=prevalence)


def load_model(folder: str | Path, *, device: str = "auto") -> Model:
    """The model that train wrote or export packed, its bytes verified, on auto, cpu or cuda[:N].

    Raises InputMissing without one, DataError where it is not what was written, and UnsafeError
    where the decision beside it was made for another model.
    """
    return Model(open_predictor(Path(folder), device, need_decision=False))
