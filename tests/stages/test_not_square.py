"""Photographs of one's own that are wider than high, from files to the page and to answers."""

import csv
import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from program import invoke

from raresight import load_model
from raresight.pipeline.commands.predict import Options
from raresight.pipeline.commands.predict import run as predict
from raresight.pipeline.dataset import Dataset
from raresight.pipeline.runtime.errors import ParamsError
from raresight.pipeline.stages import augment, evaluate, generate, report, split, train

SHAPE = (16, 24)
READ = {"fit": "crop", "range": "percentile"}


def photographs(root: Path) -> Path:
    """16-bit pictures of 20 x 40 pixels: the ill have a bright square."""
    rng = np.random.default_rng(0)
    for label, count in (("healthy", 30), ("ill", 20)):
        (root / label).mkdir(parents=True)
        for k in range(count):
            values = rng.integers(100, 500, (20, 40)).astype(np.uint16)
            if label == "ill":
                values[6:14, 14:26] = 3000
            Image.fromarray(values).save(root / label / f"{k}.png")
    return root


@pytest.fixture(scope="module")
def project(tmp_path_factory) -> Path:
    """The whole chain, run once."""
    folder = tmp_path_factory.mktemp("wide")
    root = photographs(folder / "raw")
    source = {"generator": "folder", "options": {"path": str(root), **READ}}
    document = {
        "generate": {"image_size": list(SHAPE), "positive": "ill", "sources": [source]},
        "augment": {"copies": {"ill": 1}},
        "split": {"seed": 3},
        "clean": {},
        "enlarge": {},
        "train": {
            "epochs": 2,
            "batch_size": 16,
            "model": {"width": 4, "blocks": [1]},
            "batch_augment": {"flip": "both", "rotation": 20.0, "shift": 1, "crop": 0.9},
        },
        "evaluate": {"num_bootstrap": 100},
        "report": {},
    }
    params, data = folder / "params.yaml", folder / "data"
    params.write_text(json.dumps(document))
    for stage in (generate, augment):
        stage.run(params, data, workers=1)
    for stage in (split, train, evaluate, report):
        stage.run(params, data)
    return folder


def test_every_stage_keeps_height_and_width(project):
    images, copies = (Dataset(project / "data" / name) for name in ("generated", "augmented"))
    assert images.image_shape == copies.image_shape == (*SHAPE, 3)
    assert len(copies) == 20
    card = json.loads((project / "data/model/model.json").read_text())
    assert card["image_shape"] == [*SHAPE, 3]
    assert "<html" in (project / "data/report/index.html").read_text()


def test_new_files_are_read_as_those_that_were_learned_from(project, tmp_path):
    images = Dataset(project / "data/generated")
    (source,) = images.description.sources
    low, high = source["reading"]["range"]
    assert 90 < low < 120
    assert high == 3000
    assert source["options"]["range"] == [low, high]
    assert source["native_sizes"]["typical"] == [20, 40]
    files = [project / "raw" / name for name in images.factors["file"]]
    model = load_model(project / "data/model")
    read = model.read(files)
    assert (read == images.images[:]).all()
    predict([str(project / "raw")], Options(model=project / "data/model", out=tmp_path / "p.csv"))
    with (tmp_path / "p.csv").open() as table:
        answers = {Path(row["file"]): row for row in csv.DictReader(table)}
    scores = model.predict(read)
    for file, score in zip(files, scores, strict=True):
        assert float(answers[file]["score.ill"]) == pytest.approx(score[1], abs=1e-5)


def test_several_ways_of_reading_ask_which(project, tmp_path):
    model = tmp_path / "data/model"
    card = json.loads((project / "data/model/model.json").read_text())
    other = {"fit": "pad", "crop_to": None, "range": "dtype"}
    folder = load_model(project / "data/model")._predictor.opened
    card["readings"]["phone"] = other
    object.__setattr__(folder, "card", card)
    with pytest.raises(ParamsError, match=r"phone: fit pad(.|\n)*`--like NAME` says which"):
        folder.reading()
    assert folder.reading("phone").as_json() == other
    with pytest.raises(ParamsError, match=r"no source 'phones'. Did you mean 'phone'"):
        folder.reading("phones")
    assert not model.exists()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"batch_augment": {"rotate90": True}}, "only square images can be turned by a quarter"),
        ({"batch_augment": {"shift": 16}}, "must be less than generate.image_size (16)"),
    ],
)
def test_what_needs_squares_is_refused(project, tmp_path, change, message):
    document = json.loads((project / "params.yaml").read_text())
    document["train"] |= change
    params = tmp_path / "params.yaml"
    params.write_text(json.dumps(document))
    done = invoke("--params", str(params), "validate")
    assert done.exit_code == 2
    assert message in done.stderr


def test_drawn_images_and_transformers_take_squares(tmp_path):
    params = tmp_path / "params.yaml"
    section = {"image_size": [16, 24], "sources": [{"generator": "shapes", "counts": {"star": 1}}]}
    params.write_text(json.dumps({"generate": section}))
    with pytest.raises(ParamsError, match="'shapes' draws square images"):
        generate.run(params, tmp_path / "data")
    section["image_size"] = [16, 16]
    params.write_text(json.dumps({"generate": section}))
    assert Dataset(generate.run(params, tmp_path / "data", workers=1)).image_shape == (16, 16, 3)
