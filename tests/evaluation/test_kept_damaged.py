"""A kept decision that can be read and cannot be true: every answer by it would be wrong."""

import json
from dataclasses import replace

import numpy as np
import pytest

from raresight.pipeline.evaluation.decisions.kept import DECISION, KeptDecision
from raresight.pipeline.evaluation.decisions.predictions import Task
from raresight.pipeline.evaluation.decisions.unlike import Reference
from raresight.pipeline.evaluation.metrics.calibration import Calibrator
from raresight.pipeline.evaluation.params import threshold_rule
from raresight.pipeline.runtime.errors import DataError

PIXELS = Reference(means=np.zeros((2, 8)), precision=np.eye(8), bound=2.0)
SHARES = np.array([0.75, 0.25])
KEPT = KeptDecision(
    model={},
    task=Task(classes=("common", "rare"), positive="rare"),
    rule=threshold_rule({"name": "max_f1"}),
    threshold=0.5,
    calibrator=Calibrator(assumed=SHARES, prior=SHARES),
    unlike={"pixels": PIXELS},
    flagged={},
)


def test_one_that_can_be_true_is_read(tmp_path):
    KEPT.write(tmp_path)
    assert KeptDecision.read(tmp_path).threshold == 0.5


NOT_A_NUMBER = np.full((2, 8), np.nan)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"means": NOT_A_NUMBER}, "pixels has numbers that are none"),
        ({"precision": np.full((8, 8), np.nan)}, ""),
        ({"precision": -np.eye(8)}, "positive definite"),
        ({"precision": np.eye(7)}, r"pixels has \(2, 8\) and \(7, 7\) numbers"),
        ({"bound": 0.0}, "pixels has numbers that are none"),
    ],
)
def test_a_reference_that_flags_nothing_is_refused(change, said, tmp_path):
    """NaN is greater than nothing: an image that is unlike would have passed."""
    replace(KEPT, unlike={"pixels": replace(PIXELS, **change)}).write(tmp_path)
    with pytest.raises(DataError, match=f"no decision that can be read.*{said}"):
        KeptDecision.read(tmp_path)


@pytest.mark.parametrize(
    ("keys", "value"),
    [
        (("threshold",), None),
        (("threshold",), "0.5"),
        (("positive",), "other"),
        (("calibration", "temperature"), 0),
        (("calibration", "prior", "rare"), -0.25),
        (("calibration", "assumed", "rare"), "much"),
        (("unlike",), []),
        (("rule",), {"name": "luck"}),
    ],
)
def test_numbers_that_are_none_are_refused(keys, value, tmp_path):
    KEPT.write(tmp_path)
    document = json.loads((tmp_path / DECISION).read_text())
    part = document
    for key in keys[:-1]:
        part = part[key]
    part[keys[-1]] = value
    (tmp_path / DECISION).write_text(json.dumps(document))
    with pytest.raises(DataError, match="no decision that can be read"):
        KeptDecision.read(tmp_path)
