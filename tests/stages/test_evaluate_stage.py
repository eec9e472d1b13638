import hashlib
import json
from pathlib import Path

import numpy as np
import pytest
from judged import (
    COUNT,
    IDS,
    LABELS,
    PARAMS,
    SPLITS,
    BrokenScorer,
    OtherScorer,
    SquareScorer,
    contents,
    draw_images,
    predictions,
)

from raresight.pipeline.commands import verify
from raresight.pipeline.core.files import manifest_problems
from raresight.pipeline.dataset import Dataset
from raresight.pipeline.evaluation import scoring
from raresight.pipeline.evaluation.baselines.registry import BASELINES
from raresight.pipeline.evaluation.decisions.thresholds import choose
from raresight.pipeline.evaluation.output.results_json import headline
from raresight.pipeline.evaluation.params import MaxF1
from raresight.pipeline.runtime.errors import DataError, InputMissing, ParamsError
from raresight.pipeline.stages import evaluate


def test_everything_is_written_and_shown(judged_project):
    params, data = judged_project()
    metrics = evaluate.run(params, data)
    folder = data / "evaluation"
    assert evaluate.show(data) == metrics == json.loads((folder / "results.json").read_text())
    assert json.loads((folder / "metrics.json").read_text()) == headline(metrics)
    assert manifest_problems(folder / "plots") == manifest_problems(folder / "predictions") == []
    assert {path.name for path in (folder / "plots").iterdir()} >= {
        "calibration.tsv",
        "confusion.csv",
        "per_class.tsv",
        "pr.tsv",
        "roc.tsv",
        "scores.tsv",
        "slices.tsv",
        "worst_slices.tsv",
    }
    assert metrics["counts"]["train"] == {"common": 50, "rare": 10}
    assert metrics["test"]["average_precision"] == 1
    assert metrics["deployment"]["prevalence"] == 1e-3


@pytest.mark.parametrize("threads", [None, 2])
def test_threads_are_set_where_they_are_asked_for(judged_project, monkeypatch, threads):
    params, data = judged_project()
    params.write_text(f"{params.read_text()}  threads: {threads or 'null'}\n")
    asked = []
    monkeypatch.setattr("raresight.pipeline.models.device.set_threads", asked.append)
    evaluate.run(params, data)
    assert asked == ([threads] if threads else [])


def test_predictions_hold_a_row_an_image_with_a_score_a_class(judged_project):
    params, data = judged_project()
    evaluate.run(params, data)
    table = predictions(data, "test")
    assert table.column_names == [
        *("id", "source_id", "group", "label", "pixels", "predicted", "score.common", "score.rare"),
        *("probability.common", "probability.rare"),
    ]
    chosen = [k for k, split in enumerate(SPLITS) if split == "test"]
    assert table["id"].to_pylist() == table["source_id"].to_pylist() == [IDS[k] for k in chosen]
    assert table["label"].to_pylist() == [LABELS[k] for k in chosen]
    expected = SquareScorer().scores(draw_images(), np.array(chosen))
    assert (np.stack([table["score.common"], table["score.rare"]], axis=1) == expected).all()


def test_whole_groups_of_the_split_are_resampled_and_named_in_the_predictions(judged_project):
    """Six images a patient, of which one is rare: what is about the others counts patients."""
    alone = evaluate.run(*judged_project())
    patients = [f"patient {k // 6}" for k in range(len(IDS))]
    params, data = judged_project(groups=patients)
    grouped = evaluate.run(params, data)
    told = predictions(data, "test")["group"].to_pylist()
    assert told == [p for p, split in zip(patients, SPLITS, strict=True) if split == "test"]
    for metric in ("recall", "specificity", "accuracy"):
        assert alone["test"][metric] == grouped["test"][metric]
        ends = [
            [one["test"][f"{metric}_{end}"] for end in ("low", "high")] for one in (alone, grouped)
        ]
        assert (ends[0] == ends[1]) == (metric == "recall"), metric
    assert "groups" not in alone
    assert grouped["groups"]["test"]["total"] == len(set(told))


def test_predictions_name_the_pixels_they_are_about(judged_project):
    params, data = judged_project()
    evaluate.run(params, data)
    images, chosen = draw_images(), [k for k, split in enumerate(SPLITS) if split == "test"]
    expected = [hashlib.blake2b(images[k].tobytes(), digest_size=16).hexdigest() for k in chosen]
    assert predictions(data, "test")["pixels"].to_pylist() == expected
    assert predictions(data, "perturbed")["pixels"].to_pylist() == expected


