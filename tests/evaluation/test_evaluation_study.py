import json
from dataclasses import replace

import numpy as np
import pytest
from sklearn.metrics import confusion_matrix

from raresight.pipeline.evaluation.baselines.registry import BASELINES
from raresight.pipeline.evaluation.evaluate import evaluate
from raresight.pipeline.evaluation.output.results_json import to_results_json
from raresight.pipeline.evaluation.output.tables import tables
from raresight.pipeline.runtime.errors import DataError


@pytest.fixture
def inputs(make_evidence):
    return make_evidence("normal", "rare", positive="rare")


def leaves(value, path=""):
    if not isinstance(value, dict):
        return [(path, value)]
    return [leaf for key, part in value.items() for leaf in leaves(part, f"{path}.{key}")]


def test_metrics_are_nested_numbers_and_names_that_json_can_hold(inputs, make_params):
    metrics = to_results_json(evaluate(inputs, make_params()))
    assert json.loads(json.dumps(metrics, allow_nan=False)) == metrics
    assert {type(value) for _, value in leaves(metrics)} <= {float, int, str, type(None)}


def test_every_set_is_judged_beside_the_baselines(inputs, make_params):
    metrics = to_results_json(evaluate(inputs, make_params()))
    for name in ("test", "perturbed", "val", *BASELINES, "majority_baseline"):
        assert 0 <= metrics[name]["accuracy"] <= 1
    assert metrics["majority_baseline"]["answer"] == "normal"
    assert metrics["majority_baseline"]["accuracy"] == 60 / 80
    assert (
        metrics["majority_baseline"]["undefined"]["precision"]
        == "nothing was predicted to be 'rare'"
    )
    assert metrics["counts"]["test"] == {"normal": 60, "rare": 20}
    assert metrics["test"]["average_precision"] > metrics["perturbed"]["average_precision"]
    for name in BASELINES:
        assert metrics["test"]["average_precision"] > metrics[name]["average_precision"]
        assert 0 < metrics["threshold"][name] < 1
        assert metrics["deployment"][name]["recall"] == metrics[name]["recall"]
    assert metrics["test"]["per_class"]["rare"]["f1"] == metrics["test"]["f1"]


@pytest.mark.parametrize(
    ("classes", "positive"),
    [(("a", "b", "c"), None), (("a", "b", "c"), "b"), (("normal", "rare"), "rare")],
)
def test_every_value_lies_in_its_interval(make_evidence, make_params, classes, positive):
    metrics = to_results_json(evaluate(make_evidence(*classes, positive=positive), make_params()))
    sets = [metrics[name] for name in ("test", "perturbed", *BASELINES, "majority_baseline")]
    checked = 0
    for values in sets:
        for name in [key for key in values if f"{key}_low" in values]:
            assert values[f"{name}_low"] <= values[name] <= values[f"{name}_high"], name
            checked += 1
    assert checked > 3 * len(sets)


def test_validation_has_no_intervals_since_the_threshold_was_chosen_there(inputs, make_params):
    metrics = to_results_json(evaluate(inputs, make_params()))
    assert "recall_low" in metrics["test"]
    assert not [name for name in metrics["val"] if name.endswith(("_low", "_high"))]


def test_the_test_set_has_no_say_in_the_threshold(inputs, make_params):
    before = evaluate(inputs, make_params()).thresholds
    model = dict(inputs.model, test=inputs.model["test"][::-1])
    baselines = {
        name: dict(scores, test=scores["test"][::-1]) for name, scores in inputs.baselines.items()
    }
    assert (
        evaluate(replace(inputs, model=model, baselines=baselines), make_params()).thresholds
        == before
    )
    model["val"] = inputs.model["val"][::-1]
    assert evaluate(replace(inputs, model=model), make_params()).thresholds != before


def test_a_recall_target_is_reported_with_its_confidence(inputs, make_params):
    params = make_params(threshold={"name": "recall", "target": 0.8})
    metrics = to_results_json(evaluate(inputs, params))
    assert metrics["val"]["recall"] >= 0.8
    assert metrics["threshold"]["target"] == 0.8
    assert 0 < metrics["threshold"]["target_confidence"] < 1


