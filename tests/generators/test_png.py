"""The short way of reading a PNG has the pixels of Pillow's, and what is not plain is Pillow's."""

import io
import struct
import zlib

import numpy as np
import pytest
from PIL import Image, PngImagePlugin

from raresight.generators.image_file import AS_IT_IS, Reading, read_content, read_image
from raresight.generators.reading.png import plain_png

SIGNATURE = b"\x89PNG\r\n\x1a\n"


def chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def png(width: int, height: int, *extra: bytes, depth: int = 8, kind: int = 2, cut: int = 0):
    """A PNG written by hand, each row with another of the five filters, noise through them."""
    rng = np.random.default_rng(width)
    rows = [
        bytes([row % 5]) + rng.integers(0, 256, 3 * width * depth // 8, np.uint8).tobytes()
        for row in range(height)
    ]
    pixels = b"".join(rows)
    pixels = zlib.compress(pixels[: len(pixels) - cut])
    half = len(pixels) // 2
    parts = [chunk(b"IDAT", pixels[:half]), chunk(b"IDAT", pixels[half:])]
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, kind, 0, 0, 0))
    return b"".join([SIGNATURE, header, *extra, *parts, chunk(b"IEND", b"")])


def by_pillow(content: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(content)).convert("RGB"))


@pytest.mark.parametrize("size", [(1, 1), (7, 5), (64, 64), (33, 200)])
@pytest.mark.parametrize(
    "extra",
    [
        (),
        (chunk(b"gAMA", struct.pack(">I", 100000)), chunk(b"pHYs", struct.pack(">IIB", 9, 9, 1))),
        (chunk(b"sRGB", b"\0"), chunk(b"cHRM", struct.pack(">8I", *range(30000, 30008)))),
        (chunk(b"tIME", struct.pack(">HBBBBB", 2020, 1, 1, 0, 0, 0)),),
    ],
)
def test_a_plain_png_has_the_pixels_that_pillow_finds(size, extra):
    content = png(*size, *extra)
    np.testing.assert_array_equal(plain_png(content), by_pillow(content))
    np.testing.assert_array_equal(plain_png(content + b"appended"), by_pillow(content))
    width, height = size
    read = read_content(content, (height, width), AS_IT_IS)  # nothing is to be resized
    np.testing.assert_array_equal(read.pixels, by_pillow(content))
    assert read.size == size
    slow = io.BytesIO()
    Image.open(io.BytesIO(content)).save(slow, "TIFF")  # the same pixels, by the long way
    for reading in (AS_IT_IS, Reading(crop_to="content"), Reading(fit="crop")):
        np.testing.assert_array_equal(
            read_image(content, (48, 40), reading), read_image(slow.getvalue(), (48, 40), reading)
        )


def saved(mode: str, **how) -> bytes:
    rng, out = np.random.default_rng(3), io.BytesIO()
    image = Image.fromarray(rng.integers(0, 256, (9, 8, 3), np.uint8)).convert(mode)
    image.save(out, "PNG", **how)
    return out.getvalue()


def with_text(key: str, text: str) -> bytes:
    info = PngImagePlugin.PngInfo()
    info.add_text(key, text)
    return saved("RGB", pnginfo=info)


def turned() -> bytes:
    exif = Image.Exif()
    exif[0x0112] = 6
    return saved("RGB", exif=exif)


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(saved("L"), id="gray"),
        pytest.param(saved("P"), id="palette"),
        pytest.param(saved("RGBA"), id="alpha"),
        pytest.param(saved("RGB", transparency=(1, 2, 3)), id="one color transparent"),
        pytest.param(png(8, 9, depth=16), id="16 bits"),
        pytest.param(turned(), id="turned"),
        pytest.param(with_text("Raw profile type exif", "\nexif\n0\n"), id="text"),
        pytest.param(png(8, 9, chunk(b"acTL", struct.pack(">II", 1, 0))), id="animated"),
        pytest.param(png(8, 9)[:-40], id="cut off"),
        pytest.param(png(8, 9)[:-12], id="without an end"),
        pytest.param(png(8, 9)[:20], id="header alone"),
        pytest.param(png(8, 9, cut=80), id="too few pixels"),
        pytest.param(png(8, 9).replace(b"IDAT", b"IDAU", 1), id="checksum"),
        pytest.param(b"", id="empty"),
        pytest.param(b"\xff\xd8\xff", id="no PNG"),
    ],
)
def test_anything_else_is_left_to_pillow(content):
    assert plain_png(content) is None
