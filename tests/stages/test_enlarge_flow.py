"""enlarge by a flow: from training images alone, goes on where it was stopped, diverges with 76."""

import json
import os
import shutil
import signal

import numpy as np
import pytest
import torch
from program import write_params
from ruamel.yaml import YAML

from raresight.pipeline.core.files import read_json, sha256
from raresight.pipeline.dataset.reader import Dataset
from raresight.pipeline.enlarging.flow import fitting, library, making
from raresight.pipeline.enlarging.flow.fitting import FlowTrainer
from raresight.pipeline.enlarging.flow.images import Learned
from raresight.pipeline.enlarging.flow.making import Limits
from raresight.pipeline.runtime.errors import DeviceError, DivergedError, StoppedError
from raresight.pipeline.splitting.table import read_splits
from raresight.pipeline.stages import augment, enlarge, generate, split
from raresight.pipeline.training.inputs import open_images
from raresight.pipeline.training.params import TrainParams

STEPS = 20
METHOD = {
    "name": "flow", "size": "tiny", "steps": STEPS, "batch_size": 4, "sampling_steps": 2,
}  # fmt: skip
SOURCE = {
    "generator": "shapes",
    "options": {"classes": ["circle", "square"], "size": [0.3, 0.5]},
    "counts": {"circle": 60, "square": 20},
}


def change(project, **values):
    yaml, path = YAML(), project / "params.yaml"
    document = yaml.load(path)
    document["enlarge"].update(values)
    yaml.dump(document, path)


def run(project):
    return enlarge.run(project / "params.yaml", project / "data", device="cpu")


