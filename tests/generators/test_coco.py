"""Annotations of COCO, outlined as pycocotools does it, come in as rows."""

import io
import warnings
from pathlib import Path

import numpy as np
import pytest
from format_files import made, named_factors, picture, segmentation
from PIL import Image
from pydantic import ValidationError

from raresight.generators.base import BadImages
from raresight.generators.image_file import read_image


def of_coco(coco: Path, **options) -> dict:
    paths = {"path": str(coco / "instances.json"), "images": str(coco / "pictures")}
    return made("coco", (20, 30), **paths, **options)


def test_boxes_of_coco_become_images_that_stay_with_their_image(coco):
    found = of_coco(coco, take="boxes", masks=True)
    assert {name: record.label for name, (record, _) in found.items()} == {
        "1.png#1": "cat",
        "1.png#2": "cat",
        "2.png#4": "dog",  # the other one is 3 pixels wide
    }
    assert [record.group for record, _ in found.values()] == ["1.png", "1.png", "2.png"]
    assert named_factors(found, "camera") == ["b", "b", "a"]
    whole = Image.open(coco / "pictures/1.png")
    out = io.BytesIO()
    whole.crop((30, 4, 50, 14)).save(out, "PNG")
    assert (found["1.png#2"][1].image == read_image(out.getvalue(), (20, 30))).all()
    # The box fills the width: 30 x 15 pixels of the canvas, in its middle.
    for name in ("1.png#2", "2.png#4"):
        mask = found[name][1].mask
        rows, columns = np.nonzero(mask)
        assert (rows.max() - rows.min() + 1) * (columns.max() - columns.min() + 1) == mask.sum()
    assert found["1.png#2"][1].mask.sum() == 30 * 15


def test_a_margin_shows_what_is_around_a_box(coco):
    found = of_coco(coco, take="boxes", margin=0.5, min_side=3)
    whole = Image.open(coco / "pictures/1.png")
    out = io.BytesIO()
    whole.crop((20, 0, 60, 24)).save(out, "PNG")  # half of 20 pixels around, inside the image
    assert (found["1.png#2"][1].image == read_image(out.getvalue(), (20, 30))).all()
    assert "1.png#3" in found


def test_whole_images_of_coco_are_told_by_what_they_show(coco):
    found = of_coco(coco, take="images", category="cat", masks=True)
    assert {name: record.label for name, (record, _) in found.items()} == {
        "1.png": "cat",
        "2.png": "no cat",
        "3.png": "no cat",
    }
    expected = np.zeros((40, 60), bool)
    expected[10:24, 5:17] = expected[4:14, 30:50] = True
    assert (found["1.png"][1].mask == (expected[::2, ::2] | expected[1::2, 1::2])).mean() > 0.97
    assert found["1.png"][1].mask.sum() == pytest.approx(expected.sum() / 4, abs=15)
    assert found["2.png"][1].mask is None
    renamed = of_coco(coco, take="images", category="dog", otherwise="else")
    assert {record.label for record, _ in renamed.values()} == {"dog", "else"}


@pytest.mark.parametrize("kind", ["polygon", "plain", "packed"])
def test_outlines_are_the_pixels_that_pycocotools_draws(kind):
    from pycocotools import mask

    from raresight.generators.formats.segments import Outline

    marked = np.zeros((17, 23), np.uint8)
    marked[4:11, 5:16] = 1
    given = segmentation(kind, marked)
    drawn = Outline.of(given, (0, 0, 1, 1)).drawn((23, 17))
    assert (drawn == marked).all()
    corners = [[2.0, 3.0, 20.5, 4.0, 12.0, 15.0]]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # its own, of NumPy 2
        theirs = mask.decode(mask.merge(mask.frPyObjects(corners, 17, 23)))
    packed = mask.merge(mask.frPyObjects(corners, 17, 23))
    unpacked = Outline.of({"counts": packed["counts"].decode()}, (0, 0, 1, 1)).drawn((23, 17))
    assert (unpacked == theirs).all()
    ours = Outline.of(corners, (0, 0, 1, 1)).drawn((23, 17))
    assert (ours != theirs).sum() <= 12  # along the edges, where they count half pixels


def test_what_of_coco_does_not_fit_is_told(coco):
    with pytest.raises(BadImages, match=r"no category 'cats'. Did you mean 'cat'"):
        of_coco(coco, take="images", category="cats")
    for wrong in ({"take": "images"}, {"take": "boxes", "category": "cat"}):
        with pytest.raises(ValidationError, match="needs `category`"):
            of_coco(coco, **wrong)
    with pytest.raises(BadImages, match="has no annotations of COCO"):
        made("coco", path=str(coco / "pictures/1.png"), take="boxes")
    picture(0).save(coco / "pictures/1.png")
    with pytest.raises(BadImages, match=r"12 x 12 pixels once it is upright, .* made on 60 x 40"):
        of_coco(coco, take="images", category="cat")
    (coco / "pictures/1.png").unlink()
    with pytest.raises(BadImages, match="not a file"):
        of_coco(coco, take="images", category="cat")
