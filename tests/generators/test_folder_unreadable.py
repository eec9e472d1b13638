"""Files that cannot be read, and folders that cannot be used, are told by name."""

import io
import logging
import os
import struct
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from image_folders import folder, read_all, records, save
from PIL import Image

from raresight.generators.base import BadImages


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
    "nan.tif": (lambda path: save(path, float("nan"), "F"), "pixels that are no numbers"),
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


def test_a_table_beside_the_images_is_pointed_to(tmp_path):
    save(tmp_path / "images" / "1.png", "red")
    (tmp_path / "labels.csv").write_text("file,label\n")
    with pytest.raises(BadImages, match=r"If labels\.csv lists them.*`generator: table` with"):
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


JUNK = {"cat/Thumbs.db": b"x", "dog/desktop.ini": b"x", "cat/labels.csv": b"", "dog/README": b"hi"}


def test_what_is_no_image_by_name_and_content_is_passed_over_and_kept_apart(root, caplog):
    before = records(root)
    for name, content in JUNK.items():
        (root / name).write_bytes(content)
    (root / "cat" / "cut.png").write_bytes(b"")
    generator = folder(root, max_unreadable=1)
    with caplog.at_level(logging.WARNING):
        assert list(read_all(generator)) == before
    assert "passed over 4 files that are no images" in caplog.text
    assert "skipped 1 unreadable files" in caplog.text
    left = generator.left_out()
    assert set(left["no_image"]) == {str(root / name) for name in JUNK}
    assert left["unreadable"] == {str(root / "cat" / "cut.png"): "the file is empty"}
    with pytest.raises(BadImages, match="has 1 unreadable files"):
        records(root)


def test_an_image_under_another_name_is_one(root):
    path = save(root / "cat" / "5.png", "red")
    path.rename(root / "cat" / "scan.dat")
    _truncated(root / "dog" / "9.jpg")
    (root / "dog" / "9.jpg").rename(root / "dog" / "broken.dat")
    with pytest.raises(BadImages, match=r"has 1 unreadable files(.|\n)*broken\.dat"):
        records(root)
    assert len(records(root, max_unreadable=1)) == 5
    generator = folder(root, max_unreadable=1)
    read_all(generator)
    assert generator.left_out().keys() == {"unreadable"}
