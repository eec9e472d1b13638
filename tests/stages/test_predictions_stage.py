"""evaluate --predictions: a file of scores, and nothing else, in an empty folder."""

import json

import numpy as np
import pandas
import pytest
import sklearn.metrics as sk
from program import invoke


def scores_of(targets, seed):
    noise = np.random.default_rng(seed).normal(size=len(targets))
    return (1 / (1 + np.exp(-(2.5 * targets + noise - 2)))).round(4)


def table(positives=40, negatives=400, seed=0):
    targets = np.repeat([0, 1], [negatives, positives])
    ill = scores_of(targets, seed)
    return pandas.DataFrame(
        {
            "id": [f"{seed}-{k}" for k in range(len(targets))],
            "label": np.array(["well", "ill"])[targets],
            "score.ill": ill,
            "score.well": 1 - ill,
            "factor.scanner": np.array(["a", "b"])[np.arange(len(targets)) % 2],
        }
    )


@pytest.fixture
def judge(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "80")

    def run(*arguments, code=0, json_too=True, name="scores.csv"):
        front = ["--json"] if json_too else []
        done = invoke(*front, "evaluate", "--predictions", name, *arguments)
        assert done.exit_code == code, done.output
        if code:
            return done.stderr
        return json.loads(done.stdout) if json_too else done.stdout

    return run


def test_the_numbers_are_those_of_scikit_learn(judge):
    frame = table()
    frame.to_csv("scores.csv", index=False)
    test = judge("--positive", "ill", "--threshold", "0.5")["test"]
    actual, score = frame["label"] == "ill", frame["score.ill"]
    assert test["recall"] == pytest.approx(sk.recall_score(actual, score >= 0.5))
    assert test["precision"] == pytest.approx(sk.precision_score(actual, score >= 0.5))
    assert test["average_precision"] == pytest.approx(sk.average_precision_score(actual, score))
    assert test["roc_auc_low"] < test["roc_auc"] < test["roc_auc_high"]


SPELLINGS = {
    "semicolon": {"sep": ";", "decimal": ","},
    "tab": {"sep": "\t", "decimal": ","},
    "utf16": {"encoding": "utf-16"},
    "mark": {"encoding": "utf-8-sig"},
}


@pytest.mark.parametrize("way", SPELLINGS)
def test_tables_of_a_spreadsheet_give_the_same(judge, way):
    frame = table()
    frame.to_csv("scores.csv", index=False)
    expected = judge("--positive", "ill", "--threshold", "0.5")
    frame.to_csv("scores.csv", index=False, **SPELLINGS[way])
    assert judge("--positive", "ill", "--threshold", "0.5") == expected


def test_an_unknown_encoding_is_named(judge):
    frame = table().replace("well", "böse").rename(columns={"score.well": "score.böse"})
    frame.to_csv("scores.csv", index=False, encoding="latin-1")
    message = judge("--positive", "ill", "--threshold", "0.5", code=65)
    assert "scores.csv is not UTF-8: line 1 holds the byte 0xf6 ('ö' in Windows-1252)" in message


def test_every_kind_of_file_gives_the_same(judge):
    frame = table()
    frame.to_csv("scores.csv", index=False)
    frame.to_parquet("scores.parquet")
    import pyarrow as pa

    batch = pa.RecordBatch.from_pandas(frame)
    with pa.OSFile("scores.arrow", "wb") as sink, pa.ipc.new_file(sink, batch.schema) as writer:
        writer.write_batch(batch)
    options = ("--positive", "ill", "--threshold", "0.5")
    found = [judge(*options, name=f"scores.{kind}") for kind in ("csv", "parquet", "arrow")]
    assert found[0] == found[1] == found[2]
    assert found[0]["slices"]["recall"]["n_slices"] == 2  # the scanners


def test_the_threshold_is_chosen_on_validation_alone(judge):
    table().to_csv("scores.csv", index=False)
    table(seed=1).to_csv("val.csv", index=False)
    options = ("--positive", "ill", "--validation", "val.csv", "--prevalence", "0.01")
    found = judge(*options)
    val = table(seed=1)
    at = [sk.f1_score(val["label"] == "ill", val["score.ill"] >= t) for t in val["score.ill"]]
    chosen = sk.f1_score(val["label"] == "ill", val["score.ill"] >= found["threshold"]["model"])
    assert chosen == pytest.approx(max(at))
    assert found["deployment"]["prevalence"] == 0.01
    assert found["counts"]["val"] == {"ill": 40, "well": 400}
    text = " ".join(judge(*options, json_too=False).split())
    assert "At the deployment prevalence: 1 %" in text


def test_one_score_column_with_0_and_1_needs_no_names(judge):
    frame = table()
    plain = pandas.DataFrame(
        {"id": frame["id"], "label": 1 * (frame["label"] == "ill"), "score": frame["score.ill"]}
    )
    plain.to_csv("scores.csv", index=False)
    found = judge("--threshold", "0.5")
    assert found["positive"] == "1"
    plain.assign(label="0").head(300).to_csv("scores.csv", index=False)
    assert judge("--threshold", "0.5")["counts"]["test"] == {"0": 300, "1": 0}


