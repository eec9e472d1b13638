"""How images that exist become pixels: range, fit, content, and a JPEG decoded at a part of its
size; whatever is chosen, by the same rule for masks and for images that are predicted."""

import io
import logging

import numpy as np
import pytest
from image_folders import folder, read_all, save
from PIL import Image
from pydantic import ValidationError

from raresight.generators.base import BadImages
from raresight.generators.folder import FolderOptions
from raresight.generators.image_file import Reading, read_image
from raresight.generators.reading.decoding import decode
from raresight.generators.reading.fitting import fitted, window_of
from raresight.generators.real.sizes import sizes_of


def deep(root, bits: int, suffix: str = "png"):
    """A bright blob in values of so many bits, as X-rays are: half of what they can hold."""
    rng = np.random.default_rng(0)
    for k, label in enumerate(("healthy", "ill")):
        (root / label).mkdir(parents=True)
        for number in range(4):
            share = 0.25 + 0.1 * rng.random((32, 32))
            share[8:16, 8:16] += 0.12 * k
            values = (share * (2**bits - 1)).astype(np.uint16)
            Image.fromarray(values).save(root / label / f"{number}.{suffix}")
    return root


def brightest(root, **options) -> int:
    made = read_all(folder(root, 32, **options))
    return max(int(sample.image.max()) for sample in made.values())


@pytest.mark.parametrize("suffix", ["png", "tif"])
def test_twelve_bits_in_sixteen_are_warned_of_and_come_out_by_a_range(tmp_path, caplog, suffix):
    root = deep(tmp_path / "raw", 12, suffix)
    with caplog.at_level(logging.WARNING):
        values = [np.asarray(Image.open(path)) for path in root.glob("*/*")]
        assert brightest(root) == round(np.max(values) / 257) < 8
    assert "lie between 1023 and " in caplog.text
    assert "of 0 to 65535, so that they come out in 5 of 256 shades" in caplog.text
    assert "`range: [0, 4095]`" in caplog.text
    caplog.clear()
    in_sixteen = brightest(deep(tmp_path / "deep", 16, suffix))
    assert abs(brightest(root, range=[0, 4095]) - in_sixteen) <= 1
    assert brightest(root, range="percentile") > 250
    assert caplog.text == ""


@pytest.mark.parametrize("suffix", [".png", ".tif"])
def test_twelve_bits_in_sixteen_in_color_too(tmp_path, caplog, suffix):
    import cv2

    rng = np.random.default_rng(0)
    values = rng.integers(0, 4096, (9, 7, 3)).astype(np.uint16)
    for label in ("a", "b"):
        (tmp_path / label).mkdir()
        cv2.imwrite(str(tmp_path / label / f"1{suffix}"), values[:, :, ::-1])
    (made, _) = read_all(folder(tmp_path, (9, 7), range=[0, 4095])).values()
    assert (made.image == np.rint(values / 4095 * 255)).all()
    with caplog.at_level(logging.WARNING):
        (dark, _) = read_all(folder(tmp_path, (9, 7))).values()
    assert (dark.image == np.rint(values / 257)).all()
    assert "`range: [0, 4095]`" in caplog.text


def test_color_of_sixteen_bits_is_turned_upright_as_all_else(tmp_path):
    import cv2

    values = np.arange(2 * 3 * 3).reshape(2, 3, 3)
    encoded = cv2.imencode(".png", (values * 257).astype(np.uint16)[:, :, ::-1])[1].tobytes()
    for orientation in range(1, 9):
        exif = Image.Exif()
        exif[0x0112] = orientation
        out = io.BytesIO()
        Image.fromarray(values.astype(np.uint8)).save(out, "PNG", exif=exif)
        at = out.getvalue().index(b"eXIf") - 4  # the chunk, put before the pixels of the other
        length = 12 + int.from_bytes(out.getvalue()[at : at + 4], "big")
        chunk, start = out.getvalue()[at : at + length], encoded.index(b"IDAT") - 4
        deep = encoded[:start] + chunk + encoded[start:]
        assert (np.asarray(decode(deep).image) == np.asarray(decode(out.getvalue()).image)).all()


