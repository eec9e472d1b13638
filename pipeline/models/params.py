"""``train.model`` and ``train.initialization``: the network and what it begins from.

Each model is one class: its keys in params.yaml, and the network that they describe. Networks are
imported where they are built, since reading params.yaml needs no torch.
"""

from abc import abstractmethod
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import Field, field_validator, model_validator

from raresight.pipeline.core.params import ByName, Section
from raresight.pipeline.core.ranges import FractionBelowOne
from raresight.pipeline.core.registry import Registry
from raresight.pipeline.models.torchvision_registry import TIMM
from raresight.pipeline.runtime.errors import suggest

if TYPE_CHECKING:
    from torch import nn

    from raresight.pipeline.models.pretrained import Pretrained

Freeze = Literal["none", "stem", "all_but_head"]
Normalization = tuple[tuple[float, ...], tuple[float, ...]]
Initialization = Literal["default", "xavier", "he", "orthogonal", "lsuv"]


class Model(Section):
    """Base of every model, also of those in other packages."""

    name: str

    @property
    def trains_features(self) -> bool:
        """Whether more is trained than the last layer."""
        return True

    @property
    def begins_trained(self) -> bool:
        """Whether :meth:`pretrained` gives weights."""
        return False

    @property
    def stage_rate(self) -> float:
        """Each stage's learning rate as a share of that of the stage above it."""
        return 1.0

    @property
    def frozen(self) -> Freeze:
        """What is not trained."""
        return "none"

    def pretrained(self) -> "Pretrained | None":
        """The weights to begin from, all but the last layer's; None where they are drawn."""
        return None

    def normalization(self) -> Normalization | None:
        """Mean and deviation per channel, in [0, 255], that existing weights were trained with;
        None where those of the training images serve.
        """
        return None

    @abstractmethod
    def network(self, *, classes: int, shape: tuple[int, int], fetch: bool) -> "nn.Module":
        """A new network: standardized images, float32 (n, 3, *shape), to logits (n, classes).

        Its last layer with ``classes`` outputs, an nn.Linear or an nn.Conv2d, makes the logits.
        Weights are drawn from torch's global generator, which is seeded around the call; published
        ones are loaded where ``fetch`` is true.
        """


class DropoutParams(Section):
    """The share of the pixels that is dropped, and of what the last layer sees."""

    input: FractionBelowOne = 0.0
    hidden: FractionBelowOne = 0.1


class SmallCNNParams(Model):
    """``width`` channels of the stem, and the ``blocks`` of each stage.

    A stage halves the side and doubles the channels.

    ``stochastic_depth`` is the chance that the last block is skipped in training; it grows linearly
    from the first one.
    """

    name: Literal["small_cnn"] = "small_cnn"
    width: Annotated[int, Field(ge=1, le=1024)] = 16
    blocks: Annotated[tuple[Annotated[int, Field(ge=1, le=64)], ...], Field(min_length=1)] = (
        1,
        1,
        1,
    )
    connections: Literal["plain", "residual", "dense"] = "residual"
    norm: Literal["batch", "group", "layer", "none"] = "batch"
    dropout: DropoutParams = DropoutParams()
    stochastic_depth: FractionBelowOne = 0.0

    @model_validator(mode="after")
    def _can_be_skipped(self) -> "SmallCNNParams":
        if self.stochastic_depth and self.connections != "residual":
            raise ValueError(
                f"`stochastic_depth` ({self.stochastic_depth:g}) needs a shortcut to go by: set it "
                f"to 0, or `connections` ('{self.connections}') to 'residual'"
            )
        return self

    def network(self, *, classes: int, shape: tuple[int, int], fetch: bool) -> "nn.Module":
        from raresight.pipeline.models.networks import SmallCNN

        return SmallCNN(self, classes)


class LinearProbeParams(Model):
    """A linear layer on ``features``: ``pixels``, averaged to ``grid`` x ``grid``, or a torchvision
    classifier with its published weights (fetched on first use), for which ``grid`` means nothing.
    """

    name: Literal["linear_probe"] = "linear_probe"
    features: str = "pixels"
    grid: Annotated[int, Field(ge=1, le=256)] = 8

    @field_validator("features")
    @classmethod
    def _known(cls, features: str) -> str:
        if features != "pixels":
            _one_of(features, ["pixels"])
        return features

    @property
    def trains_features(self) -> bool:
        return False

    def normalization(self) -> Normalization | None:
        from raresight.pipeline.models import torchvision_models

        if self.features == "pixels":
            return None
        return torchvision_models.normalization(self.features)

    def network(self, *, classes: int, shape: tuple[int, int], fetch: bool) -> "nn.Module":
        from raresight.pipeline.models import torchvision_models
        from raresight.pipeline.models.networks import LinearProbe, pixels_of

        if self.features == "pixels":
            return LinearProbe(pixels_of(self.grid), 3 * self.grid**2, classes)
        features, size = torchvision_models.features(self.features, shape=shape, fetch=fetch)
        return LinearProbe(features, size, classes)


