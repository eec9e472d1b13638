import numpy as np
import pytest

from raresight.pipeline.evaluation.decisions.digits import shortest


@pytest.mark.parametrize(
    ("threshold", "scores", "text"),
    [
        (0.4973, [0.1, 0.9], "0.5"),
        (0.4973, [0.49, 0.498], "0.497"),
        (0.99998734, [0.9999, 0.99999], "0.99998734"),
        (1.4e-10, [0.0, 0.3], "1.4e-10"),
        (0.5, [0.5], "0.5"),
        (1 / 3, [1 / 3, np.nextafter(1 / 3, 0)], "0.3333333333333333"),
    ],
)
def test_a_threshold_has_as_many_digits_as_part_the_scores(threshold, scores, text):
    found = shortest(threshold, np.array(scores))
    assert np.array_equal(np.array(scores) >= float(found), np.array(scores) >= threshold)
    assert len(found) <= len(text)
    if threshold not in (0.99998734,):
        assert found == text