def test_unlabelled_images_show_their_prevalence(judge):
    table(positives=100, negatives=900).to_csv("scores.csv", index=False)
    table(positives=300, negatives=700, seed=2).drop(columns="label").to_csv("new.csv", index=False)
    found = judge("--positive", "ill", "--threshold", "0.5", "--target", "new.csv")["target"]
    assert found["images"] == 1000
    assert found["shares"]["ill_low"] <= 0.3 <= found["shares"]["ill_high"]
    assert found["model"]["precision_low"] < found["model"]["precision"]


@pytest.mark.parametrize(
    ("positives", "negatives", "said"),
    [(0, 50, "No test image is 'ill': the specificity can be judged"),
     (50, 0, "Every test image is 'ill': recall can be judged.")],
)  # fmt: skip
def test_a_test_set_of_one_class_says_what_it_cannot(judge, positives, negatives, said):
    table(positives, negatives).to_csv("scores.csv", index=False)
    options = ("--positive", "ill", "--threshold", "0.5")
    assert said in " ".join(judge(*options, json_too=False).split())
    found = judge(*options)
    assert found["deployment"]["model"]["precision"] is None
    assert ("recall" in found["test"]["undefined"]) == (positives == 0)


def test_bad_rows_are_listed_and_end_with_65(judge):
    frame = table(positives=3, negatives=3)
    frame.loc[1, "score.ill"] = np.nan
    frame.loc[2, "label"] = "fine"
    frame.loc[4, "id"] = frame.loc[3, "id"]
    frame.loc[5, "score.well"] = 0.9999
    frame.to_csv("scores.csv", index=False)
    message = judge("--positive", "ill", "--threshold", "0.5", code=65)
    assert message.startswith("error: scores.csv has 4 problems:\n")
    for row in ("row 2: score.ill is ''", "row 3: no scores for the class 'fine'",
                "row 5: the id '0-3' is that of row 4", "row 6: the scores sum to "):  # fmt: skip
        assert row in message


@pytest.mark.parametrize(
    ("content", "code", "said"),
    [
        ("id,lable,score\n1,0,0.5\n", 65, "Did you mean 'lable'?"),
        ("", 65, "scores.csv cannot be read"),
        ("id,label,score\n1,0\n", 65, "scores.csv cannot be read"),
        ("id,label,score\n1,0,0.5\n2,1,0.7\n", 2, "--threshold 0.5"),
        ("id,label,score.a,score.b\n1,a,0.5,0.5\n", 0, ""),
    ],
)
def test_what_a_file_lacks_is_said(judge, tmp_path, content, code, said):
    (tmp_path / "scores.csv").write_text(content)
    assert said in str(judge(code=code))


def test_files_that_are_not_there_or_of_no_known_kind(judge, tmp_path):
    judge(code=66)
    (tmp_path / "scores.xlsx").write_text("")
    assert ".csv, .tsv, .txt, .parquet, .jsonl, .ndjson, .arrow, .feather" in judge(
        code=2, name="scores.xlsx"
    )


def test_validation_about_other_classes_is_refused(judge):
    table().to_csv("scores.csv", index=False)
    table().rename(columns={"score.well": "score.fine"}).replace("well", "fine").to_csv(
        "val.csv", index=False
    )
    message = judge("--positive", "ill", "--validation", "val.csv", code=65)
    assert "classes fine, ill, not about" in " ".join(message.split())


def test_options_of_predictions_need_predictions():
    result = invoke("evaluate", "--threshold", "0.5")
    assert result.exit_code == 2
    assert "--predictions" in result.stderr


def test_a_prevalence_that_nobody_stated_is_named_as_assumed(judge):
    table().to_csv("scores.csv", index=False)
    asked = ("--positive", "ill", "--threshold", "0.5")
    found = [judge(*asked, *more)["deployment"] for more in ((), ("--prevalence", "0.001"))]
    assert [one["prevalence_is"] for one in found] == ["assumed", "stated"]
    assert "(assumed" in judge(*asked, json_too=False)
    assert "(assumed" not in judge(*asked, "--prevalence", "0.001", json_too=False)


def test_goals_that_are_required_and_not_met_end_with_1(judge, tmp_path):
    table().to_csv("scores.csv", index=False)
    asked = ("--positive", "ill", "--threshold", "0.5", "--require-goals")
    assert "no goals are set" in judge(*asked, code=2)
    params = tmp_path / "params.yaml"
    params.write_text("evaluate: {goals: {recall: 0.999, accuracy: 0.5}}\n")
    message = judge(*asked, code=1)
    assert "1 of 2 goals are not met:\n  recall: at least 0.999 is asked for" in message
    params.write_text("evaluate: {goals: {accuracy: 0.5}}\n")
    assert judge(*asked)["goals"]["accuracy"]["verdict"] == "met"
    params.write_text("evaluate: {goals: {macro_f1: 0.5}}\n")
    assert "evaluate.goals.macro_f1: no such metric here" in judge(*asked, code=2)
