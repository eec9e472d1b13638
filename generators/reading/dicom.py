"""DICOM files: the images of radiology, with values of their own scale."""

import io
from importlib.util import find_spec
from typing import Any

import numpy as np

from raresight.generators.reading.ranges import Values


def is_dicom(content: bytes) -> bool:
    """Whether a file is one, by its first bytes."""
    return content[128:132] == b"DICM"


def header(content: bytes) -> tuple[int, int, bool]:
    """Width, height, and whether it has one value a pixel, whose range is to be said."""
    one = _read(content)
    return int(one.Columns), int(one.Rows), _is_gray(one)


def values(content: bytes) -> Values | None:
    """The values of the first frame, rescaled as the file says (Hounsfield units, of a CT).

    Their range is that of the bits that are stored. None of one in color, whose 8 bits
    :func:`color` reads. ValueError where pydicom is not there, or cannot decode it.
    """
    one = _read(content)
    if not _is_gray(one):
        return None
    slope = float(getattr(one, "RescaleSlope", 1) or 1)
    intercept = float(getattr(one, "RescaleIntercept", 0) or 0)
    bits, signed = int(one.BitsStored), bool(one.PixelRepresentation)
    ends = (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1) if signed else (0, 2**bits - 1)
    low, high = sorted(end * slope + intercept for end in ends)
    return Values(
        array=_first_frame(content) * slope + intercept,
        full=(low, high),
        kind="DICOM",
        inverted=one.PhotometricInterpretation == "MONOCHROME1",
    )


def color(content: bytes) -> np.ndarray:
    """The first frame of a DICOM image in color: uint8 (H, W, 3)."""
    from pydicom.pixels import apply_color_lut

    one = _read(content)
    pixels = _first_frame(content)
    if one.PhotometricInterpretation == "PALETTE COLOR":
        pixels = apply_color_lut(pixels, one)
        if pixels.dtype == np.uint16:
            pixels = (pixels >> 8).astype(np.uint8)
    if pixels.dtype != np.uint8:
        raise ValueError(f"a DICOM image in color of {pixels.dtype}; uint8 can be read")
    return pixels


def _is_gray(one: Any) -> bool:
    return str(one.PhotometricInterpretation).startswith("MONOCHROME")


def _read(content: bytes) -> Any:
    """What a file says of its image, without the pixels."""
    if find_spec("pydicom") is None:
        raise ValueError("a DICOM image, which needs pydicom: pip install 'raresight[dicom]'")
    from pydicom import dcmread

    one = dcmread(io.BytesIO(content), stop_before_pixels=True)
    needed = ("Rows", "Columns", "BitsStored", "PhotometricInterpretation")
    if missing := [name for name in needed if name not in one]:
        raise ValueError(f"a DICOM file without an image: it has no {', '.join(missing)}")
    return one


def _first_frame(content: bytes) -> np.ndarray:
    """(H, W), or (H, W, 3) in red, green and blue."""
    from pydicom.pixels import pixel_array

    found: np.ndarray = pixel_array(io.BytesIO(content), index=0)
    return found
