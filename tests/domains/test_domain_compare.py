"""Drawn images beside real ones before training: what is off is named, and what moves it."""

import json
import re

import numpy as np
import pytest
from PIL import Image
from program import write_params

from raresight.generators.base import Record
from raresight.generators.shapes import Shapes, ShapesOptions
from raresight.pipeline.core import seeds
from raresight.pipeline.domains.compare import difference
from raresight.pipeline.stages import augment, generate, split
from raresight.pipeline.wording import domains

CLASSES = ("circle", "square")
PLAIN = {"clutter": (0, 0), "occlusion": (0.0, 0.0), "grounds": ("plain",), "noise": (0.0, 0.0)}
SMALL, LARGE = [0.35, 0.5], [0.85, 1.0]


@pytest.fixture(scope="module")
def photos(tmp_path_factory):
    """Files that nobody drew, for all the stages know: shapes with a margin around them."""
    root = tmp_path_factory.mktemp("photos")
    shapes = Shapes(ShapesOptions(classes=CLASSES, size=tuple(SMALL), **PLAIN), 32)
    for label in CLASSES:
        (root / label).mkdir()
        for k in range(40):
            rng = seeds.rng(9, "photos", f"{label}-{k}")
            image = shapes.sample(Record(id=f"{k}", label=label), rng).image
            Image.fromarray(image).save(root / label / f"{k}.png")
    return root


def splits_of(folder, photos, size, real=None):
    """The summary of a project whose drawn shapes have this ``size``."""
    params, data = folder / "params.yaml", folder / "data"
    options = {"classes": list(CLASSES), "size": size} | {k: list(v) for k, v in PLAIN.items()}
    drawn = {"name": "drawn", "generator": "shapes", "counts": dict.fromkeys(CLASSES, 60)}
    sources = [
        {**drawn, "options": options, "splits": ["train"]},
        {"name": "real", "generator": "folder", "options": {"path": str(photos)}}
        | {"splits": real or {"val": 0.5, "test": 0.5}},
    ]
    write_params(params, image_size=32, positive="circle", sources=sources)
    for stage in (generate, augment):
        stage.run(params, data, workers=1)
    split.run(params, data)
    return json.loads((data / "splits/summary.json").read_text())


def test_what_fills_the_frame_beside_what_has_a_margin_is_named(tmp_path, photos, capsys):
    found = splits_of(tmp_path, photos, LARGE)["drawn_and_real"]
    said = capsys.readouterr().err
    assert found["judged_on"] == ["val"]  # the test is not looked at
    assert found["real_images"] == found["drawn_images"] >= 30
    assert found["told_apart"] > 0.95
    assert {"margin", "size"} <= set(found["off"])
    size = found["measures"]["size"]
    assert size["outside"] == 1
    assert size["real"][2] < size["drawn"][0]
    assert size["factor"]["name"] == "size"
    assert size["factor"]["correlation"] > 0.5
    assert "size: 100% of the real images are beyond what was drawn" in said
    assert re.search(r"'size' moves it most: draw lower values than 0\.85\d? to (1|0\.99\d?)", said)
    assert "margin: " in said
    assert "seen the test" not in said


def test_what_is_alike_is_not_warned_of(tmp_path, photos, capsys):
    found = splits_of(tmp_path, photos, SMALL)["drawn_and_real"]
    assert found["off"] == []
    assert 0.25 < found["told_apart"] < 0.75
    assert "drawn images teach" not in capsys.readouterr().err
    assert "look alike: a probe tells them apart with a ROC-AUC of 0." in domains.headline(found)


def test_where_all_real_images_are_of_test_it_is_said(tmp_path, photos, capsys):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("raresight.pipeline.stages.split._refuse_gaps", lambda *a, **k: None)
        found = splits_of(tmp_path, photos, LARGE, real=["test"])["drawn_and_real"]
    assert found["judged_on"] == ["test"]
    assert "has seen the test" in capsys.readouterr().err


def test_nothing_is_compared_where_nothing_drawn_teaches_what_is_real(tmp_path):
    source = {"generator": "shapes", "options": {"classes": list(CLASSES)}}
    sources = [source | {"counts": dict.fromkeys(CLASSES, 30)}]
    params, data = write_params(tmp_path / "params.yaml", sources=sources), tmp_path / "data"
    for stage in (generate, augment):
        stage.run(params, data, workers=1)
    split.run(params, data)
    assert "drawn_and_real" not in json.loads((data / "splits/summary.json").read_text())


def test_outside_is_beyond_nearly_all_drawn_ones_and_the_factor_that_moves_it_is_named():
    drawn = np.linspace(0, 1, 101)
    factors = {"width": 1 - drawn, "hue": np.cos(np.arange(101)), "fixed": np.ones(101)}
    real = np.r_[np.full(70, 0.5), np.full(30, 1.5)]
    found = difference(drawn, real, factors)
    assert found.outside == pytest.approx(0.3)
    assert found.is_off
    assert (found.factor.name, found.factor.correlation) == ("width", pytest.approx(-1))
    assert found.drawn == pytest.approx((0.05, 0.5, 0.95))
    assert not difference(drawn, real[:93], factors).is_off  # 23 of 93
    assert difference(drawn, real, {"hue": factors["hue"]}).factor is None
