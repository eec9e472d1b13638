"""train.folds: every image of train and val is scored by a model that has not seen it."""

import json
import shutil

import numpy as np
import pytest
from program import change, write_params

from raresight.pipeline.core.files import sha256
from raresight.pipeline.dataset.reader import Dataset
from raresight.pipeline.models import checkpoint
from raresight.pipeline.models.out_of_fold import OutOfFold
from raresight.pipeline.runtime.errors import DataError, StoppedError
from raresight.pipeline.splitting.table import read_splits
from raresight.pipeline.stages import augment, generate, split, train
from raresight.pipeline.training import inputs as inputs_room
from raresight.pipeline.training.loop import Trainer

SOURCE = {
    "generator": "shapes",
    "options": {"classes": ["circle", "square"]},
    "counts": {"circle": 16, "square": 60},
}


@pytest.fixture(scope="module")
def drawn(tmp_path_factory):
    folder = tmp_path_factory.mktemp("drawn")
    write_params(folder / "params.yaml", image_size=16, positive="circle", sources=[SOURCE])
    small = {"name": "small_cnn", "width": 4, "blocks": [1]}
    change(folder / "params.yaml", epochs=4, batch_size=16, model=small, threads=1, folds=3)
    for stage in (generate, augment):
        stage.run(folder / "params.yaml", folder / "data", workers=1)
    split.run(folder / "params.yaml", folder / "data")
    return folder


@pytest.fixture
def project(drawn, tmp_path):
    shutil.copytree(drawn, tmp_path / "project")
    return tmp_path / "project"


def run(project, **options):
    train.run(project / "params.yaml", project / "data", device="cpu", **options)


def found_of(project):
    table = OutOfFold.read(project / "data/model")
    results = json.loads((project / "data/training/results.json").read_text())
    return table, results


def test_all_of_train_and_val_is_held_out_once(project, monkeypatch):
    learned = []
    make = inputs_room.TrainingImages.inputs

    def noted(self, params, rows, device, **judged):
        made = make(self, params, rows, device, **judged)
        names = np.concatenate((self.originals.source_ids, self.copies.source_ids))
        learned.append({*names[made.train.rows].tolist()})
        return made

    monkeypatch.setattr(inputs_room.TrainingImages, "inputs", noted)
    run(project)
    table, results = found_of(project)
    data = Dataset(project / "data/generated")
    splits = read_splits(project / "data/splits")
    rows = np.sort(np.concatenate([splits.rows(data, name) for name in ("train", "val")]))
    assert table.ids.tolist() == data.ids[rows].tolist()
    np.testing.assert_allclose(table.scores.sum(1), 1, atol=1e-5)
    assert table.classes == data.classes
    everything = {*data.ids[rows].tolist()}
    for fold in (1, 2, 3):
        held = {*table.ids[table.folds == fold].tolist()}
        assert learned[fold - 1] == everything - held
    assert learned[3] == everything  # the model itself, for as many epochs as ranked best

    summary = results["folds"]
    assert summary["folds"] == 3
    assert summary["images"] == len(rows)
    positive = data.targets[rows] == data.classes.index("circle")
    assert summary["per_class"]["circle"] == positive.sum()
    assert summary["epoch"] == results["best_epoch"]
    # The quality of the chosen epoch is that of the scores that are kept.
    from sklearn.metrics import average_precision_score

    score = table.scores[:, data.classes.index("circle")]
    precision = average_precision_score(positive, score)
    assert results["val_average_precision"] == pytest.approx(precision)
    card = checkpoint.read_card(project / "data/model")
    assert card.epoch == summary["epoch"]


def test_stopped_in_a_fold_nothing_is_trained_twice(project, tmp_path, capsys):
    change(project / "params.yaml", checkpoint="last", num_seeds=2)
    shutil.copytree(project, tmp_path / "undisturbed")
    run(tmp_path / "undisturbed")
    fit, calls = Trainer.fit, []

    def stops(self, *given, **options):
        calls.append(self)
        second = len(calls) == 2
        wish = {"stop_requested": lambda: self.progress.epoch == 2} if second else {}
        return fit(self, *given, **{**options, **wish})

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Trainer, "fit", stops)
        with pytest.raises(StoppedError):
            run(project)
    assert not (project / "data/model").exists()
    capsys.readouterr()
    run(project, resume="require")
    said = capsys.readouterr().err
    assert said.count("resumed from epoch 4, step 0") == 1
    assert said.count("resumed from epoch 2, step 0") == 1
    assert "3 folds scored" in said
    assert "after the last epoch, 4" in said
    for name in ("weights.safetensors", "out_of_fold.arrow", "replicate-2/weights.safetensors"):
        assert sha256(project / "data/model" / name) == sha256(
            tmp_path / "undisturbed/data/model" / name
        )
    assert not (project / "data/.resume").exists()
    assert [path.name for path in (project / "data/training/curves").glob("*.tsv")] == [
        "curves.tsv"
    ]
    change(project / "params.yaml", folds=None, epochs=2, num_seeds=1)
    run(project)
    assert found_of(project)[0] is None


def test_a_class_that_would_miss_a_fold_is_named(project):
    change(project / "params.yaml", folds=100)
    with pytest.raises(DataError, match=r"train.folds is 100, but 'circle' is in 1\d groups"):
        run(project)
