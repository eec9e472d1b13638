import json

import numpy as np
import pytest
from imports import ROOT
from program import invoke

from raresight.pipeline.commands import plan
from raresight.pipeline.core.files import stage_outputs
from raresight.pipeline.evaluation.uncertainty.intervals import clopper_pearson, wilson
from raresight.pipeline.splitting.table import make_table, write_splits


@pytest.fixture
def split(write_generated, part, monkeypatch):
    """A dataset of common and rare images, of which the test set gets the first ones."""

    def make(*, rare, common, of_a_group=1):
        labels = ["rare"] * (rare + 4) + ["common"] * (common + 4)
        data = write_generated(part(name="a", labels=labels))
        description = data / "generated/dataset.json"
        content = json.loads(description.read_text()) | {"positive": "rare"}
        description.write_text(json.dumps(content))
        ids = [f"a-{k:04d}" for k in range(len(labels))]
        test = np.zeros(len(labels), bool)
        test[:rare] = test[rare + 4 : rare + 4 + common] = True
        with stage_outputs(data / "splits") as (folder,):
            splits = np.where(test, "test", "train")
            groups = [f"group-{k // of_a_group}" for k in range(len(ids))]
            table = make_table(ids=ids, source_ids=ids, groups=groups, splits=splits)
            write_splits(folder, table)
        return data

    return make


def run(data, **changes):
    asked = {"recall": 0.9, "width": 0.2, "precision": 0.5, "confidence": 0.95}
    return plan.run(ROOT / "params.yaml", data, **asked | {"prevalences": (0.1,)} | changes)


def test_the_test_set_is_held_against_the_plan(split):
    found = run(split(rare=38, common=30)).test_set
    assert (found.positives, found.negatives) == (38, 30)
    assert found.enough_positives
    # ln(0.05) / ln(1 - 0.1): at a prevalence of 0.1 a tenth of the negatives may be false alarms.
    assert found.enough_negatives
    assert found.recall_high - found.recall_low <= 0.2


def test_one_image_fewer_is_too_few(split):
    found = run(split(rare=37, common=28)).test_set
    assert not found.enough_positives
    assert not found.enough_negatives


def test_images_of_a_group_are_worth_one_of_them(split):
    """Of 160 rare and 120 common images four are of one group each: 40 and 30 may tell as much."""
    data = split(rare=160, common=120, of_a_group=4)
    found = run(data).test_set
    assert (found.positives, found.positive_groups, found.negative_groups) == (160, 40, 30)
    assert (found.positives_worth, found.negatives_worth) == (40, 30)
    assert (found.recall_low, found.recall_high) == wilson(0.9 * 40, 40, confidence=0.95)
    assert found.enough_positives
    assert found.enough_negatives
    assert not run(data, width=0.15).test_set.enough_positives  # 160 strangers would be enough
    said = " ".join(invoke("--data", data, "plan", "--prevalence", "1e-4").stdout.split())
    assert "160 images of 'rare' of 40 groups, which tell as much as 40 independent ones" in said


def test_without_a_test_set_the_plan_stands(tmp_path):
    found = run(tmp_path)
    assert found.test_set is None
    assert found.positives == {"wilson": 38, "clopper_pearson": 42}


def test_the_prevalence_is_that_of_the_params_where_none_is_given(tmp_path):
    assert [place.prevalence for place in run(tmp_path, prevalences=()).places] == [1e-4]
    assert invoke("--params", tmp_path / "no.yaml", "plan").exit_code == 2
    assert invoke("--params", tmp_path / "no.yaml", "plan", "--prevalence", "1e-4").exit_code == 0


def test_the_command_says_it_in_a_terminal_and_as_json(split):
    data = split(rare=38, common=28)
    asked = ["plan", "--recall", "0.9", "--width", "0.1", "--prevalence", "1e-4"]
    text = " ".join(invoke("--data", data, *asked).stdout.split())
    for words in ("needs 141 positives by Wilson's interval (159 by", "0.01 % 1,410,000", "33,282"):
        assert words in text
    assert "38 images of 'rare': too few" in text
    found = json.loads(invoke("--data", data, "--json", *asked).stdout)
    assert found["positives"] == {"wilson": 141, "clopper_pearson": 159}
    assert found["test_set"]["positives"] == 38


def test_the_intervals_are_those_that_evaluate_asks_for(tmp_path):
    params = tmp_path / "params.yaml"
    params.write_text("evaluate: {confidence_level: 0.9, proportion_interval: clopper_pearson}\n")
    asked = ["--json", "--params", params, "plan", "--recall", "0.9", "--width", "0.1"]
    found = json.loads(invoke(*asked, "--prevalence", "1e-4").stdout)
    assert (found["confidence"], found["interval"]) == (0.9, "clopper_pearson")
    needed = found["positives"]["clopper_pearson"]
    ends = clopper_pearson(round(0.9 * needed), needed, confidence=0.9)
    assert 0.09 < ends[1] - ends[0] <= 0.1


@pytest.mark.parametrize("option", ["--recall", "--width", "--prevalence", "--precision"])
def test_shares_lie_between_0_and_1(option):
    for value in ("0", "1", "1.5"):
        assert invoke("plan", option, value).exit_code == 2
