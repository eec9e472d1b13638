import interval_settings
import pytest

from raresight.pipeline.evaluation.transfer import transfer


def test_the_gap_and_its_interval_are_those_of_newcombe():
    """The worked example of the paper (table II, column a): 56/70 and 48/80, method 10."""
    found = transfer((56, 70), (48, 80), settings=interval_settings.settings())
    assert found["gap"] == pytest.approx(0.2)
    assert (found["gap_low"], found["gap_high"]) == pytest.approx((0.0524, 0.3339), abs=5e-5)
    assert (found["drawn_images"], found["real_images"]) == (70, 80)
