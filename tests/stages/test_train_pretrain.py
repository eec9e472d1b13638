"""train.pretrain: a first phase on drawn images, then the recipe on the others, in one stage."""

import csv
import json
import shutil

import numpy as np
import pytest
import torch
from program import change, write_params

from raresight.pipeline.commands import diagnose, schedule
from raresight.pipeline.core.files import sha256
from raresight.pipeline.core.params import load_section
from raresight.pipeline.models import checkpoint
from raresight.pipeline.runtime.errors import ParamsError, StoppedError
from raresight.pipeline.stages import augment, generate, split, train
from raresight.pipeline.training.inputs import open_images, open_inputs
from raresight.pipeline.training.loop import Trainer
from raresight.pipeline.training.params import TrainParams

FIRST = {"sources": ["drawn"], "epochs": 3}
REAL, DRAWN = 30, 60  # of each class


def source(name, count, **changes):
    found = {"name": name, "generator": "shapes", "options": {"classes": ["circle", "square"]}}
    return {**found, "counts": {"circle": count, "square": count}, **changes}


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Few images stand for real ones, and many, which are in train alone, for drawn ones."""
    folder = tmp_path_factory.mktemp("made")
    params, data = folder / "params.yaml", folder / "data"
    empty = source("empty", 4, splits=["test"])
    one = source("one", 4, splits=["train"], counts={"circle": 4, "square": 0})
    drawn = source("drawn", DRAWN, splits=["train"])
    sources = [source("real", REAL), drawn, empty, one]
    write_params(params, image_size=16, positive="circle", sources=sources)
    small = {"name": "small_cnn", "width": 4, "blocks": [1]}
    change(params, epochs=4, batch_size=16, model=small, threads=1, pretrain=FIRST)
    change(params, early_stopping=None, ema={"decay": 0.9}, checkpoint="best")
    for stage in (generate, augment):
        stage.run(params, data, workers=1)
    split.run(params, data)
    return folder


@pytest.fixture
def project(made, tmp_path):
    shutil.copytree(made, tmp_path / "project")
    return tmp_path / "project"


def run(project, **options):
    train.run(project / "params.yaml", project / "data", device="cpu", **options)


def curves(project):
    with (project / "data/training/curves/curves.tsv").open() as file:
        rows = list(csv.DictReader(file, delimiter="\t"))
    for row in rows:
        del row["images_per_second"]
    return rows


def section(project):
    return load_section(project / "params.yaml", "train", TrainParams)


def test_each_phase_learns_from_its_images_and_both_are_judged_alike(project):
    params = section(project)
    images = open_images(project / "params.yaml", params, project / "data")
    feeds = open_inputs(project / "params.yaml", params, project / "data", torch.device("cpu"))
    names = np.concatenate((images.originals.source_ids, images.copies.source_ids))
    first, then = (names[feed.rows].tolist() for feed in (feeds.pretrain, feeds.train))
    assert len(first) == 3 * DRAWN  # a copy of each circle
    assert {name.split("-")[0] for name in first} == {"drawn"}
    assert {name.split("-")[0] for name in then} == {"real", "one"}
    later = images.originals.images.take(feeds.train.rows[feeds.train.rows < len(images.originals)])
    np.testing.assert_allclose(feeds.mean, later.reshape(-1, 3).mean(0), rtol=1e-6)

    trainings = []
    fit = Trainer.fit

    def watched(self, *given, **options):
        trainings.append(self)
        before = {name: weight.clone() for name, weight in self.model.state_dict().items()}
        history = fit(self, *given, **options)
        self.began, self.kept = before, history.weights
        return history

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Trainer, "fit", watched)
        run(project)
    one, two = trainings
    assert (len(one.train_feed), len(two.train_feed)) == (len(first), len(then))
    assert one.validation.feed is two.validation.feed
    for name, weight in one.kept.items():
        assert torch.equal(weight, two.began[name]), name  # of the moving average

    rows = curves(project)
    assert [int(row["epoch"]) for row in rows] == list(range(1, 8))
    results = json.loads((project / "data/training/results.json").read_text())
    assert results["pretrain"] == {**FIRST, "images": len(first)}
    quality = [float(row["val_average_precision"]) for row in rows[3:]]
    assert results["best_epoch"] == 4 + int(np.argmax(quality))  # one of the recipe's
    card = checkpoint.read_card(project / "data/model")
    assert card.pretrain == results["pretrain"]
    assert card.epoch == results["best_epoch"]
    assert vars(diagnose.run(project / "data")[0])["cause"] == results["diagnosis"]["cause"]
    assert results["diagnosis"]["numbers"].get("epochs", 4) == 4  # judged by the recipe's alone

    drawn = schedule.run(project / "params.yaml", project / "data", plot=None, steps_per_epoch=None)
    assert drawn.steps_per_epoch == two.steps_per_epoch
    assert len(drawn.rates) == 3 * one.steps_per_epoch + 4 * two.steps_per_epoch
    ends = np.array([3 * one.steps_per_epoch, len(drawn.rates)]) - 1
    told = [float(rows[epoch - 1]["learning_rate"]) for epoch in (3, 7)]
    np.testing.assert_allclose(np.array(drawn.rates)[ends], told)
    assert drawn.epochs[ends[0] + 1] == 3
    assert "after 3 epochs of pretraining" in drawn.note


def test_stopped_in_any_phase_it_ends_with_the_same_bits(project, tmp_path, capsys):
    change(project / "params.yaml", classifier_retraining={"epochs": 2, "learning_rate": 1e-3})
    shutil.copytree(project, tmp_path / "undisturbed")
    run(tmp_path / "undisturbed")
    fit = Trainer.fit
    for phase, place in ((1, (1, 2)), (2, (2, 1)), (3, (1, 0))):
        began = []

        def stopped(self, *given, began=began, phase=phase, place=place, **options):
            began.append(self)

            def stop():
                at = self.progress
                return len(began) == phase and (at.epoch, at.step) == place

            return fit(self, *given, **{**options, "stop_requested": stop})

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(Trainer, "fit", stopped)
            with pytest.raises(StoppedError):
                run(project)
    run(project, resume="require")
    said = capsys.readouterr().err.splitlines()
    resumed = [line.split("resumed from ")[1].split(" (")[0] for line in said if "resumed" in line]
    assert resumed == [
        *["epoch 1, step 2"],
        *["epoch 3, step 0", "epoch 2, step 1"],
        *["epoch 3, step 0", "epoch 4, step 0", "epoch 1, step 0"],
    ]
    weights = "data/model/weights.safetensors"
    assert sha256(project / weights) == sha256(tmp_path / "undisturbed" / weights)
    assert curves(project) == curves(tmp_path / "undisturbed")
    assert len(curves(project)) == 3 + 4 + 2
    assert not (project / "data/.resume").exists()


def test_with_folds_every_training_has_its_first_phase(project):
    change(project / "params.yaml", folds=2, epochs=2)
    run(project)
    results = json.loads((project / "data/training/results.json").read_text())
    assert [int(row["epoch"]) for row in curves(project)] == [1, 2, 3, 4, 5]
    assert results["folds"]["epoch"] in (4, 5)  # chosen among the recipe's
    assert checkpoint.read_card(project / "data/model").epoch == results["folds"]["epoch"]


def test_every_seed_has_its_first_phase(project):
    change(project / "params.yaml", num_seeds=2, epochs=2)
    run(project)
    cards = [
        checkpoint.read_card(one) for one in checkpoint.replicate_folders(project / "data/model")
    ]
    assert len({card.seed for card in cards}) == 2
    assert all(card.epoch in (4, 5) for card in cards)  # chosen among the recipe's
    results = json.loads((project / "data/training/results.json").read_text())
    assert len(results["by_seed"]["val_average_precision"]["values"]) == 2


@pytest.mark.parametrize(
    ("sources", "told"),
    [
        (["darwn"], r"sources\[0\]: no source 'darwn'\. Did you mean 'drawn'"),
        (["drawn", "empty"], r"sources\[1\]: source 'empty' has no images in train"),
        (["one"], "all of 'circle'"),
        (["drawn", "real", "one"], "nothing is left to go on with"),
        (["drawn", "real"], "no other source has images of 'square'"),
    ],
)
def test_what_cannot_be_two_phases_is_refused(project, sources, told):
    change(project / "params.yaml", pretrain={**FIRST, "sources": sources})
    with pytest.raises(ParamsError, match=told):
        run(project)


@pytest.mark.parametrize(
    ("knobs", "told"),
    [
        ({"source_weights": {"drawn": 0.5}}, "both name 'drawn'"),
        ({"pretrain": None, "source_weights": {"empty": 0.5}}, "weights.empty: source 'empty' has"),
    ],
)
def test_a_share_of_what_is_not_shown_is_refused(project, knobs, told):
    change(project / "params.yaml", **knobs)
    with pytest.raises(ParamsError, match=told):
        run(project)
