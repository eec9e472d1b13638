"""What can be measured of an image without knowing what it shows: its margin, tones and detail."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import cv2
import numpy as np

_FAINT = 12.0  # gray levels: what differs less from the border is no content
_CONTENT = 0.25  # of the largest difference from the border: what differs more is content
_BANDS = 8  # of the spectrum
LARGEST = 128  # pixels a side; larger images are averaged down to it


@dataclass(frozen=True, kw_only=True)
class Look:
    """An image in the forms that measures are taken from; ``pixels`` uint8 (H, W, C)."""

    pixels: np.ndarray

    @cached_property
    def gray(self) -> np.ndarray:
        """float32 (H, W), 0 to 255."""
        found: np.ndarray = self.pixels.mean(axis=2, dtype=np.float32)
        return found

    @cached_property
    def box(self) -> tuple[float, float, float, float]:
        """How far what is not the border's color is from each side: top, bottom, left, right.

        Shares of the height and of the width. All that differs from the border's median gray by a
        quarter of what the most different pixels do is content; without any, all are a half.
        """
        gray = self.gray
        border = np.concatenate((gray[0], gray[-1], gray[1:-1, 0], gray[1:-1, -1]))
        distance = np.abs(gray - np.median(border))
        content = distance > max(_FAINT, _CONTENT * float(np.quantile(distance, 0.99)))
        found = list[float]()
        for axis in (1, 0):
            there = np.flatnonzero(content.any(axis=axis))
            size = content.shape[1 - axis]
            ends = (there[0], size - 1 - there[-1]) if len(there) else (size / 2, size / 2)
            found += [float(end / size) for end in ends]
        return (found[0], found[1], found[2], found[3])

    def blurred(self, sigma: float) -> np.ndarray:
        """The gray image, blurred by a Gaussian of so many pixels."""
        return cv2.GaussianBlur(self.gray, (0, 0), sigma, borderType=cv2.BORDER_REFLECT)


def _size(look: Look) -> float:
    top, bottom, left, right = look.box
    return max(1 - top - bottom, 1 - left - right)


def _saturation(look: Look) -> float:
    return float((look.pixels.max(axis=2) - look.pixels.min(axis=2)).mean())


def _fine(look: Look) -> float:
    return _share(look.gray - look.blurred(1.0), look.gray)


def _coarse(look: Look) -> float:
    return _share(look.blurred(look.gray.shape[0] / 8), look.gray)


def _share(part: np.ndarray, whole: np.ndarray) -> float:
    """The variance of a part as a share of the whole's; 0 for an image of one color."""
    return float(part.var() / whole.var()) if whole.var() > 1e-3 else 0.0


@dataclass(frozen=True, kw_only=True)
class Measure:
    """A number an image has, and what it is in words."""

    of: Callable[[Look], float]
    meaning: str


MEASURES: Mapping[str, Measure] = {
    "margin": Measure(
        of=lambda look: min(look.box),
        meaning="free space beside what is shown, at its narrowest, as a share of the side",
    ),
    "size": Measure(of=_size, meaning="longer side of what is shown, as a share of the image's"),
    "mean": Measure(of=lambda look: float(look.gray.mean()), meaning="mean gray level"),
    "contrast": Measure(of=lambda look: float(look.gray.std()), meaning="deviation of gray levels"),
    "saturation": Measure(of=_saturation, meaning="mean difference of the color channels"),
    "fine_detail": Measure(of=_fine, meaning="share of the variance in details of a pixel or two"),
    "coarse_detail": Measure(
        of=_coarse, meaning="share of the variance in what is left when an eighth is blurred"
    ),
}


def small(image: np.ndarray) -> np.ndarray:
    """An image uint8 (H, W, C) whose sides are at most LARGEST, in its proportions."""
    height, width = image.shape[:2]
    scale = LARGEST / max(height, width)
    if scale >= 1:
        return image
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    return cv2.resize(image, size, interpolation=cv2.INTER_AREA)


def measure(images: Sequence[np.ndarray]) -> np.ndarray:
    """Every measure of every image, float64 (n, len(MEASURES))."""
    looks = [Look(pixels=image) for image in images]
    return np.array([[one.of(look) for one in MEASURES.values()] for look in looks]).reshape(
        len(looks), len(MEASURES)
    )


def spectrum(images: Sequence[np.ndarray]) -> np.ndarray:
    """The log energy of each of eight bands of frequencies, from low to high, float64 (n, 8).

    The bands part the radii of the two-dimensional spectrum, up to the sampling's limit, evenly;
    the images' mean is left out.
    """
    found = []
    for image in images:
        gray = Look(pixels=image).gray
        power = np.abs(np.fft.rfft2(gray - gray.mean())) ** 2
        rows, columns = np.fft.fftfreq(gray.shape[0]), np.fft.rfftfreq(gray.shape[1])
        radius = np.hypot(rows[:, None], columns[None])
        band = np.minimum((radius / 0.5 * _BANDS).astype(int), _BANDS - 1)
        energy = np.bincount(band.ravel(), power.ravel(), _BANDS)
        found.append(np.log1p(energy / gray.size))
    return np.array(found).reshape(len(found), _BANDS)
