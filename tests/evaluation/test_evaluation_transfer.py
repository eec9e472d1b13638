import interval_settings
import numpy as np
import pytest

from raresight.pipeline.evaluation.checks.transfer import transfer


def answers(right: int, images: int) -> np.ndarray:
    return np.arange(images) < right


def test_the_gap_and_its_interval_are_those_of_newcombe():
    """The worked example of the paper (table II, column a): 56/70 and 48/80, method 10."""
    drawn, real = (answers(56, 70), None), (answers(48, 80), None)
    found = transfer(drawn, real, settings=interval_settings.settings())
    assert found["gap"] == pytest.approx(0.2)
    assert (found["gap_low"], found["gap_high"]) == pytest.approx((0.0524, 0.3339), abs=5e-5)
    assert (found["drawn_images"], found["real_images"]) == (70, 80)
    assert (found["drawn_groups"], found["real_groups"]) == (70, 80)


def test_images_of_one_patient_leave_a_wider_gap():
    drawn, real = answers(56, 70), answers(48, 80)
    alone = transfer((drawn, None), (real, None), settings=interval_settings.settings())
    settings = interval_settings.settings()
    grouped = transfer((drawn, None), (real, np.arange(80) // 8), settings=settings)
    assert grouped["gap"] == pytest.approx(alone["gap"])
    assert grouped["gap_low"] < alone["gap_low"]
    assert grouped["real_groups"] == 10


def test_one_patient_alone_leaves_no_interval_and_a_reason():
    drawn, real = (answers(56, 70), None), (answers(48, 80), np.zeros(80, int))
    found = transfer(drawn, real, settings=interval_settings.settings())
    assert found["gap"] == pytest.approx(0.2)
    assert found["gap_low"] is found["real_accuracy_high"] is None
    assert "groups are needed" in found["reason"]
