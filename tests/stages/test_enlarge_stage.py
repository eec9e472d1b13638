"""enlarge: made from training images alone, learned from with them, refused for other splits."""

import json
import shutil
from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image
from program import write_params
from ruamel.yaml import YAML
from sklearn.metrics import average_precision_score

from raresight.pipeline.core import space
from raresight.pipeline.core.files import sha256
from raresight.pipeline.core.params import load_section
from raresight.pipeline.dataset.reader import Dataset
from raresight.pipeline.enlarging.composites import contrast
from raresight.pipeline.enlarging.making import least_contrast
from raresight.pipeline.generation.params import Source
from raresight.pipeline.runtime.errors import DataError, DivergedError, OutputError, ParamsError
from raresight.pipeline.splitting.table import read_splits
from raresight.pipeline.stages import augment, clean, enlarge, generate, split
from raresight.pipeline.sweeps import engine
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
    change(
        params,
        "enlarge",
        classes={"circle": 3},
        method={"name": "composites", "surroundings": 2},
    )
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
    assert found["visible"] == 1
    assert [*made.variants[:3]] == [1, 2, 3]
    near = found["nearest"]
    assert {one["id"] for one in near} <= {*made.ids.tolist()}
    assert {one["training"] for one in near} <= {*data.ids[circles].tolist()}
    assert [one["times_usual"] for one in near] == sorted(one["times_usual"] for one in near)


def test_training_learns_from_them_where_it_learns_from_their_parents(project):
    images, params = opened(project)
    made = Dataset(project / "data/enlarged")
    learned = images.rows("train")
    inputs = images.inputs(params, learned, torch.device("cpu"))
    before = len(images.originals) + len(images.copies)
    rows = inputs.train.rows
    assert (rows[rows >= before] - before).tolist() == [*range(len(made))]
    last = inputs.train.images(np.array([len(rows) - 1]))[0]
    assert (last.numpy() == made.images[len(made) - 1]).all()
    assert inputs.train.targets[-1] == images.originals.classes.index("circle")
    parent = np.flatnonzero(images.originals.ids == made.source_ids[0])
    fewer = np.setdiff1d(learned, parent)
    held = images.inputs(params, fewer, torch.device("cpu")).train.rows
    gone = made.source_ids == made.source_ids[0]
    assert (held >= before).sum() == len(made) - gone.sum()


def stand_in(monkeypatch, quality):
    """Trainings that reach what ``quality`` says of the number of made images, noise apart."""
    done = []

    def train(arm, params, data, key, device):
        originals, held = arm.images.originals, arm.images.rows("val")
        positive = originals.targets[held] == originals.classes.index("circle")
        draw = np.random.Generator(np.random.PCG64(arm.seed % 1000))
        # All arms see the same images, some of which are hard whatever is learned.
        hard = np.random.Generator(np.random.PCG64(7)).normal(0, 0.5, len(held))
        parts = {"0.25 real": 0.3, "0.5 real": 0.5}
        better = parts.get(arm.name) or quality[arm.images.made_each]
        scores = hard + positive * better + draw.normal(0, 0.02, len(held))
        done.append((arm.name, arm.seed, len(arm.rows)))
        reached = float(average_precision_score(positive, scores))
        return reached, scores.astype(np.float32)

    monkeypatch.setattr(engine, "_train", train)
    return done


def test_a_sweep_keeps_the_number_that_is_surely_better_and_none_where_none_is(
    project, monkeypatch
):
    change(project / "params.yaml", "enlarge", share="sweep", num_seeds=2)
    done = stand_in(monkeypatch, {0: 0.7, 1: 0.8, 2: 1.7, 3: -0.5})
    enlarge.run(project / "params.yaml", project / "data", device="cpu")
    made = Dataset(project / "data/enlarged")
    assert {*made.variants.tolist()} == {1, 2}
    assert len(done) == 2 * (4 + 2)
    report = json.loads((project / "data/enlarged/report.json").read_text())["sweep"]
    assert (report["chosen"], report["best"]) == (2, 2)
    assert [one["each"] for one in report["tried"]] == [0, 1, 2, 3]
    harmful = report["tried"][3]["gain"]
    assert harmful["high"] < 0
    assert report["worth"]["made"] == len(made)
    assert report["worth"]["real"] > 0
    # Once done it is known, though what it wrote is there now.
    done.clear()
    first = sha256(project / "data/enlarged/manifest.json")
    enlarge.run(project / "params.yaml", project / "data", device="cpu")
    assert not done
    assert sha256(project / "data/enlarged/manifest.json") == first
    # Other images are other trainings, and here no number of them is better than none.
    change(project / "params.yaml", "enlarge", seed=3)
    stand_in(monkeypatch, {0: 0.7, 1: 0.71, 2: 0.6, 3: -0.5})
    enlarge.run(project / "params.yaml", project / "data", device="cpu")
    assert len(Dataset(project / "data/enlarged")) == 0
    report = json.loads((project / "data/enlarged/report.json").read_text())
    assert report["sweep"]["chosen"] == 0
    assert report["classes"]["circle"]["made"] > 0
    assert not (project / "data/.sweep/made").exists()
    change(project / "params.yaml", "generate", positive=None)
    generate.run(project / "params.yaml", project / "data", workers=1)
    augment.run(project / "params.yaml", project / "data", workers=1)
    split.run(project / "params.yaml", project / "data")
    with pytest.raises(ParamsError, match=r"generate\.positive is null"):
        enlarge.run(project / "params.yaml", project / "data", device="cpu")