def test_perturbed_images_are_the_test_images_in_the_same_order(judged_project):
    params, data = judged_project()
    evaluate.run(params, data)
    clean, perturbed = predictions(data, "test"), predictions(data, "perturbed")
    assert perturbed["id"] == clean["id"]
    assert not np.allclose(perturbed["score.rare"], clean["score.rare"])


def test_an_empty_recipe_perturbs_nothing(judged_project):
    params, data = judged_project(perturb="[]")
    evaluate.run(params, data)
    assert predictions(data, "perturbed").equals(predictions(data, "test"))


def test_the_perturbation_of_an_image_does_not_depend_on_the_batch(judged_project, monkeypatch):
    params, data = judged_project()
    evaluate.run(params, data)
    before = predictions(data, "perturbed")
    monkeypatch.setattr(scoring, "IMAGES_AT_ONCE", 7)
    evaluate.run(params, data)
    assert predictions(data, "perturbed").equals(before)


def test_a_second_run_writes_the_same_bytes(judged_project):
    params, data = judged_project()
    evaluate.run(params, data)
    before = contents(data / "evaluation")
    evaluate.run(params, data)
    assert contents(data / "evaluation") == before


@pytest.mark.parametrize("name", list(BASELINES))
def test_a_baseline_is_fitted_on_train_and_its_threshold_chosen_on_val(judged_project, name):
    params, data = judged_project()
    metrics = evaluate.run(params, data)
    train, val = (np.flatnonzero(np.array(SPLITS) == name) for name in ("train", "val"))
    rare = np.array(LABELS) == "rare"
    features = BASELINES[name].features(draw_images(), np.arange(COUNT))
    probe = BASELINES[name].fit(features[train], 1 * rare[train], num_classes=2)
    chosen = choose(MaxF1(), probe(features[val])[:, 1], rare[val])
    assert metrics["threshold"][name] == pytest.approx(chosen.value)
    test = predictions(data, name)
    assert test["id"] == predictions(data, "test")["id"]
    rows = [IDS.index(one) for one in test["id"].to_pylist()]
    np.testing.assert_allclose(test["score.rare"], probe(features[rows])[:, 1])


def test_the_majority_is_beside_the_model(judged_project):
    params, data = judged_project()
    metrics = evaluate.run(params, data)
    assert metrics["majority_baseline"]["answer"] == "common"
    assert metrics["majority_baseline"]["accuracy"] == 25 / 30


def test_a_dataset_without_a_positive_class_is_judged_by_macro_values(judged_project):
    params, data = judged_project(positive=None)
    metrics = evaluate.run(params, data)
    assert metrics["test"]["macro_f1"] > 0.5
    assert "deployment" not in metrics
    assert (data / "evaluation" / "plots" / "pr.tsv").is_file()


def test_the_images_themselves_are_not_touched(judged_project):
    params, data = judged_project()
    evaluate.run(params, data)
    assert (np.asarray(Dataset(data / "generated").images) == draw_images()).all()


def assert_refused_and_kept(params: Path, data: Path, error: type, match: str) -> None:
    """The run fails with that message, and the outputs of the run before it are still there."""
    before = contents(data / "evaluation")
    assert "metrics.json" in before
    with pytest.raises(error, match=match):
        evaluate.run(params, data)
    assert contents(data / "evaluation") == before


def test_scores_that_are_not_numbers_stop_the_stage(judged_project, use_scorer):
    params, data = judged_project()
    evaluate.run(params, data)
    use_scorer(BrokenScorer())
    assert_refused_and_kept(params, data, DataError, "not numbers")


def test_a_model_of_other_classes_is_refused(judged_project, use_scorer):
    params, data = judged_project()
    evaluate.run(params, data)
    use_scorer(OtherScorer())
    assert_refused_and_kept(params, data, DataError, "cat, dog.*common, rare.*raresight train")


def test_a_transform_that_does_not_exist_is_named_with_its_place(judged_project):
    params, data = judged_project()
    evaluate.run(params, data)
    params.write_text(PARAMS.format(perturb="[{name: GausNoise, p: 1.0}]"))
    match = r"params\.yaml: evaluate\.perturb\[0\]\.name: .*'GausNoise'.*'GaussNoise'"
    assert_refused_and_kept(params, data, ParamsError, match)


def test_costs_of_a_class_that_does_not_exist_are_refused(judged_project):
    params, data = judged_project()
    evaluate.run(params, data)
    costs = "{name: cost, costs: {rare: {comon: 100}, weird: {rare: 1}}}"
    params.write_text(PARAMS.format(perturb="[]").replace("{name: max_f1}", costs))
    match = r"2 problems:\n.*costs\.rare: no class 'comon'.*'common'.*\n.*no class 'weird'"
    assert_refused_and_kept(params, data, ParamsError, match)


