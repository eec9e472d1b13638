"""clean: planted faults are found, a person's decisions hold, and train leaves out what it says."""

import shutil
from types import SimpleNamespace

import numpy as np
import pytest
from program import write_params
from ruamel.yaml import YAML

from raresight.pipeline.cleaning import labels
from raresight.pipeline.cleaning.table import left_out, read_cleaning
from raresight.pipeline.core.files import sha256
from raresight.pipeline.dataset.reader import Dataset
from raresight.pipeline.runtime.errors import DataError, DeviceError, InputMissing
from raresight.pipeline.splitting.table import read_splits
from raresight.pipeline.stages import augment, clean, generate, split, train
from raresight.pipeline.training import inputs as inputs_room

# Easy ones, so that what is wrong is what was planted.
SOURCE = {
    "generator": "shapes",
    "options": {
        "classes": ["circle", "star"],
        "size": [0.8, 0.9],
        "contrast": [0.4, 0.45],
        "saturation": [0, 0],
        "lightness": [0.3, 0.45],
        "grounds": ["plain"],
        "clutter": [0, 0],
        "occlusion": [0, 0],
    },
    "counts": {"circle": 60, "star": 300},
    "label_noise": {
        "name": "class_conditional",
        "rates": {"star": {"circle": 0.03}, "circle": {"star": 0.1}},
    },
    "outliers": {"rate": 0.03, "kinds": ["blank", "duplicated"]},
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
        folder / "params.yaml", image_size=16, positive="circle", sources=[SOURCE]
    )
    small = {"name": "small_cnn", "width": 8, "blocks": [1]}
    optimizer = {"name": "adamw", "learning_rate": 0.01}
    change(params, "train", epochs=8, batch_size=32, model=small, threads=1, optimizer=optimizer)
    change(params, "clean", folds=3, labels="drop", outliers="drop")
    for stage in (generate, augment):
        stage.run(params, folder / "data", workers=1)
    split.run(params, folder / "data")
    clean.run(params, folder / "data", device="cpu")
    return folder


@pytest.fixture
def project(drawn, tmp_path):
    shutil.copytree(drawn, tmp_path / "project")
    return tmp_path / "project"


def run(project):
    clean.run(project / "params.yaml", project / "data", device="cpu")
    return read_cleaning(project / "data/cleaning")


def test_planted_faults_are_found_and_scored(drawn):
    cleaning = read_cleaning(drawn / "data/cleaning")
    data = Dataset(drawn / "data/generated")
    learned = read_splits(drawn / "data/splits").rows(data, "train")
    row_of = {id: row for row, id in enumerate(data.ids.tolist())}
    rows = [row_of[one.id] for one in cleaning.findings]
    assert {*rows} <= {*learned.tolist()}  # validation and test are never cleaned
    assert [one.rank for one in cleaning.findings] == [*range(1, len(rows) + 1)]
    assert [one.label for one in cleaning.findings] == data.labels[rows].tolist()

    truth, labels = data.true_labels, data.labels
    kinds = data.factors["corruption"].fillna("").to_numpy()
    why = {row_of[one.id]: one.why for one in cleaning.findings}
    wrong = {row for row in learned.tolist() if labels[row] != truth[row]}
    told = {row for row, text in why.items() if "label" in text or "hidden" in text}
    assert len(wrong) >= 6
    assert len(told & wrong) >= 0.7 * len(wrong)
    assert len(told - wrong) <= 2
    for kind, named in (("blank", "blank"), ("duplicated", "repeated")):
        found = [why[row] for row in learned.tolist() if kinds[row] == kind]
        assert found
        assert all(named in text for text in found)
    assert not {row for row in told if kinds[row] == "blank"}  # there is no label to doubt

    # Rare ones first; what is told of planted faults is what counting gives.
    order = [
        0 if one.why.startswith("hidden") else 1 if one.label == "circle" else 2
        for one in cleaning.findings
        if one.suggested
    ]
    assert order == sorted(order)
    assert 0 in order
    scored = cleaning.summary["planted"]
    circles = {row for row in learned.tolist() if labels[row] == "circle"}
    assert scored["labels"]["circle"] == {
        "images": len(circles),
        "wrong": len(circles & wrong),
        "flagged": len(circles & told),
        "precision": len(circles & wrong & told) / len(circles & told),
        "recall": len(circles & wrong & told) / len(circles & wrong),
        "good_thrown": len((circles - wrong) & told) / len(circles - wrong),
        "hidden": len(hidden := {row for row in wrong if truth[row] == "circle"}),
        "hidden_found": len(hidden & told) / len(hidden),
    }
    assert scored["outliers"]["recall"] == {"blank": 1, "duplicated": 1}
    assert {name: share > 0.8 for name, share in cleaning.summary["agreement"].items()} == {
        "circle": True,
        "star": True,
    }
    dropped = [one for one in cleaning.findings if one.decision == "drop"]
    assert sum(cleaning.summary["dropped"].values()) == len(dropped) > 6
    assert not [*(drawn / "data/.resume").glob("[!.]*")]  # locks alone


def test_nets_that_do_not_know_a_class_are_said_to(capsys):
    targets = np.array([0] * 90 + [1] * 10)
    scores = np.where(targets[:, None] == [0, 1], 0.98, 0.02)
    scores[90:94] = [0.98, 0.02]  # four of ten
    known = labels.Judged(
        targets=targets, scores=scores, votes=scores, rare=np.array([False, True])
    )
    work = SimpleNamespace(originals=SimpleNamespace(classes=("circle", "star")))
    assert clean._agreement(work, known) == {"circle": 1, "star": 0.6}
    said = capsys.readouterr().err
    assert "agree with 60% of the labels 'star'" in said
    assert "'circle'" not in said