def test_the_deployment_is_beside_always_negative(inputs, make_params):
    deployment = to_results_json(evaluate(inputs, make_params(deployment_prevalence=0.001)))[
        "deployment"
    ]
    assert deployment["prevalence"] == 0.001
    assert deployment["always_negative"]["accuracy"] == pytest.approx(0.999)
    model = deployment["model"]
    assert 0 < model["precision_low"] < model["precision_high"]
    # Without a false positive there is a bound alone, and why.
    alarms = model["predicted_positives_per_million"] - 1000 * model["recall"]
    assert (model["precision"] is None) == (abs(alarms) < 1e-6)
    assert ("at least" in model["undefined"].get("precision", "")) == (model["precision"] is None)


def test_each_prevalence_is_the_same_alone_and_in_a_list(inputs, make_params):
    several = to_results_json(evaluate(inputs, make_params(deployment_prevalence=(1e-3, 1e-4))))
    assert list(several["deployment_at"]) == ["0.001", "0.0001"]
    assert several["deployment"] == several["deployment_at"]["0.001"]
    for key, prevalence in (("0.001", 1e-3), ("0.0001", 1e-4)):
        alone = to_results_json(evaluate(inputs, make_params(deployment_prevalence=prevalence)))
        assert alone["deployment"] == several["deployment_at"][key]
        assert "deployment_at" not in alone


def test_the_same_seed_gives_the_same_metrics_and_another_seed_other_intervals(inputs, make_params):
    first, again, other = (
        to_results_json(evaluate(inputs, make_params(seed=seed))) for seed in (0, 0, 1)
    )
    assert first == again
    assert first["test"]["f1"] == other["test"]["f1"]
    assert first["test"]["f1_low"] != other["test"]["f1_low"]


def test_without_a_positive_class_there_is_no_threshold_and_no_deployment(
    make_evidence, make_params
):
    metrics = to_results_json(evaluate(make_evidence("a", "b", "c", positive=None), make_params()))
    assert metrics["positive"] is None
    assert not {"threshold", "deployment", "negative"} & set(metrics)
    assert {"macro_f1", "macro_average_precision"} <= set(metrics["test"])


def test_validation_without_positives_is_refused(inputs, make_params):
    targets = dict(inputs.targets, val=np.zeros(80, int))
    with pytest.raises(DataError, match="validation"):
        evaluate(replace(inputs, targets=targets), make_params())


def read(text: str, separator: str) -> list[dict[str, str]]:
    header, *rows = (line.split(separator) for line in text.splitlines())
    return [dict(zip(header, row, strict=True)) for row in rows]


def test_the_confusion_table_has_a_row_an_image(inputs, make_params):
    result = evaluate(inputs, make_params())
    for name, file in (("test", "confusion.csv"), ("perturbed", "confusion_perturbed.csv")):
        rows = read(tables(result)[file], ",")
        actual, predicted = ([row[key] for row in rows] for key in ("actual", "predicted"))
        expected = result.outcomes[name].confusion
        assert (confusion_matrix(actual, predicted) == expected).all()


def test_the_curve_tables_fall_from_certain_to_everything(inputs, make_params):
    texts = tables(evaluate(inputs, make_params()))
    pr, roc = read(texts["pr.tsv"], "\t"), read(texts["roc.tsv"], "\t")
    assert (float(pr[-1]["recall"]), float(pr[-1]["precision"])) == (1, 0.25)
    assert (float(roc[-1]["false_positive_rate"]), float(roc[-1]["recall"])) == (1, 1)
    assert texts["pr.tsv"] != texts["pr_perturbed.tsv"]


def test_the_class_table_holds_every_interval(make_evidence, make_params):
    result = evaluate(make_evidence("a", "b", "c", positive=None), make_params())
    rows = {
        (row["set"], row["class"], row["metric"]): row
        for row in read(tables(result)["per_class.tsv"], "\t")
    }
    row = rows["test", "c", "recall"]
    assert float(row["value"]) == result.assessments["test"].per_class["c"]["recall"].value
    assert float(row["low"]) <= float(row["value"]) <= float(row["high"])
    assert rows["val", "c", "recall"]["low"] == ""


def test_a_class_name_with_a_comma_stays_one_cell(make_evidence, make_params):
    result = evaluate(make_evidence("cells, many", "one", positive="one"), make_params())
    assert '"cells, many"' in tables(result)["confusion.csv"]