def test_percentiles_are_those_of_the_whole_source_and_stand_in_the_options(tmp_path):
    root = deep(tmp_path / "raw", 12)
    values = [np.asarray(Image.open(path)) for path in root.glob("*/*.png")]
    generator = folder(root, 32, range={"percentile": [5, 95]})
    made = read_all(generator)
    low, high = generator.settled().range
    assert [low, high] == pytest.approx(np.percentile(values, [5, 95]), rel=0.01)
    record, sample = next(iter(made.items()))
    expected = np.clip((np.asarray(Image.open(record.path), float) - low) / (high - low), 0, 1)
    assert np.abs(sample.image[:, :, 0] - 255 * expected).max() <= 0.5
    again = folder(root, 32, range=generator.settled().range)
    assert [one.image.tolist() for one in read_all(again).values()] == [
        one.image.tolist() for one in made.values()
    ]


def test_floats_of_any_range_are_read_once_it_is_said(tmp_path):
    for k, label in enumerate(("a", "b")):
        (tmp_path / label).mkdir()
        values = np.linspace(-3, 3, 64, dtype=np.float32).reshape(8, 8) * (k + 1) / 2
        Image.fromarray(values).save(tmp_path / label / "1.tif")
    with pytest.raises(BadImages, match=r"from -3 to 3; 0 to 1 can be read. `range: "):
        read_all(folder(tmp_path, 8))
    made = {one.label: one.image for one in read_all(folder(tmp_path, 8, range=[-3, 3])).values()}
    assert (made["b"][0, 0, 0], made["b"][-1, -1, 0]) == (0, 255)
    assert made["a"][0, 0, 0] == 64  # -1.5: a quarter


def test_a_range_where_no_image_has_one_is_a_mistake(root):
    for value in ("percentile", [0, 4095]):
        with pytest.raises(BadImages, match=r"no image has any\. Leave it out"):
            read_all(folder(root, range=value))


@pytest.mark.parametrize(
    "value", [[5, 5], [9, 1], [1], "auto", {"percentile": [0, 101]}, {"percentile": [9, 1]}]
)
def test_ranges_that_say_nothing_are_refused(value):
    with pytest.raises(ValidationError):
        FolderOptions(path="x", range=value)


