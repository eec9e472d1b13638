"""A trained model on disk, and back from there to scores.

The weights are safetensors; a JSON beside them says what they are.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import safetensors.torch
import torch
from pydantic import TypeAdapter
from safetensors import SafetensorError
from torch import nn

from raresight.pipeline.core.files import read_json, write_json
from raresight.pipeline.core.tensors import writing_tensors
from raresight.pipeline.models import device as devices
from raresight.pipeline.models.classifier import Classifier, build, head_of, in_batches, predict
from raresight.pipeline.models.params import ModelParams
from raresight.pipeline.runtime.errors import DataError

WEIGHTS, CARD = "weights.safetensors", "model.json"


@dataclass(frozen=True, kw_only=True)
class ModelCard:
    """What is needed to build the model again, and to know what its outputs mean.

    ``class_shares`` are the shares of the classes that the epoch showed, ``score_prior`` those that
    the scores take for granted (None where the loss leaves none to be named); ``mean`` and ``std``
    are the training images' per channel, in [0, 255]; ``seed`` is that of the training, and
    ``cosine_scale`` that of the last layer where it compares directions; ``weights`` the origin and
    sha256 of those that the training began from, ``pretrain`` the sources, epochs and images of its
    first phase where it had one. ``readings`` says of each source of images that
    exist how its files became pixels, so that new ones are read alike.
    """

    model: Mapping[str, Any]
    classes: tuple[str, ...]
    positive: str | None
    image_shape: tuple[int, int, int]
    mean: tuple[float, ...]
    std: tuple[float, ...]
    class_shares: Mapping[str, float]
    score_prior: Mapping[str, float] | None
    loss: str
    cosine_scale: float | None
    seed: int
    epoch: int
    val_average_precision: float
    weights: Mapping[str, str | None] | None = None
    pretrain: Mapping[str, Any] | None = None
    readings: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)


def save(folder: Path, weights: Mapping[str, torch.Tensor], card: ModelCard) -> None:
    """Write weights and card into an existing folder."""
    flat = {name: tensor.contiguous().cpu() for name, tensor in weights.items()}
    with writing_tensors(folder / WEIGHTS):
        safetensors.torch.save_file(flat, folder / WEIGHTS)
    write_json(folder / CARD, asdict(card))


def read_card(folder: Path) -> ModelCard:
    """What the model of a folder is; DataError where the card is none."""
    try:
        return ModelCard(**read_json(folder / CARD))
    except TypeError as error:
        raise DataError(f"{folder} holds no model that can be read: {error}") from None


def load(folder: Path) -> tuple[Classifier, ModelCard]:
    """The model of a folder, on the CPU.

    Raises DataError when the card or the weights are not of one model.
    """
    card = read_card(folder)
    try:
        model = build(
            TypeAdapter(ModelParams).validate_python(card.model),
            classes=len(card.classes),
            mean=card.mean,
            std=card.std,
            seed=0,
            shape=card.image_shape[:2],
            fetch=False,
            cosine_scale=card.cosine_scale,
        )
        model.load_state_dict(safetensors.torch.load_file(folder / WEIGHTS))
    except (TypeError, ValueError, SafetensorError, RuntimeError, FileNotFoundError) as error:
        raise DataError(f"{folder} holds no model that can be read: {error}") from None
    return model, card


def replicate_folder(model: Path, number: int) -> Path:
    """Where a replicate's model is: the first (1) is ``model`` itself, the others lie below it."""
    return model if number == 1 else model / f"replicate-{number}"


def replicate_folders(model: Path) -> list[Path]:
    """The models that one training left, the first replicate first."""
    numbers = range(2, 2 + sum(path.is_dir() for path in model.glob("replicate-*")))
    return [model, *(replicate_folder(model, number) for number in numbers)]


class ImageSource(Protocol):
    """Images, uint8 (n, H, W, 3), indexed by rows: an array, or a dataset's ``images``."""

    @property
    def shape(self) -> tuple[int, ...]: ...

    def __getitem__(self, rows: np.ndarray, /) -> np.ndarray: ...


class Scorer:
    """A trained model that turns images into a score per class."""

    def __init__(self, model: Classifier, classes: Sequence[str], device: torch.device):
        self.model = model.eval()
        self.classes = tuple(classes)
        self.device = device

    def scores(self, images: ImageSource, rows: np.ndarray) -> np.ndarray:
        """Class scores of the given rows: float64 (len(rows), K), each row summing to 1.

        What class shares the scores take for granted is in the card: ``score_prior``.
        """
        empty = np.empty((0, len(self.classes)))
        return np.concatenate([empty, *self._scores(images, rows)])

    def _scores(self, images: ImageSource, rows: np.ndarray) -> Iterator[np.ndarray]:
        batches = in_batches(np.asarray(rows), images.shape[1:])
        pixels = (torch.from_numpy(np.ascontiguousarray(images[some])) for some in batches)
        found = predict(self.model, (some.to(self.device) for some in pixels))
        return (scores.cpu().numpy() for _, scores in found)

    @property
    def num_features(self) -> int:
        """How many numbers the last layer makes the logits of."""
        head = head_of(self.model.network, len(self.classes))
        return head.in_features if isinstance(head, nn.Linear) else head.in_channels

    def features(self, images: ImageSource, rows: np.ndarray) -> np.ndarray:
        """What the last layer sees of the given rows: float32 (len(rows), num_features).

        Where it sees a map of them, their means over the map.
        """
        return self.scores_and_features(images, rows)[1]

    def scores_and_features(
        self, images: ImageSource, rows: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """:meth:`scores` and :meth:`features`, in one pass."""
        seen: list[np.ndarray] = []

        def keep(head: nn.Module, inputs: tuple[torch.Tensor, ...]) -> None:
            values = inputs[0].float()
            seen.append((values.mean((2, 3)) if values.ndim == 4 else values).cpu().numpy())

        head = head_of(self.model.network, len(self.classes))
        hook = head.register_forward_pre_hook(keep)
        try:
            scores = self.scores(images, rows)
        finally:
            hook.remove()
        return scores, np.concatenate([np.empty((0, self.num_features), np.float32), *seen])


def load_model(folder: Path, device: str) -> Scorer:
    """The model of ``folder`` on ``device`` (auto, cpu, cuda, cuda:N), its bytes verified."""
    where = devices.resolve(device)
    devices.prepare(where, None)
    model, card = load(folder)
    return Scorer(model.to(where), card.classes, where)
