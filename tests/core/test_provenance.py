"""Manifests tie outputs to what they were made from, and with; numbers lie in their intervals."""

import json
import shutil

import pytest

from raresight.pipeline.commands import verify
from raresight.pipeline.core.files import manifest_problems, stage_outputs, write_json
from raresight.pipeline.core.inputs import (
    interval_problems,
    read_results,
    require_inputs,
    understood,
)
from raresight.pipeline.core.provenance import sha256
from raresight.pipeline.runtime.errors import DataError, InputMissing

STAGES_OF = {"generated": "generate", "splits": "split"}


def draw(data, text):
    with stage_outputs(data / "generated") as (folder,):
        (folder / "images.txt").write_text(text)


def split(data):
    with stage_outputs(data / "splits", inputs=[data / "generated"]) as (folder,):
        (folder / "table.txt").write_text("table")


def judge(data, value):
    """Numbers, a table and plots of one run, from the splits."""
    names = ("results.json", "predictions", "plots")
    targets = [data / "evaluation" / name for name in names]
    with stage_outputs(*targets, inputs=[data / "splits"]) as (results, predictions, plots):
        write_json(results, {"test": {"recall": value, "recall_low": 0.5, "recall_high": 0.9}})
        (predictions / "test.txt").write_text(str(value))
        (plots / "pr.txt").write_text("plot")


@pytest.fixture
def data(tmp_path):
    draw(tmp_path / "data", "one")
    split(tmp_path / "data")
    judge(tmp_path / "data", 0.7)
    return tmp_path / "data"


def wrong(data):
    return [problem for found in verify.run(data).values() for problem in found]


def test_a_manifest_names_its_inputs_and_what_was_put_in_place_with_it(data):
    found = json.loads((data / "evaluation/predictions/manifest.json").read_text())
    assert found["made_from"] == {"../../splits": sha256(data / "splits/manifest.json")}
    results = sha256(data / "evaluation/results.json")
    assert found["made_with"] == {"../results.json": results}
    assert wrong(data) == []
    require_inputs(data, STAGES_OF)


def test_other_images_under_the_splits_are_refused_with_what_mends_it(data):
    draw(data, "two")
    with pytest.raises(DataError, match=r"splits was made from another .*generated.*`raresight sp"):
        require_inputs(data, STAGES_OF)
    require_inputs(data, {"splits": "split"})  # which reads no images
    assert [one.split(" was made from")[0] for one in wrong(data)] == [str(data / "splits")]
    split(data)
    assert [one.split(": run")[1] for one in wrong(data)] == [
        " `raresight evaluate` or `dvc repro`"
    ] * 2  # the predictions and the plots, of the splits before


def test_the_same_bytes_again_are_the_same_input(data):
    draw(data, "two")
    draw(data, "one")
    assert wrong(data) == []


def test_a_kill_between_two_renames_is_seen(data, tmp_path):
    """Outputs of two runs beside each other, each of them whole."""
    shutil.copytree(data, tmp_path / "later")
    judge(tmp_path / "later", 0.8)
    for place in ("results.json", "predictions"):
        kept = tmp_path / "kept"
        shutil.move(data / "evaluation" / place, kept)
        shutil.move(tmp_path / "later/evaluation" / place, data / "evaluation" / place)
        assert "not the one that was written with" in "\n".join(wrong(data))
        shutil.move(data / "evaluation" / place, tmp_path / "later/evaluation" / place)
        shutil.move(kept, data / "evaluation" / place)
    assert wrong(data) == []


def test_an_edited_number_is_refused_by_every_reader(data):
    path = data / "evaluation/results.json"
    assert read_results(path, "evaluate")["test"]["recall"] == 0.7
    path.write_text(path.read_text().replace("0.7", "0.8"))
    with pytest.raises(DataError, match=r"results\.json is not what was written.*git checkout"):
        read_results(path, "evaluate")
    assert len(wrong(data)) == 1


def test_a_value_outside_its_own_interval_is_refused_where_there_is_no_manifest(data):
    path = data / "evaluation/results.json"
    shutil.rmtree(data / "evaluation/predictions")
    shutil.rmtree(data / "evaluation/plots")
    assert read_results(path, "evaluate")["test"]["recall"] == 0.7
    path.write_text(path.read_text().replace("0.7", "0.07"))
    with pytest.raises(DataError, match=r"test\.recall is 0\.07, outside its own interval 0\.5"):
        read_results(path, "evaluate")
    assert len(wrong(data)) == 1


def test_what_has_no_interval_has_no_problem():
    found = {"a": 2, "a_low": None, "a_high": None, "b": None, "b_low": 1, "b_high": 2, "c": [3]}
    assert [*interval_problems(found)] == []
    assert [*interval_problems({"a": 1 + 1e-12, "a_low": 0.5, "a_high": 1})] == []


def test_what_lacks_a_value_is_named_with_what_to_do():
    for wrong in (lambda: {}["recall"], lambda: None + 1, lambda: [][0], lambda: None.x):
        with (
            pytest.raises(DataError, match=r"^results\.json cannot be understood .* Run it again"),
            understood("results.json", "Run it again."),
        ):
            wrong()
    with pytest.raises(InputMissing), understood("results.json", "Run it again."):
        raise InputMissing("of its own")


def test_every_flipped_bit_of_a_manifest_is_seen(data):
    path = data / "evaluation/predictions/manifest.json"
    good = path.read_bytes()
    for place in range(len(good)):
        path.write_bytes(good[:place] + bytes([good[place] ^ 1 << place % 8]) + good[place + 1 :])
        assert manifest_problems(path.parent), place
    path.write_bytes(good)
    assert manifest_problems(path.parent) == []


def test_manifests_of_before_tie_nothing_and_are_read(data):
    found = json.loads((data / "splits/manifest.json").read_text())
    write_json(data / "splits/manifest.json", {"files": found["files"]})
    assert manifest_problems(data / "splits") == []
    draw(data, "two")
    require_inputs(data, STAGES_OF)