def halves(size: tuple[int, int]) -> Image.Image:
    """Black on the left, white on the right."""
    image = Image.new("RGB", size, "black")
    image.paste("white", (size[0] // 2, 0, *size))
    return image


def png(image: Image.Image) -> bytes:
    out = io.BytesIO()
    image.save(out, "PNG")
    return out.getvalue()


def test_fit_pads_crops_or_stretches():
    content = png(halves((16, 8)))
    made = {fit: read_image(content, 8, Reading(fit=fit)) for fit in ("pad", "crop", "stretch")}
    gray = {fit: pixels[:, :, 0].tolist() for fit, pixels in made.items()}
    assert gray["crop"] == [[0] * 4 + [255] * 4] * 8  # the middle, at its own size
    assert np.asarray(gray["stretch"])[:, [0, -1]].tolist() == [[0, 255]] * 8
    assert gray["pad"][0] == [128] * 8  # the mean of the border
    assert gray["pad"][2][0] == 0
    assert gray["pad"][5][-1] == 255


@pytest.mark.parametrize("fit", ["pad", "crop", "stretch"])
def test_height_and_width_may_differ(fit):
    content = png(halves((40, 20)))
    assert read_image(content, (10, 20), Reading(fit=fit)).shape == (10, 20, 3)
    same = [read_image(content, (10, 20), Reading(fit=one)) for one in ("pad", fit)]
    assert (same[0] == same[1]).all()  # of the same proportions, there is nothing to choose


def test_a_border_of_one_color_is_cut_off(tmp_path):
    image = Image.new("RGB", (60, 40), (10, 12, 14))
    image.paste(halves((20, 20)), (5, 15))
    content = png(image)
    made = read_image(content, 20, Reading(crop_to="content"))
    # The black half is darker than the border by less than a sixteenth: content is what differs.
    assert made[:, :, 0].min() == 255 or (made[:, -1, 0] == 255).all()
    blank = png(Image.new("RGB", (60, 40), "gray"))
    assert (read_image(blank, 20, Reading(crop_to="content")) == 128).all()
    disc = Image.new("RGB", (60, 40), "black")
    disc.paste((200, 90, 30), (20, 10, 40, 30))
    assert (read_image(png(disc), 20, Reading(crop_to="content")) == (200, 90, 30)).all()


def test_masks_go_the_way_of_their_images(tmp_path):
    for label in ("a", "b"):
        image = Image.new("RGB", (60, 40), "black")
        image.paste((200, 90, 30), (20, 10, 40, 30))
        image.paste("white", (20, 10, 30, 20))
        (tmp_path / label).mkdir()
        image.save(tmp_path / label / "1.png")
        marked = Image.new("L", (60, 40))
        marked.paste(255, (20, 10, 30, 20))
        marked.save(tmp_path / label / "1_mask.png")
    asked = {"masks": "{folder}/{name}_mask.png"}
    for options in ({}, {"crop_to": "content"}, {"fit": "crop"}, {"fit": "stretch"}):
        for sample in read_all(folder(tmp_path, 20, **asked, **options)).values():
            white = sample.image[:, :, 2] > 140  # the disc has no blue
            assert white.sum() >= 10
            assert (white != sample.mask).sum() <= 2, options


def photograph(size: tuple[int, int]) -> Image.Image:
    rng = np.random.default_rng(0)
    coarse = Image.fromarray(rng.integers(0, 256, (20, 24, 3), np.uint8))
    return coarse.resize(size, Image.Resampling.BICUBIC)


@pytest.mark.parametrize(
    ("orientation", "size", "reduced"), [(1, (480, 401), 4), (6, (480, 400), 4), (6, (480, 401), 1)]
)
@pytest.mark.parametrize("fit", ["pad", "crop", "stretch"])
def test_a_jpeg_decoded_at_a_part_of_its_size_is_as_near_to_the_photograph(
    fit, orientation, size, reduced
):
    image, out = photograph(size), io.BytesIO()
    exif = Image.Exif()
    exif[0x0112] = orientation
    image.save(out, "JPEG", quality=95, exif=exif)
    found = decode(out.getvalue(), scale=lambda size: 64 / max(size))
    upright = image if orientation == 1 else image.transpose(Image.Transpose.ROTATE_270)
    assert found.reduced == reduced
    assert found.size == upright.size
    window = window_of(upright.size, (64, 64), fit)
    wanted = fitted(upright, window).astype(int)
    whole = fitted(decode(out.getvalue()).image, window).astype(int)
    made = read_image(out.getvalue(), 64, Reading(fit=fit)).astype(int)
    errors = [np.abs(one - wanted).mean() for one in (made, whole)]
    assert errors[0] < errors[1] + 0.5
    assert errors[0] < 3


@pytest.mark.parametrize(
    ("sizes", "suggested"),
    [
        ([(512, 512)] * 3, 224),
        ([(100, 100), (110, 90)], 96),
        ([(28, 28)], 32),
        ([(50, 38)], 32),
        ([(640, 480)] * 2, (160, 224)),
        ([(480, 640)], (224, 160)),
        ([(48, 200)], (192, 48)),
    ],
)
def test_a_size_is_suggested(sizes, suggested):
    assert sizes_of(sizes).suggested == suggested


def test_sizes_are_the_typical_and_those_at_the_ends(tmp_path):
    for k, size in enumerate([(10, 20), (30, 20), (12, 22)]):
        save(tmp_path / "ab"[k % 2] / f"{k}.png", "red", size=size)
    generator = folder(tmp_path)
    generator.streams("raw")
    assert generator.about() == {
        "native_sizes": {"typical": [20, 12], "smallest": [20, 10], "largest": [20, 30]},
        "reading": {"fit": "pad", "crop_to": None, "range": "dtype"},
    }
