"""From a trained model to scores."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch

from pipeline.training import device as devices
from pipeline.training.checkpoint import load
from pipeline.training.models import Classifier

BATCH = 512


class Scorer:
    """A trained model that turns images into a score per class."""

    def __init__(self, model: Classifier, classes: Sequence[str], device: torch.device):
        self.model = model.eval()
        self.classes = tuple(classes)
        self.device = device

    def scores(self, images, rows: np.ndarray) -> np.ndarray:
        """Class scores of the given rows: float64 (len(rows), K), each row summing to 1.

        ``images`` is a uint8 array (n, H, W, 3), or a dataset's ``images``. A model trained with
        the logit-adjusted loss scores as if all classes were equally frequent.
        """
        rows = np.asarray(rows)
        out = np.empty((len(rows), len(self.classes)))
        for start in range(0, len(rows), BATCH):
            pixels = torch.from_numpy(np.ascontiguousarray(images[rows[start : start + BATCH]]))
            out[start : start + BATCH] = self._batch(pixels.to(self.device))
        return out

    @torch.inference_mode()
    def _batch(self, pixels: torch.Tensor) -> np.ndarray:
        return self.model(pixels).double().softmax(1).cpu().numpy()


def load_model(folder: Path, device: str) -> Scorer:
    """The model of ``folder`` on ``device`` (auto, cpu, cuda, cuda:N), its bytes verified."""
    where = devices.resolve(device)
    devices.prepare(where, None)
    model, card = load(folder)
    return Scorer(model.to(where), card.classes, where)
