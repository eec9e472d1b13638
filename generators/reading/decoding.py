"""From the bytes of a file to an upright RGB image, whatever its format."""

import io
import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageCms, ImageOps

from raresight.generators.reading import dicom
from raresight.generators.reading.fitting import Size
from raresight.generators.reading.ranges import Range, Values

_MAX_PIXELS = 80_000_000  # about 300 MB once decoded


class NoContent(ValueError):
    """There is nothing that could be an image."""


@dataclass(frozen=True, kw_only=True)
class Decoded:
    """An upright RGB image, its own ``size``, and by how much it was ``reduced`` in decoding."""

    image: Image.Image
    size: Size
    reduced: int = 1


@dataclass(frozen=True, kw_only=True)
class Header:
    """What an image says of itself before it is decoded; ``deep``: it has more than 8 bits."""

    size: Size
    deep: bool


def decode(
    content: bytes | np.ndarray,
    *,
    value_range: Range = "dtype",
    scale: Callable[[Size], float] | None = None,
) -> Decoded:
    """An upright RGB image, fully loaded; of several frames the first.

    ``scale`` says, of an image's own size, by what it will be scaled: a JPEG that will be shrunk is
    decoded at a half, a quarter or an eighth of its size, which is as good and much faster. Raises
    nearly anything where the bytes are no image, or a damaged one.
    """
    if isinstance(content, np.ndarray) or dicom.is_dicom(content):
        deep = values_of(content)
        if deep is not None:
            pixels = deep.levels(value_range)
        else:
            pixels = content if isinstance(content, np.ndarray) else dicom.color(content)
        image = Image.fromarray(pixels).convert("RGB")
        return Decoded(image=image, size=image.size)
    with _opened(content) as opened:
        if _is_deep(opened):
            image = Image.fromarray(_values(opened, content).levels(value_range)).convert("RGB")
            return Decoded(image=image, size=image.size)
        own = opened.size
        share = 1.0 if scale is None else scale(_upright_size(opened))
        if share < 0.5 and (not _is_turned(opened) or own[0] % 8 == own[1] % 8 == 0):
            # A pixel that only the end of a row half fills would come first in one that is turned.
            opened.draft(None, (math.ceil(own[0] * share), math.ceil(own[1] * share)))
        reduced = round(own[0] / opened.size[0]) if opened.size != own else 1
        opened.load()
        size = _upright_size(opened, own)
        return Decoded(image=_to_rgb(ImageOps.exif_transpose(opened)), size=size, reduced=reduced)


def header_of(content: bytes | np.ndarray) -> Header:
    """What an image says of itself; nothing is decoded. Raises as :func:`decode` does."""
    if isinstance(content, np.ndarray):
        return Header(size=content.shape[1::-1], deep=content.dtype != np.uint8)
    if dicom.is_dicom(content):
        width, height, deep = dicom.header(content)
        return Header(size=(width, height), deep=deep)
    with _opened(content) as opened:
        return Header(size=_upright_size(opened), deep=_is_deep(opened))


def values_of(content: bytes | np.ndarray) -> Values | None:
    """The values of an image of more than 8 bits, turned upright; None of any other."""
    if isinstance(content, np.ndarray):
        return None if content.dtype == np.uint8 else _of_array(content)
    if dicom.is_dicom(content):
        return dicom.values(content)
    with _opened(content) as opened:
        return _values(opened, content) if _is_deep(opened) else None


def _values(opened: Image.Image, content: bytes) -> Values:
    if opened.mode == "RGB":
        return _deep_color(opened, content)
    mode, full = opened.mode, (0, 1) if opened.mode == "F" else (0, 65535)
    opened.load()
    return Values(array=np.asarray(ImageOps.exif_transpose(opened)), full=full, kind=mode)


def _opened(content: bytes) -> Image.Image:
    if not content:
        raise NoContent("the file is empty")
    image = Image.open(io.BytesIO(content))
    if image.width * image.height > _MAX_PIXELS:
        size = f"{image.width} x {image.height}"
        raise ValueError(f"{size} pixels, more than {_MAX_PIXELS // 10**6} million")
    return image


def _is_deep(image: Image.Image) -> bool:
    return image.mode.startswith("I") or image.mode == "F" or _is_deep_color(image)


def _is_deep_color(image: Image.Image) -> bool:
    """Whether it is of 16 bits a channel, of which Pillow keeps the upper 8 alone."""
    tiles = getattr(image, "tile", ())
    return image.mode == "RGB" and any("RGB;16" in str(tile[3]) for tile in tiles)


def _deep_color(opened: Image.Image, content: bytes) -> Values:
    import cv2

    bgr = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_UNCHANGED)
    if bgr is None or bgr.dtype != np.uint16 or bgr.ndim != 3:
        raise ValueError("16 bits a channel that cannot be decoded")
    array = bgr[:, :, 2::-1]
    orientation = _orientation(opened)
    if orientation in (5, 6, 7, 8):
        array = array.transpose(1, 0, 2)
    if orientation in (3, 4, 7, 8):
        array = array[::-1]
    if orientation in (2, 3, 6, 7):
        array = array[:, ::-1]
    return Values(array=np.ascontiguousarray(array), full=(0, 65535), kind="RGB;16")


def _of_array(array: np.ndarray) -> Values:
    if np.issubdtype(array.dtype, np.integer):
        info = np.iinfo(array.dtype)
        return Values(array=array, full=(info.min, info.max), kind=str(array.dtype))
    return Values(array=array, full=(0, 1), kind=str(array.dtype))


def _upright_size(image: Image.Image, size: Size | None = None) -> Size:
    """The size of an image once it is turned upright by its EXIF orientation."""
    width, height = size or image.size
    return (height, width) if _orientation(image) in (5, 6, 7, 8) else (width, height)


def _is_turned(image: Image.Image) -> bool:
    return _orientation(image) in range(2, 9)


def _orientation(image: Image.Image) -> int:
    if image.format == "PNG" and getattr(image, "tile", None) and "exif" not in image.info:
        return 1  # its metadata may come after the pixels, which would be decoded to look for it
    found = image.getexif().get(0x0112)
    return found if isinstance(found, int) else 1


def _to_rgb(image: Image.Image) -> Image.Image:
    if image.mode == "LAB":
        lab, srgb = ImageCms.createProfile("LAB"), ImageCms.createProfile("sRGB")
        converted = ImageCms.profileToProfile(image, lab, srgb, outputMode="RGB")
        return image if converted is None else converted  # None: converted in place
    if not image.has_transparency_data:
        return image if image.mode == "RGB" else image.convert("RGB")
    image = image.convert("RGBA")
    return Image.alpha_composite(Image.new("RGBA", image.size, "white"), image).convert("RGB")
