import io
import re

import pytest
from rich.console import Console

from raresight.pipeline.commands.plan import run as plan
from raresight.pipeline.evaluation.baselines.registry import BASELINES
from raresight.pipeline.evaluation.evaluate import evaluate
from raresight.pipeline.evaluation.metrics.registry import shown
from raresight.pipeline.evaluation.output.results_json import to_results_json
from raresight.pipeline.terminal.evaluation import render
from raresight.pipeline.terminal.tables import Row, WideTable
from raresight.pipeline.wording.numbers import figure, number, with_interval


def printed(metrics, *, width: int = 100) -> str:
    console = Console(width=width, file=io.StringIO(), color_system=None)
    console.print(render(metrics))
    return console.file.getvalue()


@pytest.fixture
def rare(make_evidence, make_params):
    return to_results_json(
        evaluate(make_evidence("normal", "rare", positive="rare"), make_params())
    )


@pytest.fixture
def alike(make_evidence, make_params):
    return to_results_json(evaluate(make_evidence("a", "b", "c", positive=None), make_params()))


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.5, "0.500"),
        (1.0, "1.000"),
        (0.0, "0.000"),
        (0.9999, "0.9999"),
        (0.99951, "0.9995"),
        (0.999999, "0.999999"),
        (0.0098, "0.010"),
        (0.00944, "0.0094"),
        (1e-4, "0.0001"),
        (None, "\N{EN DASH}"),
    ],
)
def test_numbers_never_round_to_certainty(value, text):
    assert number(value) == text


def test_the_verdict_comes_first_and_begins_with_what_was_found(rare):
    text = " ".join(printed(rare).split())
    found = round(rare["test"]["recall"] * 20)
    assert text.startswith(f"It finds {found} of 20 'rare': recall ")
    assert "Where 1 image in 10,000 is 'rare', expect a precision of" in text
    assert text.index("recall") < text.index("precision") < text.index("Accuracy")


def test_each_row_shows_the_metrics_of_the_table_and_their_intervals(rare):
    lines = printed(rare, width=200).splitlines()
    place = next(k for k, line in enumerate(lines) if line.startswith("model "))
    names = shown("table", positive=True)
    row = rare["test"]
    assert lines[place].split()[1:] == [number(row[name]) for name in names]
    ends = [f"{row[f'{n}_low']:.3f}\N{EN DASH}{row[f'{n}_high']:.3f}" for n in names]
    assert lines[place + 1].split() == ends


def test_both_prevalences_have_a_table_and_every_baseline_a_row(rare):
    text = printed(rare)
    assert "At the test set's prevalence: 20 of 80 images, 25 %" in text
    assert "At the deployment prevalence: 0.01 %" in text
    for row in (
        "  perturbed",
        *(baseline.label for baseline in BASELINES.values()),
        "random baseline",
        "always 'normal'",
        "predicted positives",
    ):
        assert row in text


def test_several_prevalences_have_a_row_each(make_evidence, make_params):
    params = make_params(deployment_prevalence=(1e-4, 0.02))
    metrics = to_results_json(evaluate(make_evidence("normal", "rare", positive="rare"), params))
    text = printed(metrics, width=200)
    lines = text.split("At every deployment prevalence")[1].splitlines()
    for share, key in (("0.01 %", "0.0001"), ("2 %", "0.02")):
        row = next(line for line in lines if line.startswith(share)).split()
        figures = metrics["deployment_at"][key]["model"]
        names = shown("prevalences", positive=True)
        told = " ".join(figure(figures, name) for name in names).split()
        assert row[2 : 2 + len(told)] == told


def test_a_bound_is_told_as_a_bound_with_its_reason():
    row = {"precision": None, "precision_low": 0.234, "precision_high": 1.0}
    assert figure(row, "precision") == "\N{GREATER-THAN OR EQUAL TO}\N{NO-BREAK SPACE}0.234"
    assert with_interval(row, "precision") == "at least 0.234"
    known = {"precision": 0.5, "precision_low": 0.234, "precision_high": 1.0}
    assert figure(known, "precision") == "0.500"
    between = {"precision": None, "precision_low": 0.2, "precision_high": 0.6}
    assert (figure(between, "precision"), with_interval(between, "precision")) == (
        "\N{EN DASH}",
        "0.200 to 0.600",
    )


def test_what_negatives_cannot_tell_in_use_has_a_line(rare):
    reason = rare["deployment"]["model"]["undefined"]["average_precision"]
    text = " ".join(printed(rare).split())
    assert f"In use (0.01 %), average precision: {reason}." in text


def test_a_small_test_set_is_called_small(rare):
    assert "Recall is estimated from 20 positives." in printed(rare)


def test_the_size_that_is_asked_for_is_the_one_that_plan_says(rare, tmp_path):
    told = re.search(
        r"interval of ±0.05 the test set would need ([\d,]+)\.", printed(rare, width=200)
    )
    found = plan(
        tmp_path / "none.yaml",
        tmp_path,
        recall=rare["test"]["recall"],
        width=0.1,
        precision=0.5,
        prevalences=(1e-4,),
    )
    assert int(told[1].replace(",", "")) == found.positives["wilson"]


def test_a_recall_target_is_shown_with_its_confidence(make_evidence, make_params):
    params = make_params(threshold={"name": "recall", "target": 0.8})
    metrics = to_results_json(evaluate(make_evidence("normal", "rare", positive="rare"), params))
    expected = f"a confidence of {number(metrics['threshold']['target_confidence'])}"
    assert expected in " ".join(printed(metrics).split())


