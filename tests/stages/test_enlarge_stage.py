"""enlarge: made from training images alone, learned from with them, refused for other splits."""

import json
import shutil

import numpy as np
import pytest
import torch
from program import write_params
from ruamel.yaml import YAML

from raresight.pipeline.core.files import sha256
from raresight.pipeline.core.params import load_section
from raresight.pipeline.dataset.reader import Dataset
from raresight.pipeline.enlarging.composites import contrast
from raresight.pipeline.enlarging.making import least_contrast
from raresight.pipeline.runtime.errors import DataError, ParamsError
from raresight.pipeline.splitting.table import read_splits
from raresight.pipeline.stages import augment, clean, enlarge, generate, split
from raresight.pipeline.training.inputs import open_images
from raresight.pipeline.training.params import TrainParams

SOURCE = {
    "generator": "shapes",
    "options": {"classes": ["circle", "square"], "size": [0.2, 0.4]},
    "counts": {"circle": 60, "square": 120},
}


def change(path, section, **values):
    yaml = YAML()
    document = yaml.load(path)
    document[section].update(values)
    yaml.dump(document, path)


@pytest.fixture(scope="module")
def drawn(tmp_path_factory):
    folder = tmp_path_factory.mktemp("drawn")
    params = write_params(
        folder / "params.yaml", image_size=32, positive="circle", sources=[SOURCE]
    )
    change(params, "split", ratios={"train": 0.4, "val": 0.5, "test": 0.1})
    change(params, "enlarge", classes={"circle": 3}, surroundings=2)
    for stage in (generate, augment):
        stage.run(params, folder / "data", workers=1)
    split.run(params, folder / "data")
    enlarge.run(params, folder / "data")
    return folder


@pytest.fixture
def project(drawn, tmp_path):
    shutil.copytree(drawn, tmp_path / "project")
    return tmp_path / "project"


def opened(project):
    params = load_section(project / "params.yaml", "train", TrainParams)
    images = open_images(project / "params.yaml", params, project / "data")
    return images, params


def test_parents_are_training_images_and_labels_are_seen(drawn):
    data, made = Dataset(drawn / "data/generated"), Dataset(drawn / "data/enlarged")
    learned = read_splits(drawn / "data/splits").rows(data, "train")
    circles = learned[data.labels[learned] == "circle"]
    ids = {*data.ids[learned].tolist()}
    assert len(made) > 2 * len(circles)
    assert {*made.source_ids.tolist()} <= {*data.ids[circles].tolist()}
    assert {*made.column("factor.ground", range(len(made)))} <= ids - {*made.source_ids.tolist()}
    assert {*made.labels.tolist()} == {"circle"}
    assert {*made.origins.tolist()} == {"generated"}
    least = least_contrast(data, circles)
    seen = [contrast(made.images[row], made.masks[row]) for row in range(len(made))]
    assert min(seen) >= least > 0
    report = json.loads((drawn / "data/enlarged/report.json").read_text())
    found = report["classes"]["circle"]
    assert (found["asked"], found["made"]) == (3 * len(circles), len(made))
    assert found["held_out"] == 30
    assert found["neighbors"]["memorized"] < 0.5
    assert 0 <= found["seam"] <= 1


def test_training_learns_from_them_where_it_learns_from_their_parents(project):
    images, params = opened(project)
    made = Dataset(project / "data/enlarged")
    learned = images.rows("train")
    inputs = images.inputs(params, learned, images.rows("val"), torch.device("cpu"))
    before = len(images.originals) + len(images.copies)
    rows = inputs.train.rows
    assert (rows[rows >= before] - before).tolist() == [*range(len(made))]
    last = inputs.train.images(np.array([len(rows) - 1]))[0]
    assert (last.numpy() == made.images[len(made) - 1]).all()
    assert inputs.train.targets[-1] == images.originals.classes.index("circle")
    parent = np.flatnonzero(images.originals.ids == made.source_ids[0])
    fewer = np.setdiff1d(learned, parent)
    held = images.inputs(params, fewer, images.rows("val"), torch.device("cpu")).train.rows
    gone = made.source_ids == made.source_ids[0]
    assert (held >= before).sum() == len(made) - gone.sum()


def test_what_a_person_left_out_is_no_parent_and_other_splits_are_refused(project):
    first = str(Dataset(project / "data/enlarged").source_ids[0])
    file = project / "decisions.csv"
    file.write_text(f"id,decision\n{first},drop\n")
    change(project / "params.yaml", "clean", decisions=str(file))
    clean.run(project / "params.yaml", project / "data")
    enlarge.run(project / "params.yaml", project / "data")
    assert first not in Dataset(project / "data/enlarged").source_ids
    change(project / "params.yaml", "split", ratios={"train": 0.5, "val": 0.4, "test": 0.1})
    split.run(project / "params.yaml", project / "data")
    with pytest.raises(DataError, match=r"made for other splits .* Run `raresight enlarge` again"):
        opened(project)
    # Switched off, any splits will do, and the bytes are the same.
    change(project / "params.yaml", "enlarge", classes={})
    enlarge.run(project / "params.yaml", project / "data")
    assert opened(project)[0].enlarged is not None
    assert len(Dataset(project / "data/enlarged")) == 0


def test_same_params_same_bytes(project):
    before = sha256(project / "data/enlarged/manifest.json")
    enlarge.run(project / "params.yaml", project / "data")
    assert sha256(project / "data/enlarged/manifest.json") == before
    change(project / "params.yaml", "enlarge", seed=2)
    enlarge.run(project / "params.yaml", project / "data")
    assert sha256(project / "data/enlarged/manifest.json") != before


def test_without_masks_or_the_class_it_says_what_else_there_is(project, monkeypatch):
    change(project / "params.yaml", "enlarge", classes={"circel": 2})
    with pytest.raises(ParamsError, match=r"no class 'circel'. Did you mean 'circle'"):
        enlarge.run(project / "params.yaml", project / "data")
    change(project / "params.yaml", "enlarge", classes={"circle": 2})
    monkeypatch.setattr(Dataset, "masks", None)
    with pytest.raises(DataError, match=r"`augment\.copies` needs none"):
        enlarge.run(project / "params.yaml", project / "data")
