from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from raresight.pipeline.report.figures.contact_sheet import write_sheet

ACCENT = (120, 255, 190)
GROUND = (24, 26, 30)


def draw(data, path: Path, **options) -> np.ndarray:
    write_sheet(data, path, **options)
    with Image.open(path) as sheet:
        return np.array(sheet)


def count(pixels: np.ndarray, colour: tuple[int, int, int]) -> int:
    return int((pixels == colour).all(axis=-1).sum())


def colour_of(row: int) -> tuple[int, int, int]:
    return row, 2 * row, 255 - row


def test_each_image_is_shown_once_enlarged_by_a_whole_factor(rows, dataset, tmp_path):
    pixels = draw(dataset(rows("aab")), tmp_path / "sheet.png")
    assert [count(pixels, colour_of(row)) for row in range(3)] == [128 * 128] * 3


def test_large_images_are_reduced(rows, dataset, tmp_path):
    pixels = draw(dataset(rows("ab", side=256), side=256), tmp_path / "sheet.png")
    assert [count(pixels, colour_of(row)) for row in range(2)] == [128 * 128] * 2


def test_with_many_classes_the_tiles_are_smaller(rows, dataset, tmp_path):
    pixels = draw(dataset(rows("abcdefghi")), tmp_path / "sheet.png")
    assert count(pixels, colour_of(4)) == 64 * 64


def test_at_most_40_classes_are_drawn_from_their_start(rows, dataset, tmp_path):
    labels = [f"class-{k:02d}" for k in range(45)]
    pixels = draw(dataset(rows(labels)), tmp_path / "sheet.png")
    assert count(pixels, colour_of(39)) == 64 * 64
    assert count(pixels, colour_of(40)) == 0


def test_per_class_images_are_chosen_by_the_seed(rows, dataset, tmp_path):
    data = dataset(rows("a" * 60 + "b"))

    def shown(seed: int) -> list[int]:
        pixels = draw(data, tmp_path / "sheet.png", per_class=5, seed=seed)
        grid = {tuple(colour) for colour in pixels[::32, ::32].reshape(-1, 3).tolist()}
        return [row for row in range(60) if colour_of(row) in grid]

    choices = {seed: shown(seed) for seed in range(3)}
    assert all(len(choice) == 5 for choice in choices.values())
    assert len(set(map(tuple, choices.values()))) == 3


def test_same_rows_give_the_same_bytes_in_any_folder(rows, dataset, tmp_path):
    first, again = tmp_path / "first.png", tmp_path / "again.png"
    write_sheet(dataset(rows("aabb"), name="one"), first)
    write_sheet(dataset(rows("aabb"), name="two"), again)
    assert first.read_bytes() == again.read_bytes()


def test_an_outline_runs_around_the_mask_on_a_second_copy(rows, dataset, tmp_path):
    masks = np.zeros((2, 8, 8), np.uint8)
    masks[1, 3:5, 3:5] = 1
    pixels = draw(dataset(rows("ab", columns={"mask": masks})), tmp_path / "sheet.png")
    # 8 pixels become 128, so the mask is a square of 32, its outline of 1 and the dark rim of 1.
    outline, rim = 34**2 - 32**2, 36**2 - 34**2
    assert count(pixels, ACCENT) == outline
    assert count(pixels, colour_of(0)) == 128 * 128  # its class has no mask: no second copy
    assert count(pixels, colour_of(1)) == 2 * 128 * 128 - outline - rim


def test_the_name_of_a_class_never_reaches_the_pictures(rows, dataset, tmp_path):
    short = draw(dataset(rows("ab"), name="short"), tmp_path / "short.png")
    long = draw(dataset(rows(["W" * 200, "b"]), name="long"), tmp_path / "long.png")
    assert long.shape == short.shape
    left = int(np.argwhere((long == colour_of(0)).all(axis=-1))[:, 1].min())
    assert (long[92:, left - 12 : left] == GROUND).all()
    assert np.array_equal(long[:, left:], short[:, left:])


def test_the_positive_class_is_marked(rows, dataset, tmp_path):
    plain = draw(dataset(rows("ab"), name="plain"), tmp_path / "plain.png")
    marked = draw(dataset(rows("ab"), name="marked", positive="b"), tmp_path / "marked.png")
    assert count(plain, ACCENT) == 0
    assert count(marked, ACCENT) > 0


@pytest.mark.parametrize("classes", [(), ("a", "b")])
def test_an_empty_dataset_gives_a_sheet_without_pictures(dataset, tmp_path, classes):
    pixels = draw(dataset(classes=classes), tmp_path / "sheet.png")
    assert pixels.shape[1] == 640
    assert (pixels != GROUND).any()  # and says so


def test_boxes_are_drawn_at_their_corners_on_a_second_copy(rows, dataset, tmp_path):
    data = dataset(rows("ab", columns={"boxes": [[], [(2, 2, 4, 3)]]}))
    pixels = draw(data, tmp_path / "sheet.png")
    assert count(pixels, colour_of(0)) == 128 * 128  # its class has no box: no second copy
    corners = np.argwhere((pixels == (255, 196, 84)).all(axis=-1))
    height, width = corners.max(axis=0) - corners.min(axis=0) + 1
    # 8 pixels become 128: the box is 64 x 48, and the angles lie 1 or 2 pixels outside of it
    assert (width, height) == (64 + 4, 48 + 4)
    assert count(pixels, colour_of(1)) == 2 * 128 * 128 - len(corners)


def test_a_sheet_may_be_a_small_jpeg(rows, dataset, tmp_path):
    write_sheet(dataset(rows("ab")), tmp_path / "sheet.jpg")
    with Image.open(tmp_path / "sheet.jpg") as sheet:
        assert sheet.format == "JPEG"