def test_train_learns_from_none_that_is_left_out_nor_from_its_copies(project, monkeypatch):
    gone = left_out(project / "data")
    learned = []
    make = inputs_room.TrainingImages.inputs

    def noted(self, params, rows, device, **judged):
        made = make(self, params, rows, device, **judged)
        names = np.concatenate((self.originals.ids, self.copies.source_ids))
        learned.append({*names[made.train.rows].tolist()})
        return made

    monkeypatch.setattr(inputs_room.TrainingImages, "inputs", noted)
    change(project / "params.yaml", "train", epochs=2)
    train.run(project / "params.yaml", project / "data", device="cpu")
    data = Dataset(project / "data/generated")
    rows = read_splits(project / "data/splits").rows(data, "train")
    assert learned == [{*data.ids[rows].tolist()} - {*gone}]


def test_what_was_made_for_other_splits_is_refused(project):
    change(project / "params.yaml", "split", ratios={"train": 0.6, "val": 0.2, "test": 0.2})
    split.run(project / "params.yaml", project / "data")
    with pytest.raises(DataError, match=r"made from another .*splits.* run `raresight clean`"):
        train.run(project / "params.yaml", project / "data", device="cpu")


def test_switched_off_it_writes_an_empty_table_that_any_splits_go_with(project):
    change(project / "params.yaml", "clean", labels=None, outliers=None)
    cleaning = run(project)
    assert (cleaning.findings, cleaning.dropped) == ([], [])
    first = sha256(project / "data/cleaning/manifest.json")
    change(project / "params.yaml", "split", ratios={"train": 0.6, "val": 0.2, "test": 0.2})
    split.run(project / "params.yaml", project / "data")
    run(project)
    assert sha256(project / "data/cleaning/manifest.json") == first
    assert left_out(project / "data") == []


def decide(project, *lines):
    file = project / "decisions.csv"
    file.write_text("\n".join(("id,decision", *lines)) + "\n")
    change(project / "params.yaml", "clean", labels=None, outliers=None, decisions=str(file))
    return file


def test_a_persons_decisions_hold(project):
    table = project / "data/cleaning/table.csv"
    before = read_cleaning(project / "data/cleaning")
    first, second, third = (one.id for one in before.findings[:3])
    data = Dataset(project / "data/generated")
    rows = read_splits(project / "data/splits").rows(data, "train")
    other = next(id for id in data.ids[rows].tolist() if id not in table.read_text())
    decide(project, f"{first},keep", f"{second},drop", f"{third},review", f"{other},drop")
    alone = run(project)
    assert {one.id: (one.why, one.decision) for one in alone.findings} == {
        first: ("decided", "keep"),
        second: ("decided", "drop"),
        other: ("decided", "drop"),
    }
    # The outliers' rules need a net as well, but no second one for what was found before.
    change(project / "params.yaml", "clean", outliers="advise")
    change(project / "params.yaml", "train", epochs=2)
    both = {one.id: one.decision for one in run(project).findings}
    assert both[first] == "keep"
    assert both[other] == "drop"
    assert "review" in both.values()
    # The table itself is such a file.
    shutil.copy(table, project / "decisions.csv")
    change(project / "params.yaml", "clean", outliers=None)
    assert left_out(project / "data") == run(project).dropped


def test_decisions_that_cannot_be_are_refused_together(project):
    data = Dataset(project / "data/generated")
    splits = read_splits(project / "data/splits")
    learned = data.ids[splits.rows(data, "train")[0]]
    tested = data.ids[splits.rows(data, "test")[0]]
    decide(
        project, "nobody,drop", f"{learned},drop", f"{learned},keep", f"{learned},gone",
        f"{tested},drop",
    )  # fmt: skip
    with pytest.raises(DataError) as caught:
        run(project)
    for text in (
        "line 2: no image 'nobody'",
        f"line 4: '{learned}' has two decisions, drop and keep",
        "line 5: 'gone' is no decision",
        f"line 6: '{tested}' is not in train",
    ):
        assert text in str(caught.value)
    decide(project).write_text("id,what\n")
    with pytest.raises(DataError, match="'decision' is missing"):
        run(project)
    (project / "decisions.csv").unlink()
    with pytest.raises(InputMissing, match=r"clean\.decisions names it"):
        run(project)


def test_a_class_with_one_image_to_learn_from_is_said(project, capsys):
    data = Dataset(project / "data/generated")
    rows = read_splits(project / "data/splits").rows(data, "train")
    circles = data.ids[rows][data.labels[rows] == "circle"].tolist()
    decide(project, *(f"{id},drop" for id in circles[1:]))
    change(project / "params.yaml", "clean", labels="drop")
    cleaning = run(project)
    assert cleaning.summary["folds"] is None
    assert "'circle' is in one group of training images" in capsys.readouterr().err
    # Nothing of a class may not be learned from at all.
    decide(project, *(f"{id},drop" for id in circles))
    run(project)
    with pytest.raises(DataError, match="leaves no training image of circle"):
        train.run(project / "params.yaml", project / "data", device="cpu")


def test_without_the_library_the_line_that_installs_it_is_said(project, monkeypatch):
    monkeypatch.setattr(labels, "find_spec", lambda name: None)
    with pytest.raises(DeviceError, match=r"clean.labels needs cleanlab: pip install .*\[clean\]"):
        run(project)