@pytest.fixture(scope="module")
def any_mask():
    """Steps that are so few leave noise, which shows no label: let it pass."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Limits, "hold", lambda self, image, mask: True)
        yield


@pytest.fixture(scope="module")
def taken():
    """Every row that a flow learned from."""
    rows, take = [], Learned.take
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            Learned, "take", lambda self, found: rows.extend(found.tolist()) or take(self, found)
        )
        yield rows


@pytest.fixture(scope="module")
def drawn(tmp_path_factory, any_mask, taken):
    folder = tmp_path_factory.mktemp("flow")
    params = write_params(
        folder / "params.yaml", image_size=16, positive="circle", sources=[SOURCE]
    )
    yaml = YAML()
    document = yaml.load(params)
    document["split"]["ratios"] = {"train": 0.4, "val": 0.5, "test": 0.1}
    document["train"]["threads"] = 1
    yaml.dump(document, params)
    change(folder, classes={"circle": 2}, method=METHOD)
    for stage in (generate, augment):
        stage.run(params, folder / "data", workers=1)
    split.run(params, folder / "data")
    run(folder)
    return folder


@pytest.fixture
def project(drawn, tmp_path):
    shutil.copytree(drawn, tmp_path / "project")
    return tmp_path / "project"


def test_it_learns_from_training_images_of_the_class_alone_and_is_checked(drawn, taken):
    data, made = Dataset(drawn / "data/generated"), Dataset(drawn / "data/enlarged")
    learned = read_splits(drawn / "data/splits").rows(data, "train")
    circles = learned[data.labels[learned] == "circle"]
    assert {*taken} == {*circles.tolist()}
    assert len(made) == 2 * len(circles)
    assert {*made.origins.tolist()} == {"generated"}
    assert {*made.labels.tolist()} == {"circle"}
    assert {*made.source_ids.tolist()} <= {*data.ids[circles].tolist()}
    assert {*made.column("factor.ground", range(len(made)))} == {None}
    assert np.bincount(made.variants).tolist() == [0, len(circles), len(circles)]
    assert {*np.unique(made.masks[0])} <= {0, 1}
    report = read_json(drawn / "data/enlarged/report.json")
    assert report["splits"] == sha256(drawn / "data/splits/manifest.json")
    found = report["classes"]["circle"]
    assert (found["asked"], found["made"], found["held_out"]) == (len(made), len(made), 30)
    assert found["flow"]["steps"] == STEPS
    assert found["flow"]["learned_from"] == len(circles)
    # Noise covers nothing, and shows no label; nothing was pasted.
    assert found["told_apart"] is None  # of 24 real ones
    assert found["neighbors"]["coverage"] < found["neighbors"]["coverage_of_real"]
    assert found["visible"] < 0.5
    assert found["seam"] is None
    assert {one["training"] for one in found["nearest"]} <= {*data.ids[circles].tolist()}
    assert not (drawn / "data/.resume/flow").exists()
    # Training learns from each where it learns from the original that it is nearest to.
    images = open_images(drawn / "params.yaml", TrainParams(), drawn / "data")
    inputs = images.inputs(TrainParams(), images.rows("train"), torch.device("cpu"))
    before = len(data) + len(Dataset(drawn / "data/augmented"))
    assert (inputs.train.rows >= before).sum() == len(made)


def interrupted(monkeypatch, at, by):
    """A fit that is told something at a step, once."""
    take, told = FlowTrainer._take_step, []

    def step(self):
        if self.step == at and not told:
            told.append(at)
            by()
        return take(self)

    monkeypatch.setattr(FlowTrainer, "_take_step", step)


def test_stopped_or_killed_in_the_middle_it_ends_with_the_same_bytes(
    project, monkeypatch, any_mask, capsys
):
    first = sha256(project / "data/enlarged/manifest.json")
    monkeypatch.setattr(fitting, "_KEPT_EVERY", 0.0)

    def crash():
        raise KeyboardInterrupt

    interrupted(monkeypatch, 13, crash)
    with pytest.raises(KeyboardInterrupt):
        run(project)
    interrupted(monkeypatch, 16, lambda: os.kill(os.getpid(), signal.SIGTERM))
    with pytest.raises(StoppedError, match=r"holds 17 of 20 steps .* to resume from there"):
        run(project)
    assert sha256(project / "data/enlarged/manifest.json") == first
    said = capsys.readouterr().err
    assert "flow resumed from step 13 " in said
    run(project)
    assert "flow resumed from step 17 " in capsys.readouterr().err
    assert sha256(project / "data/enlarged/manifest.json") == first
    # What was kept of another fit is not gone on with.
    interrupted(monkeypatch, 9, crash)
    with pytest.raises(KeyboardInterrupt):
        run(project)
    change(project, seed=2, method=METHOD | {"learn_from": "all", "guidance": 2.0})
    run(project)
    said = capsys.readouterr().err
    assert "seed: 1 then, 2 now" in said
    assert "resumed" not in said
    assert sha256(project / "data/enlarged/manifest.json") != first
    flow = read_json(project / "data/enlarged/report.json")["classes"]["circle"]["flow"]
    data, splits = Dataset(project / "data/generated"), read_splits(project / "data/splits")
    assert flow["learned_from"] == len(splits.rows(data, "train"))


def test_what_diverges_or_collapses_ends_with_76_and_writes_nothing(project, monkeypatch):
    first = sha256(project / "data/enlarged/manifest.json")
    change(project, method=METHOD | {"learning_rate": 10.0})
    with pytest.raises(DivergedError, match=r"diverged by step 16: the loss is .*\(try 1\)"):
        run(project)
    change(project, method=METHOD)

    def same(trainer, net, target, names, *, seed):
        yield np.full((len(names), 16, 16, 4), 7, np.uint8)

    monkeypatch.setattr(making, "draw", same)
    with pytest.raises(
        DivergedError, match=r"'circle' by enlarge\.method 'flow' are the same"
    ) as it:
        run(project)
    assert it.value.exit_code == 76
    assert sha256(project / "data/enlarged/manifest.json") == first


def test_without_the_library_it_names_the_extra_before_it_begins(project, monkeypatch):
    monkeypatch.setattr(library, "find_spec", lambda name: None)
    with pytest.raises(DeviceError, match=r"diffusers: pip install 'raresight\[generative\]'"):
        run(project)
    change(project, method={"name": "composites"})
    run(project)
    report = json.loads((project / "data/enlarged/report.json").read_text())
    assert "flow" not in report["classes"]["circle"]
