"""What a training begins from where its weights are not drawn: ``start``, ``model.weights``."""

from pathlib import Path

from raresight.pipeline.core.files import require_verified, sha256
from raresight.pipeline.models.checkpoint import WEIGHTS, load, read_card
from raresight.pipeline.models.classifier import Classifier, named_head
from raresight.pipeline.models.params import Normalization
from raresight.pipeline.models.pretrained import Pretrained, put_in
from raresight.pipeline.runtime.errors import DataError
from raresight.pipeline.training.params import TrainParams

_NETWORK = "network."


def beginning(params: TrainParams) -> Pretrained | None:
    """The weights that a training begins from; None where they are drawn.

    Raises InputMissing or DataError where they are not there or cannot be read.
    """
    if params.start is None:
        return params.model.pretrained()
    folder = Path(params.start)
    require_verified(folder, "train")
    model, card = load(folder)
    wanted = {"name": params.model.name, **params.model.model_dump(mode="json")}
    if differing := [key for key in _SHAPING if card.model.get(key) != wanted.get(key)]:
        told = ", ".join(f"{key} is {card.model.get(key)!r} there" for key in differing)
        raise DataError(f"train.start: the model of {folder} is another than train.model: {told}.")
    tensors = {
        name.removeprefix(_NETWORK): tensor
        for name, tensor in model.state_dict().items()
        if name.startswith(_NETWORK)
    }
    return Pretrained(
        tensors=tensors,
        origin=str(folder),
        sha256=sha256(folder / WEIGHTS),
        classes=tuple(card.classes),
    )


# The keys of a model that say which network it is, whichever model has them.
_SHAPING = ("name", "width", "blocks", "connections", "norm", "stem", "features", "grid")


def normalization(params: TrainParams) -> Normalization | None:
    """Mean and deviation that the beginning's weights are used to; None: the training images'."""
    if params.start is None:
        return params.model.normalization()
    card = read_card(Path(params.start))
    return card.mean, card.std


def begin(model: Classifier, weights: Pretrained, classes: tuple[str, ...]) -> None:
    """Give ``model`` the ``weights``; the last layer's too where it is of the same ``classes``."""
    head = None if weights.classes == classes else named_head(model.network, len(classes))[0]
    put_in(model.network, weights, head=head)