def _one_of(name: str, ours: Iterable[str]) -> None:
    """Raise ValueError where ``name`` is neither of ``ours`` nor a classifier of torchvision or,
    with ``timm/`` before it, of timm.
    """
    if name.startswith(TIMM):
        from raresight.pipeline.models.timm_models import names as of_timm

        if name not in (known := of_timm()):
            raise ValueError(f"unknown model '{name}'. {suggest(name, known, limit=8)}")
        return
    from raresight.pipeline.models.torchvision_registry import (
        names,  # torchvision takes seconds to import
    )

    if name not in (known := [*ours, *names()]):
        raise ValueError(f"unknown model '{name}'. {suggest(name, known, limit=8)}")


class PretrainableParams(Model):
    """A classifier of torchvision, or of timm (``timm/NAME``, with the extra).

    ``weights``: null draws them; ``DEFAULT`` takes the published ones, fetched on first use; else a
    path to a .safetensors, .pth or .pt file, whose tensors have to fit, the last layer's apart.
    ``normalize``: by the mean and deviation of the ``training`` images, or by those the ``weights``
    were made with. ``stem``: ``original`` is made for large images; ``small`` keeps the resolution
    that small ones need. ``freeze``: what is not trained. ``rate_decay``: each stage's learning
    rate is so much of that above it; 0.65 to 0.8 for fine-tuning. ``dropout`` is set wherever the
    network has dropout.

    With ``weights``, ``normalize`` is ``weights`` and ``stem`` is ``original`` unless they are
    named; without, ``training`` and ``small``.
    """

    name: str
    weights: str | None = None
    normalize: Literal["training", "weights"] = "training"
    stem: Literal["small", "original"] = "small"
    freeze: Freeze = "none"
    rate_decay: Annotated[float, Field(gt=0, le=1)] = 1.0
    dropout: FractionBelowOne = 0.0

    @model_validator(mode="before")
    @classmethod
    def _known(cls, value: dict[str, Any]) -> dict[str, Any]:
        # Before the keys, which depend on the name: a misspelt one would make all of them wrong.
        _one_of(str(value.get("name")), MODELS)
        if value.get("weights") is not None or str(value.get("name")).startswith(TIMM):
            given = value.get("weights") is not None
            by_weights = {"normalize": "weights"} if given else {}
            return {"stem": "original", **by_weights, **value}
        return value

    @model_validator(mode="after")
    def _consistent(self) -> "PretrainableParams":
        if self.weights is None and self.normalize == "weights":
            raise ValueError(
                "`normalize` is 'weights', but `weights` is null: name them, or set it to "
                "'training'"
            )
        if self.weights is None and self.freeze != "none":
            raise ValueError(
                f"`freeze` is '{self.freeze}', but `weights` is null: what is drawn at random "
                "would stay so"
            )
        if self.name.startswith(TIMM) and self.stem == "small":
            raise ValueError("`stem` is 'small', which networks of timm do not have: leave it out")
        return self

    @property
    def begins_trained(self) -> bool:
        return self.weights is not None

    @property
    def reads(self) -> tuple[str, ...]:
        from raresight.pipeline.models.pretrained import DEFAULT

        return () if self.weights in (None, DEFAULT) else (str(self.weights),)

    @property
    def stage_rate(self) -> float:
        return self.rate_decay

    @property
    def frozen(self) -> Freeze:
        return self.freeze

    @property
    def trains_features(self) -> bool:
        return self.freeze != "all_but_head"

    @property
    def _library(self) -> Any:
        """The module that knows the networks of this name."""
        if self.name.startswith(TIMM):
            from raresight.pipeline.models import timm_models

            return timm_models
        from raresight.pipeline.models import torchvision_models

        return torchvision_models

    def network(self, *, classes: int, shape: tuple[int, int], fetch: bool) -> "nn.Module":
        return self._library.classifier(self, classes=classes, shape=shape)

    def pretrained(self) -> "Pretrained | None":
        from raresight.pipeline.models.pretrained import DEFAULT, read_weights

        if self.weights is None:
            return None
        if self.weights == DEFAULT:
            return self._library.published(self.name)
        return read_weights(Path(self.weights))

    def normalization(self) -> Normalization | None:
        return self._library.normalization(self.name) if self.normalize == "weights" else None


MODELS = Registry[Model](
    {"small_cnn": SmallCNNParams, "linear_probe": LinearProbeParams},
    base=Model,
    group="raresight.models",
    noun="model",
)
ModelParams = Annotated[Model, ByName(MODELS, default="small_cnn", other=PretrainableParams)]
