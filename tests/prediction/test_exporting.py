"""The model as a file: run by the runtime a stranger would use, and equal to the model."""

import json

import judged
import numpy as np
import pytest
import torch
from program import invoke

import raresight
from raresight.pipeline.prediction import exporting
from raresight.pipeline.runtime.installation import install_line

SUFFIXES = {"onnx": ".onnx", "torch": ".pt2"}


def export(project, form, out, *arguments):
    return invoke(*project.options, "export", "model", "--format", form, "--out", out, *arguments)


def run_onnx(path, images):
    onnxruntime = pytest.importorskip("onnxruntime")
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    return session.run(["score", "probability", "answer"], {"images": images})


def run_torch(path, images):
    module = torch.export.load(path).module()
    return [found.numpy() for found in module(torch.from_numpy(images))]


RUN = {"onnx": run_onnx, "torch": run_torch}


EXPORTS = [("onnx", "kept_project"), ("onnx", "alike_project"), ("torch", "kept_project")]


@pytest.fixture(scope="module", params=EXPORTS, ids="-".join)
def exported(request, tmp_path_factory):
    """A project, the form of an export, and the file."""
    form, name = request.param
    if form == "onnx":
        pytest.importorskip("onnx")
    project = request.getfixturevalue(name)
    out = tmp_path_factory.mktemp("exported") / f"model{SUFFIXES[form]}"
    done = export(project, form, out)
    assert done.exit_code == 0, done.output
    return project, form, out


@pytest.fixture(scope="module")
def thousand():
    """Images that no training has seen, of every light and contrast."""
    rng = np.random.default_rng(7)
    noise = rng.normal(size=(1000, judged.SIDE, judged.SIDE, 3))
    light, contrast = rng.uniform(0, 255, (1000, 1, 1, 3)), rng.uniform(0, 80, (1000, 1, 1, 1))
    return np.clip(light + contrast * noise, 0, 255).astype(np.uint8)


@pytest.mark.parametrize("count", [1, 7, 1000])
def test_another_program_gives_the_same_answers_for_any_number_of_images(exported, thousand, count):
    project, form, out = exported
    score, probability, answer = RUN[form](out, thousand[:count])
    applied = raresight.load_model(project.model, device="cpu").apply(thousand[:count])
    np.testing.assert_allclose(score, applied.scores, atol=1e-5)
    np.testing.assert_allclose(probability, applied.probabilities, atol=1e-5)
    assert np.asarray(applied.classes)[answer].tolist() == applied.answers.tolist()
    if count == 1000 and project.folder.name.startswith("kept"):
        assert len(set(applied.answers)) == 2


def test_the_card_says_what_it_is_and_how_far_it_differs(exported):
    _, form, out = exported
    card = json.loads(out.with_name(f"{out.name}.json").read_text())
    assert "## How good it is" in out.with_name(f"{out.name}.md").read_text()
    assert card["classes"] == ["common", "rare"]
    assert card["outputs"] == ["score", "probability", "answer"]
    checked = card["checked"]
    assert checked["images"] == judged.COUNT
    assert checked["different_answers"] == 0
    assert 0 <= checked["largest_difference"] < 1e-5
    if form == "torch":
        inside = {"raresight.json": ""}
        torch.export.load(out, extra_files=inside)
        assert json.loads(inside["raresight.json"])["classes"] == card["classes"]
    else:
        onnx = pytest.importorskip("onnx")
        props = {one.key: one.value for one in onnx.load(out).metadata_props}
        assert json.loads(props["raresight"])["classes"] == card["classes"]
        assert b"/prediction/" not in out.read_bytes()  # no path of the machine that wrote it


def test_it_is_the_same_bytes_again(exported, tmp_path):
    project, form, out = exported
    again = tmp_path / f"another{out.suffix}"
    again.write_bytes(b"an earlier export")
    assert export(project, form, again).exit_code == 0
    assert again.read_bytes() == out.read_bytes()


def stub(error: float) -> exporting.Format:
    """A format without a conversion, whose program is off by ``error``."""
    models = []

    def convert(model, example, card):
        models.append(model)
        return b"a program"

    def run(images):
        score, probability, answer = models[-1](torch.from_numpy(images))
        return score.numpy(), probability.numpy() + error, answer.numpy()

    return exporting.Format(modules=(), libraries=(), convert=convert, open=lambda _: run)


@pytest.mark.parametrize(("error", "code"), [(0.0, 0), (0.01, 1)])
def test_an_export_that_does_not_agree_is_refused_and_not_written(
    kept_project, tmp_path, monkeypatch, error, code
):
    monkeypatch.setitem(exporting.FORMATS, "torch", stub(error))
    done = export(kept_project, "torch", tmp_path / "model.pt2")
    assert done.exit_code == code
    assert len(list(tmp_path.iterdir())) == (0 if code else 3)  # with two cards
    assert ("scores differ by up to 0.01" in done.stderr) == bool(code)


def test_a_missing_extra_is_named_with_the_line_that_installs_it(
    kept_project, tmp_path, monkeypatch
):
    monkeypatch.setattr(exporting, "find_spec", lambda name: None)
    done = export(kept_project, "onnx", tmp_path / "model.onnx")
    assert done.exit_code == 78
    assert install_line("export") in done.stderr


def test_outside_a_project_images_are_to_be_named(kept_project, tmp_path, monkeypatch):
    monkeypatch.setitem(exporting.FORMATS, "torch", stub(0.0))
    packed, out = tmp_path / "packed", tmp_path / "model.pt2"
    assert export(kept_project, "folder", packed).exit_code == 0
    monkeypatch.chdir(tmp_path)
    arguments = ("export", "model", "--format", "torch", "--out", out, "--model", packed)
    done = invoke(*arguments)
    assert done.exit_code == 2
    assert "name some with --images" in done.stderr
    done = invoke(*arguments, "--images", kept_project.photos)
    assert done.exit_code == 0, done.output
    assert "checked on 120 images" in done.stderr