def test_without_a_positive_class_the_macro_values_are_shown_and_one_table(alike):
    text = printed(alike)
    assert "Test set: 140 images of 3 classes" in text
    assert "macro" in text
    assert "deployment" not in text


@pytest.mark.parametrize("width", [60, 80, 100])
def test_a_table_that_is_too_wide_goes_on_below_with_its_names(width):
    """One metric more, or a narrower terminal, takes no row's name and no column away."""
    columns = [f"metric\nnumber {k}" for k in range(8)]
    names = ["model", "shortcut baseline", "always 'a name of thirty letters'"]
    cells = [f"0.{k}00\n0.000-1.000" for k in range(8)]
    rows = [Row(name=name, cells=cells) for name in names]
    console = Console(width=width, file=io.StringIO(), color_system=None)
    console.print(WideTable(title="title", corner="", columns=columns, rows=rows))
    lines = console.file.getvalue().splitlines()
    assert max(len(line.rstrip()) for line in lines) <= width
    parts = sum(line.startswith("model") for line in lines)
    assert parts > 1
    for name in names:
        found = [line for line in lines if line.startswith(name)]
        assert len(found) == parts
        assert " ".join(found).count("0.") == 8
    assert sum("title" in line for line in lines) == 1


@pytest.mark.parametrize("width", [60, 80, 100])
def test_every_number_fits_the_terminal(rare, alike, width):
    for metrics in (rare, alike):
        text = printed(metrics, width=width)
        assert "\N{HORIZONTAL ELLIPSIS}" not in text  # nothing is cut
        assert max(len(line.rstrip()) for line in text.splitlines()) <= width
        assert "\N{HORIZONTAL ELLIPSIS}" not in text


def test_undefined_values_are_a_dash(rare):
    lines = printed(rare, width=200).splitlines()
    row = next(line for line in lines if line.startswith("always 'normal'")).split()[2:]
    found = dict(zip(shown("table", positive=True), row, strict=True))
    assert (found["recall"], found["precision"]) == ("0.000", "\N{EN DASH}")
    assert (found["average_precision"], found["accuracy"]) == ("0.250", "0.750")


def test_every_baseline_has_a_column_at_the_deployment_prevalence(rare):
    lines = printed(rare, width=80).split("At the deployment prevalence")[1].splitlines()
    row = next(line for line in lines if line.startswith("recall")).split()
    names = (*BASELINES, "random_baseline", "always_negative")
    assert row[-len(names) :] == [number(rare["deployment"][name]["recall"]) for name in names]


def test_the_notes_tell_of_optimism_slices_and_calibration(rare):
    text = " ".join(printed(rare).split())
    assert "has the highest F1 on validation." in text
    optimism = rare["threshold"]["optimism"]
    assert optimism > 0
    assert f"Optimism of the validation F1: {number(optimism)} better" in text
    for metric, one in rare["slices"].items():
        assert (f"{metric} {number(one.get('value'))} [" in text) == (one["n_significant"] > 0)
    raw, calibrated = (rare["calibration"][name]["ece"] for name in ("raw", "calibrated"))
    assert f"the scores are off by {number(raw)} on average" in text
    assert f"calibrated on validation they are off by {number(calibrated)}." in text
    rare["calibration"]["calibrated"]["ece"] = 0.0
    text = " ".join(printed(rare).split())
    assert "they are off by no more than chance explains." in text


def test_a_worst_slice_is_named_with_its_interval(rare):
    worst = {
        "worst": "size = 3",
        "value": 0.25,
        "low": 0.1,
        "high": 0.5,
        "images": 12,
        "groups": 12,
    }
    rare["slices"]["recall"] |= {"n_slices": 7, "n_significant": 2, **worst}
    text = " ".join(printed(rare).split())
    assert "Worst slices: recall 0.250 [0.100\N{EN DASH}0.500] where size = 3 (n = 12)" in text
    rare["slices"] = {"recall": {"n_slices": 7, "n_significant": 0}}
    text = " ".join(printed(rare).split())
    assert "Slices: none of 7 is significantly worse than the rest" in text


def test_a_target_that_cannot_be_promised_says_why(make_evidence, make_params):
    params = make_params(threshold={"name": "recall", "target": 0.9, "confidence": 0.95})
    metrics = to_results_json(evaluate(make_evidence("normal", "rare", positive="rare"), params))
    text = " ".join(printed(metrics).split())
    assert "No guarantee: it takes 29 positives in validation; there are 20." in text


def test_several_trainings_are_a_table_of_their_own_with_the_seeds(rare):
    names = ("accuracy", "precision", "recall", "f1", "average_precision", "roc_auc")
    values = {"mean": 0.5, "spread": 0.125, "values": {"1": 0.375, "2": 0.625}}
    seeds = {"1": 1, "2": 2**62}
    test = dict.fromkeys(names, values)
    text = printed(rare | {"by_seed": {"num_seeds": 2, "seeds": seeds, "test": test}}, width=80)
    lines = [line.split() for line in text.splitlines()]
    assert ["mean", *["0.500"] * 6] in lines
    assert ["spread", *["0.125"] * 6] in lines
    assert [str(2**62), *["0.625"] * 6] in lines
