"""A model and its decision in one folder, and what is refused."""

import json
import shutil

import judged
import pytest
from kept_model import write_model
from program import invoke

from raresight.pipeline.core.files import write_manifest
from raresight.pipeline.prediction.model_folder import open_model_folder
from raresight.pipeline.runtime.errors import DataError

IMAGE = "image-000.png"


def export(project, out):
    return invoke(*project.options, "export", "model", "--format", "folder", "--out", out)


def predict(project, model, out):
    """In a place where there is no project."""
    image = project.photos / IMAGE
    return invoke("predict", image, "--model", model, "--out", out, "--workers", 1)


@pytest.fixture
def packed(kept_project, tmp_path):
    out = tmp_path / "model-1.2"
    assert export(kept_project, out).exit_code == 0
    return out


def test_the_folder_alone_answers_as_the_project_does(kept_project, packed, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    moved = tmp_path / "elsewhere" / "model"
    moved.parent.mkdir()
    shutil.move(packed, moved)
    here, there = tmp_path / "here.csv", tmp_path / "there.csv"
    assert predict(kept_project, moved, there).exit_code == 0
    done = invoke(*kept_project.options, "predict", kept_project.photos / IMAGE, "--out", here)
    assert done.exit_code == 0, done.output
    assert here.read_bytes() == there.read_bytes()


def test_it_is_the_same_bytes_again_and_says_what_it_is(kept_project, packed):
    before = judged.contents(packed)
    assert export(kept_project, packed).exit_code == 0
    assert judged.contents(packed) == before
    card = json.loads((packed / "export.json").read_text())
    assert card["classes"] == ["common", "rare"]
    assert card["positive"] == "rare"
    assert card["input"]["image_shape"] == [12, 12, 3]
    card = (packed / "README.md").read_text()
    assert card.startswith("---\nlibrary_name: raresight\n")
    assert "type: average_precision" in card


def test_the_card_is_for_people_to_edit_and_the_hub_may_add_files(packed, kept_project):
    (packed / "README.md").write_text("Ours.")
    (packed / ".gitattributes").touch()
    (packed / ".git").mkdir()
    (packed / ".git/HEAD").touch()
    assert open_model_folder(packed, need_decision=True).decision is not None
    (packed / "README.md").unlink()
    open_model_folder(packed)
    (packed / "more.bin").touch()
    with pytest.raises(DataError, match=r"more\.bin is not in the manifest"):
        open_model_folder(packed)


def test_an_export_of_an_export_is_the_same(packed, tmp_path):
    again = tmp_path / "again"
    arguments = ("--format", "folder", "--out", again, "--model", packed)
    assert invoke("export", "model", *arguments).exit_code == 0
    assert judged.contents(again) == judged.contents(packed)


def test_what_somebody_else_made_is_not_replaced(kept_project, tmp_path):
    theirs = tmp_path / "photos"
    theirs.mkdir()
    (theirs / "holiday.jpg").write_bytes(b"...")
    done = export(kept_project, theirs)
    assert done.exit_code == 77
    assert "it would be lost" in done.stderr
    assert (theirs / "holiday.jpg").read_bytes() == b"..."


@pytest.mark.parametrize(
    ("name", "change", "code", "said"),
    [
        ("weights.safetensors", b"x", 65, "weights.safetensors has 1 bytes"),
        ("weights.safetensors", None, 65, "weights.safetensors is missing"),
        ("decision/decision.json", None, 65, "decision.json is missing"),
        ("decision/decision.json", b"{}", 65, "decision.json has 2 bytes"),
        ("manifest.json", None, 65, "no complete export"),
        ("surplus.txt", b"?", 65, "surplus.txt is not in the manifest"),
    ],
)
def test_a_changed_or_incomplete_folder_is_named(
    kept_project, packed, tmp_path, name, change, code, said
):
    if change is None:
        (packed / name).unlink()
    else:
        (packed / name).write_bytes(change)
    done = predict(kept_project, packed, tmp_path / "out.csv")
    assert done.exit_code == code
    assert said in done.stderr
    assert not (tmp_path / "out.csv").exists()


def test_a_folder_of_another_version_is_named(kept_project, packed, tmp_path):
    place = packed / "export.json"
    place.write_text(json.dumps(json.loads(place.read_text()) | {"format": 2}))
    (packed / "manifest.json").unlink()
    write_manifest(packed, {})
    done = predict(kept_project, packed, tmp_path / "out.csv")
    assert done.exit_code == 65
    assert "whose format is not 1" in done.stderr


def test_a_decision_for_another_model_is_refused(own_project, tmp_path):
    write_model(own_project.model, seed=2)
    done = invoke(
        *own_project.options, "predict", own_project.photos, "--out", tmp_path / "out.csv"
    )
    assert done.exit_code == 77
    assert "was made for another model" in done.stderr


def test_without_a_decision_the_next_step_is_named(own_project, tmp_path):
    shutil.rmtree(own_project.data / "decision")
    for arguments in (("predict", own_project.photos), ("export", "model", "--format", "folder")):
        done = invoke(*own_project.options, *arguments, "--out", tmp_path / "out.csv")
        assert done.exit_code == 66
        assert "Run `raresight evaluate`" in done.stderr
