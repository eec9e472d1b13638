"""Real images become squares of RGB by one rule, whatever their format, mode and shape."""

import numpy as np
import pytest
from image_folders import read
from PIL import Image


@pytest.mark.parametrize(
    ("mode", "colour", "suffix", "expected"),
    [
        ("1", 1, "png", 255),
        ("L", 100, "png", 100),
        ("LA", (100, 255), "png", 100),
        ("LA", (100, 0), "png", 255),  # transparent pixels show white paper
        ("RGBA", (0, 0, 0, 51), "png", 204),  # a fifth of black over white
        ("CMYK", (0, 0, 0, 0), "tif", 255),
        ("CMYK", (0, 0, 0, 255), "tif", 0),
        ("I;16", 257 * 100, "png", 100),
        ("I;16", 65535, "tif", 255),
        ("I", 257 * 100, "tif", 100),
        ("F", 0.4, "tif", 102),
        ("YCbCr", (100, 128, 128), "tif", 100),
        ("L", 100, "bmp", 100),
        ("L", 100, "gif", 100),
        ("L", 100, "jpg", 100),
        ("L", 100, "pgm", 100),
    ],
)
def test_formats_and_modes_become_rgb(root, mode, colour, suffix, expected):
    pixels = read(root, Image.new(mode, (6, 6), colour), suffix=suffix)
    assert (pixels.shape, pixels.dtype) == ((6, 6, 3), np.uint8)
    assert np.unique(pixels).tolist() == [expected]


@pytest.mark.parametrize(("lightness", "expected"), [(0, 0), (137, 128), (255, 255)])
def test_lab_becomes_grey_by_lightness(root, lightness, expected):
    # L* = 53.6 of 100, 137 of 255, is the middle grey of sRGB.
    pixels = read(root, Image.new("LAB", (6, 6), (lightness, 128, 128)), suffix="tif")
    assert np.abs(pixels.astype(int) - expected).max() <= 1


def test_a_transparent_palette_entry_shows_white(root):
    image = Image.new("P", (2, 1))
    image.putpalette([10, 20, 30, 40, 50, 60])
    image.putpixel((1, 0), 1)
    pixels = read(root, image, side=2, transparency=1)
    assert pixels[0].tolist() == [[10, 20, 30], [255, 255, 255]]


def test_files_are_turned_upright_by_their_exif_orientation(root):
    image = Image.new("RGB", (4, 4), "blue")
    image.paste("red", (0, 0, 2, 4))  # red on the left
    exif = Image.Exif()
    exif[0x0112] = 6  # "the first column is the top": red belongs on top
    pixels = read(root, image, side=4, exif=exif)
    assert pixels[0].tolist() == [[255, 0, 0]] * 4
    assert pixels[3].tolist() == [[0, 0, 255]] * 4


def test_of_several_frames_the_first_is_taken(root):
    frames = [Image.new("L", (6, 6), level) for level in (10, 200)]
    pixels = read(root, frames[0], suffix="gif", save_all=True, append_images=frames[1:])
    assert np.unique(pixels).tolist() == [10]


def test_the_longer_side_fits_and_the_rest_takes_the_mean_of_the_border(root):
    image = Image.new("L", (4, 2), 0)
    image.paste(200, (0, 1, 4, 2))  # rows 0 and 200
    pixels = read(root, image, side=4)[:, :, 0]
    assert pixels.tolist() == [[100] * 4, [0] * 4, [200] * 4, [100] * 4]


def test_a_tall_image_is_centred_too(root):
    pixels = read(root, Image.new("L", (2, 4), 50), side=8)
    assert np.unique(pixels).tolist() == [50]


def test_images_are_shrunk_with_antialiasing(root):
    board = np.indices((64, 64)).sum(axis=0) % 2 * 255
    pixels = read(root, Image.fromarray(board.astype(np.uint8)), side=8)
    assert np.abs(pixels[1:-1, 1:-1].astype(int) - 127).max() <= 3


def test_a_very_flat_image_keeps_one_row(root):
    assert read(root, Image.new("L", (500, 1), 7), side=8).tolist() == [[[7] * 3] * 8] * 8
