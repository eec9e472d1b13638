"""Which pixels an answer came from: integrated gradients."""

from importlib.util import find_spec

import numpy as np

from raresight.pipeline.prediction.predictor import Predictor
from raresight.pipeline.runtime.errors import DeviceError

STEPS = 16  # between the blurred image and the image
_AT_ONCE = 256  # images on the way, STEPS for each


def require_captum() -> None:
    """DeviceError, with the line that installs it, where the library is not there."""
    if find_spec("captum") is None:
        raise DeviceError("explain needs captum: pip install 'raresight[explain]'")


def attributions(
    predictor: Predictor, images: np.ndarray, targets: np.ndarray, *, steps: int = STEPS
) -> np.ndarray:
    """What each pixel of ``images``, uint8 (n, H, W, 3), adds to the class ``targets``, int (n,).

    Float32 (n, H, W), in units of the class's logit: positive where a pixel speaks for it.
    Gradients along the straight way from the blurred image, in which nothing small can be seen, to
    the image (Sundararajan, Taly and Yan 2017, https://arxiv.org/abs/1703.01365), summed over the
    channels. All together add up to how much more the class's logit is than in the blurred image.
    """
    require_captum()
    import torch
    from captum.attr import IntegratedGradients

    from raresight.pipeline.models.classifier import in_batches

    model = predictor.scorer.model.eval()
    pixels = torch.from_numpy(np.array(predictor.check(images)))  # one that may be written
    device = model.mean.device
    with torch.inference_mode(False), torch.enable_grad():
        seen = model.standardize(pixels.to(device)).clone()
        width = min(seen.shape[-2:]) // 2 | 1  # odd, so that the middle stays the middle
        blurred = seen
        for side in (width, 1), (1, width):  # one after the other: large images take forever else
            blurred = torch.nn.functional.avg_pool2d(
                blurred, side, stride=1, padding=(side[0] // 2, side[1] // 2),
                count_include_pad=False,
            )  # fmt: skip
        together = len(in_batches(np.arange(_AT_ONCE), images.shape[1:])[0])
        found = IntegratedGradients(model.network).attribute(
            seen,
            baselines=blurred,
            target=torch.from_numpy(np.asarray(targets, np.int64)).to(device),
            n_steps=steps,
            internal_batch_size=max(together, len(images)),
        )
    summed: np.ndarray = found.sum(1).detach().float().cpu().numpy()
    return summed
