"""digits: scikit-learn's 1,797 scanned digits as PNG files, one subfolder a class."""

from pathlib import Path

import numpy as np
from PIL import Image


def write_digits(folder: Path) -> int:
    """Write ``folder/<digit>/<number>.png`` (8 x 8 pixels, grey) and return how many there are."""
    from sklearn.datasets import load_digits

    digits = load_digits()
    for number, (pixels, label) in enumerate(zip(digits.images, digits.target, strict=True)):
        path = folder / str(label) / f"{number:04d}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        grey = np.rint(pixels * (255 / 16)).astype(np.uint8)
        Image.fromarray(grey).save(path)
    return len(digits.target)
