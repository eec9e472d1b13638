"""A trained model on disk: weights as safetensors, and a JSON that says what they are."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import safetensors.torch
import torch
from safetensors import SafetensorError

from pipeline.core.errors import DataError
from pipeline.core.files import read_json, write_json
from pipeline.training.models import Classifier, build
from pipeline.training.params import ModelParams

WEIGHTS, CARD = "weights.safetensors", "model.json"


@dataclass(frozen=True, kw_only=True)
class ModelCard:
    """What is needed to build the model again, and to know what its outputs mean.

    ``class_shares`` are the shares of the classes that training showed; ``mean`` and ``std`` are
    the training images' per channel, in [0, 255].
    """

    model: Mapping[str, Any]
    classes: tuple[str, ...]
    positive: str | None
    image_shape: tuple[int, int, int]
    mean: tuple[float, ...]
    std: tuple[float, ...]
    class_shares: Mapping[str, float]
    loss: str
    epoch: int
    val_average_precision: float


def save(folder: Path, weights: Mapping[str, torch.Tensor], card: ModelCard) -> None:
    """Write weights and card into an existing folder."""
    flat = {name: tensor.contiguous().cpu() for name, tensor in weights.items()}
    safetensors.torch.save_file(flat, folder / WEIGHTS)
    write_json(folder / CARD, asdict(card))


def load(folder: Path) -> tuple[Classifier, ModelCard]:
    """The model of a folder, on the CPU.

    Raises DataError when the card or the weights are not of one model.
    """
    try:
        card = ModelCard(**read_json(folder / CARD))
        model = build(
            ModelParams(**card.model),
            classes=len(card.classes),
            mean=card.mean,
            std=card.std,
            seed=0,
        )
        model.load_state_dict(safetensors.torch.load_file(folder / WEIGHTS))
    except (TypeError, ValueError, SafetensorError, RuntimeError, FileNotFoundError) as error:
        raise DataError(f"{folder} holds no model that can be read: {error}") from None
    return model, card
