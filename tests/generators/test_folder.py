import io
import logging
import os
import struct
import zlib
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from pydantic import ValidationError

from generators.base import BadImages, Record
from generators.folder import Folder, FolderOptions
from pipeline.stages.digits import write_digits


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A folder with two classes of two images each."""
    for k, label in enumerate(("cat", "dog")):
        for number in (2, 10):
            save(tmp_path / "raw" / label / f"{number}.png", (40 * k, number, 0))
    return tmp_path / "raw"


def save(path: Path, colour, mode: str = "RGB", size=(6, 6), **options) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new(mode, size, colour).save(path, **options)
    return path


def folder(root: Path, side: int = 6, **options) -> Folder:
    return Folder(FolderOptions(path=str(root), **options), side)


def records(root: Path, **options) -> list[Record]:
    return [record for stream in folder(root, **options).streams("raw") for record in stream]


def names(root: Path, **options) -> list[str]:
    return [str(record.path.relative_to(root)) for record in records(root, **options)]


def read(root: Path, image: Image.Image, *, side: int = 6, suffix="png", **options) -> np.ndarray:
    """What the generator makes of an image saved as a file."""
    path = root / "cat" / f"1.{suffix}"
    image.save(path, **options)
    return read_file(root, path, side=side)


def read_file(root: Path, path: Path, *, side: int = 6) -> np.ndarray:
    record = next(record for record in records(root) if record.path == path)
    return folder(root, side).sample(record, np.random.default_rng(0)).image


def png(width: int, height: int) -> bytes:
    """A black PNG with one bit a pixel: a few kilobytes, whatever its size."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return (
            struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        )

    header = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    pixels = zlib.compress(bytes((width + 7) // 8 + 1) * height, 9)
    parts = chunk(b"IHDR", header), chunk(b"IDAT", pixels), chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


def test_a_subfolder_is_a_class_and_files_come_in_natural_order(root):
    assert folder(root).classes == ("cat", "dog")
    assert names(root) == ["cat/2.png", "cat/10.png", "dog/2.png", "dog/10.png"]
    assert [record.label for record in records(root)] == ["cat", "cat", "dog", "dog"]


def test_a_sample_has_pixels_and_its_file_but_no_mask(root):
    generator = folder(root)
    sample = generator.sample(generator.streams("raw")[1][0], np.random.default_rng(0))
    assert sample.image.tolist() == [[[40, 2, 0]] * 6] * 6
    assert (sample.label, sample.mask) == ("dog", None)
    assert sample.factors == {"file": "dog/2.png"}
    assert set(generator.factors) == {"file"}


def test_ids_come_from_the_content(root):
    content = (root / "cat" / "2.png").read_bytes()
    assert records(root)[0].id == f"raw-{sha256(content).hexdigest()[:16]}"


def test_files_of_the_same_content_get_ids_of_their_own(root):
    content = (root / "cat" / "2.png").read_bytes()
    for path in (root / "cat" / "3.png", root / "dog" / "1.png"):
        path.write_bytes(content)
    ids = {str(record.path.relative_to(root)): record.id for record in records(root)}
    first = ids["cat/2.png"]
    assert ids["cat/3.png"] == f"{first}-2"
    assert ids["dog/1.png"] == f"{first}-3"
    assert len(set(ids.values())) == len(ids) == 6


def test_files_with_later_names_move_nothing(root):
    before = records(root)
    save(root / "cat" / "11.png", "red")
    save(root / "dog" / "100.png", "blue")
    after = records(root)
    assert [record for record in after if record in before] == before
    assert after[:2] == before[:2]
    assert after[3:5] == before[2:]


def test_hidden_files_and_files_beside_the_classes_are_left_out(root):
    for name in ("README.md", "cat/.DS_Store", ".git/config", "dog/.cache/a.png"):
        path = root / name
        path.parent.mkdir(exist_ok=True)
        path.write_text("no image")
    assert folder(root).classes == ("cat", "dog")
    assert len(names(root)) == 4


def test_files_in_deeper_folders_belong_to_the_class(root):
    save(root / "dog" / "puppies" / "1.png", "red")
    assert names(root)[2:] == ["dog/2.png", "dog/10.png", "dog/puppies/1.png"]


def test_linked_files_are_read_and_linked_folders_are_not_followed(root, tmp_path):
    save(tmp_path / "elsewhere" / "a.png", "red")
    (root / "cat" / "linked.png").symlink_to(tmp_path / "elsewhere" / "a.png")
    (root / "cat" / "folder").symlink_to(tmp_path / "elsewhere")
    (root / "cat" / "loop").symlink_to(root)
    assert names(root)[:3] == ["cat/2.png", "cat/10.png", "cat/linked.png"]
    assert len(names(root)) == 5


def test_names_that_are_not_utf8_work(root):
    path = Path(os.fsdecode(os.fsencode(root) + b"/cat/caf\xe9.png"))
    save(path, (1, 2, 3))
    generator = folder(root)
    sample = generator.sample(generator.streams("raw")[0][-1], np.random.default_rng(0))
    assert sample.factors == {"file": r"cat/caf\xe9.png"}
    assert sample.image[0, 0].tolist() == [1, 2, 3]


def test_nothing_is_read_before_it_is_asked_for(tmp_path):
    folder(tmp_path / "missing")


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


def _write(content: bytes) -> Callable[[Path], None]:
    return lambda path: path.write_bytes(content)


def _truncated(path: Path) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(noise).save(buffer, "JPEG" if path.suffix == ".jpg" else "PNG")
    path.write_bytes(buffer.getvalue()[: len(buffer.getvalue()) // 2])


BAD = {
    "empty.png": (_write(b""), "the file is empty"),
    "text.png": (_write(b"not an image"), "not an image that Pillow knows"),
    "cut.png": (_truncated, "truncated"),
    "cut.jpg": (_truncated, "truncated"),
    "bomb.png": (_write(png(20_000, 20_000)), "exceeds limit|more than 80 million"),
    "large.png": (_write(png(10_000, 9_500)), "10000 x 9500 pixels, more than 80 million"),
    "float.tif": (lambda path: save(path, 300.0, "F"), "300 to 300; 0 to 1 can be read"),
    "nan.tif": (lambda path: save(path, float("nan"), "F"), "nan to nan; 0 to 1 can be read"),
    "minus.tif": (lambda path: save(path, -5, "I"), "-5 to -5; 0 to 65535 can be read"),
    "broken.png": (lambda path: path.symlink_to("nowhere.png"), "not a file"),
    "pipe.png": (os.mkfifo, "not a file"),
}


@pytest.mark.parametrize("name", BAD)
def test_an_unreadable_file_is_named_with_the_reason(root, name):
    make, reason = BAD[name]
    make(root / "dog" / name)
    with pytest.raises(BadImages, match=rf"has 1 unreadable files(.|\n)*dog/{name}: .*({reason})"):
        records(root)


def test_a_bomb_is_small_on_disk():
    assert len(png(20_000, 20_000)) < 64_000


def test_reading_leaves_pillows_global_limits_alone(root):
    (root / "dog" / "bomb.png").write_bytes(png(20_000, 20_000))
    before = Image.MAX_IMAGE_PIXELS
    with pytest.raises(BadImages):
        records(root)
    assert before == Image.MAX_IMAGE_PIXELS


def test_all_unreadable_files_are_listed_in_one_message(root):
    for label in ("cat", "dog"):
        (root / label / "bad.png").write_bytes(b"no")
    with pytest.raises(BadImages) as caught:
        records(root)
    assert "has 2 unreadable files; `max_unreadable` allows 0" in str(caught.value)
    assert "cat/bad.png" in str(caught.value)
    assert "dog/bad.png" in str(caught.value)


def test_up_to_max_unreadable_files_are_skipped_and_reported(root, caplog):
    before = records(root)
    for label in ("cat", "dog"):
        (root / label / "5.png").write_bytes(b"no")
    with caplog.at_level(logging.WARNING):
        assert records(root, max_unreadable=2) == before
    assert "skipped 2 unreadable files" in caplog.text
    assert "cat/5.png" in caplog.text
    assert "dog/5.png" in caplog.text
    with pytest.raises(BadImages, match="`max_unreadable` allows 1"):
        records(root, max_unreadable=1)


def test_a_class_may_not_lose_all_its_images(root):
    for path in (root / "cat").iterdir():
        path.write_bytes(b"no")
    with pytest.raises(BadImages, match="no readable image of class 'cat'"):
        records(root, max_unreadable=10)


def test_a_class_without_files_is_named(root):
    (root / "bird").mkdir()
    (root / "fish" / "deep").mkdir(parents=True)
    with pytest.raises(BadImages, match="classes without a file: bird, fish"):
        records(root)


@pytest.mark.parametrize("label", [None, "cat"])
def test_fewer_than_two_classes_are_refused(tmp_path, label):
    found = "no class"
    if label:
        save(tmp_path / label / "1.png", "red")
        found = "only the class 'cat'"
    with pytest.raises(BadImages, match=f"holds {found}. It needs two subfolders or more"):
        records(tmp_path)


def test_a_missing_folder_says_what_to_do(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"nowhere' does not exist\. Put the images"):
        folder(tmp_path / "nowhere").streams("raw")


def test_a_file_in_place_of_the_folder_is_refused(root):
    with pytest.raises(BadImages, match="is a file, not a folder"):
        folder(root / "cat" / "2.png").streams("raw")


def test_a_file_that_breaks_between_listing_and_reading_is_named(root):
    generator = folder(root)
    record = generator.streams("raw")[0][0]
    record.path.write_bytes(b"no")
    with pytest.raises(BadImages, match=r"cat/2\.png: not an image that Pillow knows"):
        generator.sample(record, np.random.default_rng(0))


@pytest.mark.parametrize("options", [{}, {"path": ""}, {"path": "x", "max_unreadable": -1}])
def test_bad_options_are_refused(options):
    with pytest.raises(ValidationError):
        FolderOptions(**options)


def test_the_digits_are_written_as_one_folder_a_class(tmp_path):
    assert write_digits(tmp_path) == 1797
    assert folder(tmp_path).classes == tuple("0123456789")
    streams = folder(tmp_path).streams("digits")
    assert [len(stream) for stream in streams] == [178, 182, 177, 183, 181, 182, 181, 179, 174, 180]
