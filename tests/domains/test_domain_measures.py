"""What is measured of an image, on images of which it is known."""

import numpy as np
import pytest

from raresight.pipeline.domains.measures import MEASURES, measure, small, spectrum


def square(*, margin: int, side: int = 40, ground: int = 20, ink: int = 220) -> np.ndarray:
    image = np.full((side, side, 3), ground, np.uint8)
    image[margin : side - margin, margin : side - margin] = ink
    return image


def of(image: np.ndarray) -> dict[str, float]:
    return dict(zip(MEASURES, measure([image])[0].tolist(), strict=True))


@pytest.mark.parametrize("ground", [20, 220])
def test_a_square_has_its_margin_and_its_size_dark_on_light_or_the_other_way(ground):
    found = of(square(margin=10, ground=ground, ink=240 - ground))
    assert (found["margin"], found["size"]) == (0.25, 0.5)
    share = 0.25  # of the pixels
    ink = 240 - ground
    assert found["mean"] == pytest.approx(share * ink + (1 - share) * ground)
    assert found["contrast"] == pytest.approx(200 * (share * (1 - share)) ** 0.5)
    assert found["saturation"] == 0


def test_the_narrowest_side_is_the_margin_and_a_blank_image_has_no_content():
    image = square(margin=10)
    image[2:10, 15:25] = 220
    found = of(image)
    assert found["margin"] == 2 / 40
    assert found["size"] == 1 - 2 / 40 - 10 / 40
    assert (of(square(margin=0, ink=20))["margin"], of(square(margin=20))["size"]) == (0.5, 0)


def test_large_images_are_averaged_down_and_small_ones_left_alone():
    image = np.zeros((512, 256, 3), np.uint8)
    image[:, 128:] = 200
    found = small(image)
    assert found.shape == (128, 64, 3)
    assert (found[:, :32].max(), found[:, 32:].min()) == (0, 200)
    assert small(found) is found


def test_color_is_the_difference_of_the_channels():
    image = square(margin=0)
    image[..., 0] -= 50
    assert of(image)["saturation"] == 50


def test_detail_is_where_the_variance_is():
    """A chessboard has all of its variance in single pixels, a slow wave none of it."""
    board = np.indices((40, 40)).sum(0) % 2 * 200
    wave = np.tile(100 + 90 * np.cos(np.arange(40) / 40 * 2 * np.pi), (40, 1))
    board, wave = (np.repeat(one[..., None], 3, 2).astype(np.uint8) for one in (board, wave))
    assert of(board)["fine_detail"] > 0.9 > 0.05 > of(wave)["fine_detail"]
    assert of(board)["coarse_detail"] < 0.05 < 0.5 < of(wave)["coarse_detail"]
    bands = spectrum([wave, board])
    assert bands.argmax(1).tolist() == [0, 7]
    # Parseval: the board's energy is its variance times the pixels, half of the plane alone is
    # looked at, and what lies at the limit is there in whole.
    assert np.expm1(bands[1, 7]) == pytest.approx(1600 * 100**2 / 1, rel=1e-3)
