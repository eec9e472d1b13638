"""``train.model``: the network."""

from typing import Annotated

from pydantic import Field, model_validator

from pipeline.core.params import Section

Share = Annotated[float, Field(ge=0, lt=1)]


class ModelParams(Section):
    """``small_resnet``, built from width and blocks, or any torchvision classifier by its name.

    ``width`` is the number of channels of the first stage, ``blocks`` the residual blocks of each
    stage (each halves the side and doubles the channels); both are null for a torchvision model.
    """

    name: str
    width: Annotated[int, Field(ge=1, le=1024)] | None
    blocks: Annotated[list[Annotated[int, Field(ge=1, le=64)]], Field(min_length=1)] | None
    dropout: Share

    @model_validator(mode="after")
    def _complete(self) -> "ModelParams":
        own = self.name == "small_resnet"
        given = (self.width is not None, self.blocks is not None)
        if given != (own, own):
            state = "need numbers" if own else "must be null"
            raise ValueError(f"width and blocks {state} for model '{self.name}'")
        return self
