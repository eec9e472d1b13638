"""Pictures of which each is a scene of its own, and what becomes of them."""

import io

import cv2
import numpy as np
from PIL import Image


def picture(seed: int, side: int = 48) -> np.ndarray:
    """Large soft shapes of all colors, and a texture on them: uint8 (side, side, 3)."""
    rng = np.random.default_rng(seed)
    coarse = cv2.resize(rng.random((5, 5, 3)), (side, side), interpolation=cv2.INTER_CUBIC)
    texture = cv2.GaussianBlur(rng.standard_normal((side, side, 1)), (0, 0), 1.0)[..., None]
    return np.clip(255 * (0.15 + 0.7 * coarse + 0.15 * texture), 0, 255).astype(np.uint8)


def jpeg(image: np.ndarray, quality: int = 60) -> np.ndarray:
    """The image as a file of such a quality shows it."""
    held = io.BytesIO()
    Image.fromarray(image).save(held, "JPEG", quality=quality)
    return np.asarray(Image.open(held))
