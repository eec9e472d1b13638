"""Comparisons as they come out of compare, with the numbers a test wants."""

from raresight.pipeline.comparison.compare import Comparison, Mistakes
from raresight.pipeline.comparison.report import Report
from raresight.pipeline.comparison.sides import RECIPES
from raresight.pipeline.comparison.verdicts import Difference


def difference(name="f1", verdict="inconclusive", **changes):
    ends = {"old": 0.5, "new": 0.6, "difference": 0.1, "low": -0.1, "high": 0.3}
    return Difference(**({"name": name, "verdict": verdict} | ends | changes))


def report(comparison, about):
    return Report(
        old="HEAD",
        new="workspace",
        on="test",
        positive="rare",
        confidence=0.95,
        counts={"common": 900, "rare": 60},
        params={},
        num_seeds=(3, 3) if about == RECIPES else (1, 1),
        about=about,
        grouped=False,
        thresholds_vary=True,
        comparison=comparison,
        notes=(),
    )


def of(*differences, about=RECIPES):
    if all(found.name != "accuracy" for found in differences):
        differences = (*differences, difference("accuracy", differences[0].verdict))
    mistakes = Mistakes(fixed=1, regressed=2, both=3, p_value=1.0)
    return report(Comparison(differences=differences, mistakes=mistakes), about)
