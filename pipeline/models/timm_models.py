"""timm's classifiers, by the names that it gives them, after ``timm/``."""

from importlib.util import find_spec
from types import ModuleType
from typing import TYPE_CHECKING

from torch import nn

from raresight.pipeline.models.pretrained import Pretrained
from raresight.pipeline.models.torchvision_models import try_on
from raresight.pipeline.models.torchvision_registry import TIMM, models
from raresight.pipeline.runtime.errors import DeviceError, InputMissing, ParamsError

if TYPE_CHECKING:
    from raresight.pipeline.models.params import Normalization, PretrainableParams


def names() -> list[str]:
    """Every classifier that timm has."""
    return [f"{TIMM}{name}" for name in _timm().list_models()]


def classifier(params: "PretrainableParams", *, classes: int, shape: tuple[int, int]) -> nn.Module:
    """A classifier of timm with fresh weights, for images of ``shape`` (height, width).

    Raises ParamsError where it is none for so small images.
    """
    options = {"drop_rate": params.dropout} if params.dropout else {}
    network = _timm().create_model(_bare(params.name), num_classes=classes, **options)
    try_on(network, params, shape)
    return network


def published(name: str) -> Pretrained:
    """The weights that timm has published for a classifier.

    Raises InputMissing when they cannot be fetched, ParamsError where there are none.
    """
    timm, bare = _timm(), _bare(name)
    if not timm.is_model_pretrained(bare):
        raise ParamsError(f"train.model.weights: timm has published none for {bare}.")
    try:
        network = timm.create_model(bare, pretrained=True)
    except (OSError, RuntimeError) as error:
        raise InputMissing(
            f"train.model.weights: the published weights of {name} cannot be fetched "
            f"({str(error).splitlines()[0]}). Connect to the network once, or name a file."
        ) from None
    tag = network.pretrained_cfg.get("tag", "")
    return Pretrained(tensors=network.state_dict(), origin=f"timm {bare}.{tag}".rstrip("."))


def normalization(name: str) -> "Normalization":
    """Mean and deviation per channel, in [0, 255], that the published weights were made with."""
    made = _timm().get_pretrained_cfg(_bare(name))
    return tuple(255 * value for value in made.mean), tuple(255 * value for value in made.std)


def _bare(name: str) -> str:
    return name.removeprefix(TIMM)


def _timm() -> ModuleType:
    if find_spec("timm") is None:
        raise DeviceError("train.model.name: timm is not there: pip install 'raresight[timm]'")
    models()  # timm imports torchvision, whose operators may have to be declared first
    import timm

    return timm