def test_numbers_of_made_images_are_nested(project):
    images, params = opened(project)
    before = len(images.originals) + len(images.copies)

    def learned(each):
        part = replace(images, made_each=each)
        made = part.inputs(params, part.rows("train"), torch.device("cpu"))
        rows = made.train.rows
        return rows[rows >= before] - before

    found = [learned(each) for each in (0, 1, 2, None)]
    assert [len(one) > 0 for one in found] == [False, True, True, True]
    assert {*found[1].tolist()} < {*found[2].tolist()} < {*found[3].tolist()}
    assert {*images.enlarged.variants[found[2]].tolist()} == {1, 2}


def elsewhere(project, images):
    """Add images of circles that a model made, listed in a table."""
    folder = project / "gan"
    folder.mkdir()
    for number, image in enumerate(images):
        Image.fromarray(image).save(folder / f"{number}.png")
    lines = ["file,label", *(f"{number}.png,circle" for number in range(len(images)))]
    (folder / "gan.csv").write_text("\n".join(lines) + "\n")
    source = {
        "name": "gan", "generator": "table", "options": {"path": str(folder / "gan.csv")},
        "origin": "generated", "splits": ["train"],
    }  # fmt: skip
    params = project / "params.yaml"
    change(params, "generate", sources=[SOURCE, source])
    change(params, "enlarge", classes={})
    for stage in (generate, augment):
        stage.run(params, project / "data", workers=1)
    split.run(params, project / "data")


def test_images_made_elsewhere_are_checked_and_copies_are_called_so(project, capsys):
    data = Dataset(project / "data/generated")
    learned = read_splits(project / "data/splits").rows(data, "train")
    circles = data.images.take(learned[data.labels[learned] == "circle"])
    # A generator that remembers: the training images, a shade brighter so that none is the same.
    elsewhere(project, np.minimum(circles.astype(int) + 1, 255).astype(np.uint8))
    enlarge.run(project / "params.yaml", project / "data")
    data = Dataset(project / "data/generated")
    learned = read_splits(project / "data/splits").rows(data, "train")
    brought = learned[data.source_names[learned] == "gan"]
    assert len(brought) == len(circles)
    assert {*data.origins[brought].tolist()} == {"generated"}
    report = json.loads((project / "data/enlarged/report.json").read_text())
    (found,) = report["elsewhere"]
    assert (found["source"], found["label"], found["made"]) == ("gan", "circle", len(circles))
    assert found["neighbors"]["memorized"] > 0.9
    assert found["seam"] is None
    assert "these are copies" in capsys.readouterr().err
    assert len(Dataset(project / "data/enlarged")) == 0
    # Nothing is made of what was made, nor is it what a check calls real.
    change(project / "params.yaml", "enlarge", classes={"circle": 1})
    enlarge.run(project / "params.yaml", project / "data")
    made = Dataset(project / "data/enlarged")
    assert not {*made.source_ids.tolist()} & {*data.ids[brought].tolist()}


def test_a_generator_that_collapsed_is_refused_and_nothing_is_written(project):
    first = sha256(project / "data/enlarged/manifest.json")
    elsewhere(project, np.full((6, 32, 32, 3), 77, np.uint8))
    with pytest.raises(DivergedError, match="source 'gan' are the same") as caught:
        enlarge.run(project / "params.yaml", project / "data")
    assert caught.value.exit_code == 76
    assert sha256(project / "data/enlarged/manifest.json") == first


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"splits": None}, r"judge nothing. Write `splits: \[train\]`"),
        ({"splits": ["train", "test"]}, "judge nothing"),
        ({"origin": "real"}, "origin"),
    ],
)
def test_what_a_model_made_judges_nothing(changes, said):
    source = {"generator": "folder", "options": {"path": "x"}, "origin": "generated"}
    with pytest.raises(ValueError, match=said):
        Source(**(source | {"splits": ["train"]} | changes))
    with pytest.raises(ValueError, match="'shapes' draws its images"):
        Source(**SOURCE, origin="generated", splits=["train"])


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
    with pytest.raises(DataError, match=r"`augment\.copies` and .* need none"):
        enlarge.run(project / "params.yaml", project / "data")


def test_what_is_asked_for_has_to_have_room(project, monkeypatch):
    """Three of each training circle, of 32 x 32 pixels: about 220 kB."""
    monkeypatch.setattr(space, "free_bytes", lambda path: 200_000)
    splits = read_splits(project / "data/splits")
    dataset = Dataset(project / "data/generated")
    circles = (dataset.labels[splits.rows(dataset, "train")] == "circle").sum()
    told = space.in_words(circles * 3 * 32 * 32 * 3)
    with pytest.raises(OutputError, match=rf"enlarged needs about {told}, .* 200\.0 kB free"):
        enlarge.run(project / "params.yaml", project / "data")
