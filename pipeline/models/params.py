"""``train.model`` and ``train.initialization``: the network and what it begins from."""

from collections.abc import Iterable
from typing import Annotated, Literal

from pydantic import Field, field_validator, model_validator

from raresight.pipeline.core.params import ByName, Section
from raresight.pipeline.core.ranges import FractionBelowOne
from raresight.pipeline.runtime.errors import suggest

Initialization = Literal["default", "xavier", "he", "orthogonal", "lsuv"]


class DropoutParams(Section):
    """The share of the pixels that is dropped, and of what the last layer sees."""

    input: FractionBelowOne = 0.0
    hidden: FractionBelowOne = 0.1


class SmallCNNParams(Section):
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


class LinearProbeParams(Section):
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


def _one_of(name: str, ours: Iterable[str]) -> None:
    """Raise ValueError where ``name`` is neither of ``ours`` nor a classifier of torchvision."""
    from raresight.pipeline.models.torchvision_registry import (
        names,  # torchvision takes seconds to import
    )

    if name not in (known := [*ours, *names()]):
        raise ValueError(f"unknown model '{name}'. {suggest(name, known, limit=8)}")


class TorchvisionParams(Section):
    """Any torchvision classifier, its weights fresh.

    Its ``stem`` is made for large images; ``small`` keeps the resolution that small ones need.
    ``dropout`` is set wherever the network has dropout.
    """

    name: str
    stem: Literal["small", "original"] = "small"
    dropout: FractionBelowOne = 0.0

    @model_validator(mode="before")
    @classmethod
    def _known(cls, value):
        # Before the keys, which depend on the name: a misspelt one would make all of them wrong.
        _one_of(str(value.get("name")), _KINDS)
        return value


_KINDS = {"small_cnn": SmallCNNParams, "linear_probe": LinearProbeParams}
ModelParams = Annotated[
    SmallCNNParams | LinearProbeParams | TorchvisionParams,
    ByName(_KINDS, default="small_cnn", other=TorchvisionParams),
]
