"""What a comparison looks like: in 80 columns, and what it would take to settle a metric."""

import io

import pytest
from rich.console import Console

from benchmarks.compare import simulated_pair
from raresight.pipeline.comparison.compare import Comparison, Mistakes
from raresight.pipeline.comparison.report import Report
from raresight.pipeline.comparison.sides import MODELS, RECIPES
from raresight.pipeline.comparison.verdicts import Difference
from raresight.pipeline.terminal.comparison import markdown, render


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
        comparison=comparison,
        notes=(),
    )


def of(*differences, about=RECIPES):
    mistakes = Mistakes(fixed=1, regressed=2, both=3, p_value=1.0)
    return report(Comparison(differences=differences, mistakes=mistakes), about)


def printed(one, width=80):
    console = Console(width=width, file=io.StringIO(), color_system=None)
    console.print(render(one))
    return console.file.getvalue()


@pytest.mark.parametrize(("trainings", "about"), [((1, 1), MODELS), ((3, 3), RECIPES)])
def test_eighty_columns_hold_every_number_and_word(trainings, about):
    one = report(simulated_pair(3, trainings=trainings, luck=0.2, resamples=100), about)
    text = printed(one)
    assert max(map(len, text.splitlines())) <= 80
    lines = text.splitlines()
    for found in one.comparison.differences:
        assert any(f"{found.old:.3f}" in line and found.ruling in line for line in lines)
    assert "\N{HORIZONTAL ELLIPSIS}" not in text


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"sample_size_factor": 2.5}, "150 positives"),
        ({"trainings": 7}, "7 trainings"),
        ({"sample_size_factor": 1.0001, "trainings": 7}, "61 positives or 7 trainings"),
        ({}, "more of both"),
        ({"sample_size_factor": 5000.0}, "too alike"),
        ({"difference": 0.0}, "\N{EN DASH}"),
        ({"verdict": "better"}, ""),
    ],
)
def test_what_it_would_take(changes, told):
    row = next(line for line in markdown(of(difference(**changes))).splitlines() if "F1 |" in line)
    assert row.split("|")[-2].strip() == told


def test_a_model_that_may_be_lucky_is_told_so():
    found = difference(models="better", low=0.05)
    for text in (printed(of(found, about=MODELS)), markdown(of(found, about=MODELS))):
        words = " ".join(text.split())
        assert "F1 inconclusive" in words
        assert "This model is better on these images; trained once, that may be luck." in words