@pytest.mark.parametrize(
    ("rule", "objective"),
    [
        ("{name: recall, target: 0.9, confidence: 0.95}", "recall"),
        ("{name: precision, target: 0.5, prevalence: 0.01}", "precision"),
        ("{name: cost, costs: {rare: {common: never}}}", "cost"),
    ],
)
def test_every_rule_is_carried_out_and_reported(judged_project, rule, objective):
    params, data = judged_project()
    params.write_text(PARAMS.format(perturb="[]").replace("{name: max_f1}", rule))
    threshold = evaluate.run(params, data)["threshold"]
    assert (threshold["objective"], threshold["positives"]) == (objective, 5)
    if objective == "recall":
        assert threshold["reason"] == "it takes 29 positives in validation; there are 5"


def test_costs_decide_without_a_positive_class(judged_project):
    params, data = judged_project(positive=None)
    rule = "{name: cost, costs: {rare: {common: 20}}}"
    params.write_text(PARAMS.format(perturb="[]").replace("{name: max_f1}", rule))
    metrics = evaluate.run(params, data)
    table = predictions(data, "test")
    # A rare image is overlooked at 20 times the cost of a false alarm: called from 1/21 on.
    rare = table["probability.rare"].to_numpy()
    called = table["predicted"].to_numpy() == "rare"
    assert (called == (rare > 1 / 21)).all()
    actual = table["label"].to_numpy() == "rare"
    paid = np.where(actual, 20 * ~called, called)
    assert metrics["cost"]["test"] == pytest.approx(paid.mean())
    assert metrics["test"]["accuracy"] == (called == actual).mean()


def test_costs_that_cannot_be_are_refused(judged_project):
    params, data = judged_project(positive=None)
    evaluate.run(params, data)
    costs = "{name: cost, costs: {rare: {common: never}}, prevalence: 0.1}"
    params.write_text(PARAMS.format(perturb="[]").replace("{name: max_f1}", costs))
    match = r"2 problems:\n.*threshold\.prevalence: .*\n.*costs\.rare\.common: 'never'"
    assert_refused_and_kept(params, data, ParamsError, match)


def test_slices_are_by_factor_origin_and_size_of_the_label(judged_project):
    params, data = judged_project()
    evaluate.run(params, data)
    header, *rows = (data / "evaluation/plots/slices.tsv").read_text().splitlines()
    named = [dict(zip(header.split("\t"), row.split("\t"), strict=True)) for row in rows]
    found = {(row["metric"], row["factor"], row["part"]) for row in named}
    assert ("recall", "side", "left") in found
    assert ("recall", "perturbed", "yes") in found
    sizes = [row for row in named if row["factor"] == "label_pixels"]
    # Of the five rare test images number 90 has a smaller square; no negative has any.
    found = {(row["metric"], row["part"], row["images"]) for row in sizes}
    assert found == {("recall", "16", "4"), ("recall", "12", "1")}


def test_a_changed_input_is_refused(judged_project):
    params, data = judged_project()
    evaluate.run(params, data)
    path = data / "splits" / "splits.arrow"
    path.write_bytes(path.read_bytes()[:-1] + b"!")
    assert_refused_and_kept(params, data, DataError, "not what the split stage wrote")


def test_an_edited_digit_is_not_shown_and_verify_names_it(judged_project):
    params, data = judged_project()
    metrics = evaluate.run(params, data)
    for name, value in (("results.json", metrics["test"]["recall"]), ("metrics.json", None)):
        path = data / "evaluation" / name
        good = path.read_text()
        known = json.loads(good)["threshold"]
        known = known["model"] if value is not None else known
        path.write_text(good.replace(f": {known!r}", f": {known / 2!r}", 1))
        wrong = [line for found in verify.run(data).values() for line in found]
        assert len(wrong) == 1
        assert f"{path} is not the one that was written" in wrong[0]
        assert "raresight evaluate" in wrong[0]
        if name == "results.json":
            with pytest.raises(DataError, match="is not what was written with"):
                evaluate.show(data)
        path.write_text(good)
    assert evaluate.show(data) == metrics


@pytest.mark.parametrize(
    ("folder", "stage"), [("generated", "generate"), ("splits", "split"), ("model", "train")]
)
def test_a_missing_input_names_its_stage(judged_project, folder, stage):
    params, data = judged_project()
    (data / folder / "manifest.json").unlink()
    with pytest.raises(InputMissing, match=rf"raresight {stage}"):
        evaluate.run(params, data)


def test_nothing_to_show_before_the_first_run(tmp_path):
    with pytest.raises(InputMissing, match=r"results\.json does not exist"):
        evaluate.show(tmp_path / "data")
