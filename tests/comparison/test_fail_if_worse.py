"""--fail-if-worse: the metrics named are one family of tests."""

from dataclasses import replace

import pytest
from compared import difference, of

from raresight.pipeline.commands.compare import fail_if_worse
from raresight.pipeline.runtime.errors import RaresightError


def compared(**p_values):
    down = {"difference": -0.1, "low": -0.2, "high": 0.0}
    return of(*(difference(name, "inconclusive", p=p, **down) for name, p in p_values.items()))


def test_several_metrics_share_one_level():
    report = compared(f1=0.03, recall=0.2, precision=0.6)
    with pytest.raises(RaresightError, match=r"f1: 0\.5 in HEAD, 0\.6 in workspace \(p = 0\.03\)"):
        fail_if_worse(report, ("f1",))
    fail_if_worse(report, ("f1", "recall"))  # 2 x 0.03
    with pytest.raises(RaresightError):
        fail_if_worse(report, ("f1", "f1"))  # the same one, named twice


def test_what_goes_up_does_not_fail():
    report = compared(f1=0.001)
    better = replace(report.comparison.differences[0], difference=0.1)
    fail_if_worse(
        replace(report, comparison=replace(report.comparison, differences=(better,))), ("f1",)
    )
