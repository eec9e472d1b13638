"""What a network sees in images: the input of its last layer."""

import numpy as np
import torch

from raresight.pipeline.models.classifier import Classifier, head_of, in_batches
from raresight.pipeline.training.data.feed import Feed


@torch.inference_mode()
def features(model: Classifier, feed: Feed, *, classes: int) -> np.ndarray:
    """What the last layer of ``model`` is given of each image, float32 (n, D)."""
    model.eval()
    found: list[torch.Tensor] = []

    def keep(_: torch.nn.Module, given: tuple[torch.Tensor, ...]) -> None:
        given_to = given[0].float()
        # A convolution is given a map, of which the mean over its places is what it says in all.
        found.append(given_to.flatten(2).mean(2) if given_to.ndim > 2 else given_to)

    hook = head_of(model.network, classes).register_forward_pre_hook(keep)
    try:
        for images in feed.batches(in_batches(np.arange(len(feed)), feed.shape)):
            model(images)
    finally:
        hook.remove()
    result: np.ndarray = torch.cat(found).cpu().numpy()
    return result
