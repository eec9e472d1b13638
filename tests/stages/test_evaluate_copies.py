"""The stage asks whether the model knows a class by the look of its copies."""

import numpy as np
import pytest
from judged import SquareScorer

from benchmarks.torture.damaging import fit
from raresight.pipeline.evaluation.checks import augmentation_check
from raresight.pipeline.runtime.errors import DataError
from raresight.pipeline.stages import evaluate


class BrightScorer(SquareScorer):
    """Has learned that copies are brighter."""

    def scores(self, images, rows) -> np.ndarray:
        rare = np.clip((images[rows].mean(axis=(1, 2, 3)) - 100) / 100, 0, 1)
        return np.stack([1 - rare, rare], axis=1)


GAIN = {"name": "RandomBrightnessContrast", "p": 1.0, "brightness_limit": [0.4, 0.5]}
MARKED = {"copies": {"rare": 3}, "pixel": [GAIN | {"contrast_limit": 0.0}]}


def test_a_model_that_goes_by_the_look_of_copies_is_caught(judged_project, use_scorer):
    params, data = judged_project(augment=MARKED)
    use_scorer(BrightScorer())
    found = evaluate.run(params, data)["augmentation_check"]
    others = found["other_classes"]
    assert others["images"] == 25 == found["copied_classes"]["images"] * 5
    assert others["after"] == 1.0
    assert others["difference"] == pytest.approx(1 - others["before"])
    assert others["significant"]
    assert others["difference_low"] > 0.3


def test_a_copy_is_the_one_that_augment_would_make(judged_project, monkeypatch):
    """The same whatever the number of images at once, and for any model."""
    params, data = judged_project(augment=MARKED)
    whole = evaluate.run(params, data)
    monkeypatch.setattr(augmentation_check, "_AT_ONCE", 7)
    assert evaluate.run(params, data) == whole
    assert not whole["augmentation_check"]["copied_classes"]["significant"]


@pytest.mark.parametrize(
    "recipe",
    [
        {"pixel": MARKED["pixel"]},
        {"copies": {"rare": 3}},
        MARKED | {"copies": {"rare": 2, "common": 2}},
    ],
)
def test_nothing_is_checked_where_copies_cannot_tell_a_class(judged_project, recipe):
    assert "augmentation_check" not in evaluate.run(*judged_project(augment=recipe))


def test_copies_of_an_earlier_version_are_to_be_made_again(judged_project):
    params, data = judged_project()
    report = data / "augmented" / "report.json"
    report.write_text("{}")
    fit(report, data)
    with pytest.raises(DataError, match=r"names no recipe[\s\S]*raresight augment"):
        evaluate.run(params, data)
