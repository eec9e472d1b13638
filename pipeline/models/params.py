"""``train.model`` and ``train.initialization``: the network and what it begins from.

Each model is one class: its keys in params.yaml, and the network that they describe. Networks are
imported where they are built, since reading params.yaml needs no torch.
"""

from abc import abstractmethod
from collections.abc import Iterable
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import Field, field_validator, model_validator

from raresight.pipeline.core.params import ByName, Section
from raresight.pipeline.core.ranges import FractionBelowOne
from raresight.pipeline.core.registry import Registry
from raresight.pipeline.runtime.errors import suggest

if TYPE_CHECKING:
    from torch import nn

Initialization = Literal["default", "xavier", "he", "orthogonal", "lsuv"]


class Model(Section):
    """Base of every model, also of those in other packages."""

    name: str

    @property
    def trains_features(self) -> bool:
        """Whether more is trained than the last layer."""
        return True

    @abstractmethod
    def network(self, *, classes: int, side: int, fetch: bool) -> "nn.Module":
        """A new network: standardized images, float32 (n, 3, side, side), to logits (n, classes).

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

    def network(self, *, classes: int, side: int, fetch: bool) -> "nn.Module":
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

    def network(self, *, classes: int, side: int, fetch: bool) -> "nn.Module":
        from raresight.pipeline.models import torchvision_models
        from raresight.pipeline.models.networks import LinearProbe, pixels_of

        if self.features == "pixels":
            return LinearProbe(pixels_of(self.grid), 3 * self.grid**2, classes)
        features, size = torchvision_models.features(self.features, side=side, fetch=fetch)
        return LinearProbe(features, size, classes)


def _one_of(name: str, ours: Iterable[str]) -> None:
    """Raise ValueError where ``name`` is neither of ``ours`` nor a classifier of torchvision."""
    from raresight.pipeline.models.torchvision_registry import (
        names,  # torchvision takes seconds to import
    )

    if name not in (known := [*ours, *names()]):
        raise ValueError(f"unknown model '{name}'. {suggest(name, known, limit=8)}")


class TorchvisionParams(Model):
    """Any torchvision classifier, its weights fresh.

    Its ``stem`` is made for large images; ``small`` keeps the resolution that small ones need.
    ``dropout`` is set wherever the network has dropout.
    """

    name: str
    stem: Literal["small", "original"] = "small"
    dropout: FractionBelowOne = 0.0

    @model_validator(mode="before")
    @classmethod
    def _known(cls, value: dict[str, Any]) -> dict[str, Any]:
        # Before the keys, which depend on the name: a misspelt one would make all of them wrong.
        _one_of(str(value.get("name")), MODELS)
        return value

    def network(self, *, classes: int, side: int, fetch: bool) -> "nn.Module":
        from raresight.pipeline.models import torchvision_models

        return torchvision_models.classifier(self, classes=classes, side=side)


MODELS = Registry[Model](
    {"small_cnn": SmallCNNParams, "linear_probe": LinearProbeParams},
    base=Model,
    group="raresight.models",
    noun="model",
)
ModelParams = Annotated[Model, ByName(MODELS, default="small_cnn", other=TorchvisionParams)]
