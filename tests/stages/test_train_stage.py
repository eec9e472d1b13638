"""The train stage in a process of its own: killed, stopped and resumed."""

import csv
import json
import os
import shutil
import signal
import subprocess
import sys

import numpy as np
import pytest
from full_params import full_params
from imports import ROOT
from program import COMMAND, PATIENCE, call, change, invoke, options, wait_for
from ruamel.yaml import YAML
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from raresight.pipeline.commands import diagnose
from raresight.pipeline.core.files import sha256
from raresight.pipeline.models.checkpoint import replicate_folders
from raresight.pipeline.runtime.errors import DataError, DivergedError, StoppedError, UnsafeError
from raresight.pipeline.runtime.installation import install_line
from raresight.pipeline.stages import augment, generate, split, train
from raresight.pipeline.training.loop import Trainer
from raresight.pipeline.wording.diagnosis import describe

KEPT = "data/.resume/replicate-1"


@pytest.fixture(scope="module")
def drawn(tmp_path_factory):
    """A project of 200 tiny images, ready to be trained on."""
    folder = tmp_path_factory.mktemp("drawn")
    yaml = YAML()
    document = full_params()
    classes = ["circle", "square"]
    document["generate"].update(
        image_size=16,
        positive="circle",
        sources=[
            {
                "generator": "shapes",
                "options": {"classes": classes},
                "counts": {"circle": 100, "square": 100},
            }
        ],
    )
    document["augment"]["copies"] = {"circle": 1}
    document["train"].update(epochs=40, batch_size=16, early_stopping=None, threads=1)
    document["train"]["model"].update(width=4, blocks=[1])
    yaml.dump(document, folder / "params.yaml")
    for stage in (generate, augment):
        stage.run(folder / "params.yaml", folder / "data", workers=1)
    split.run(folder / "params.yaml", folder / "data")
    return folder


@pytest.fixture(scope="module")
def undisturbed(drawn, tmp_path_factory):
    folder = tmp_path_factory.mktemp("undisturbed") / "project"
    shutil.copytree(drawn, folder)
    # That it is logged changes no bit: the others, which it is compared with, are not.
    loggers = ("--log", "tensorboard", "--log", "dvclive")
    done = call(*options(folder), "train", "--device", "cpu", *loggers)
    assert done.returncode == 0, done.stderr
    return folder


def live(folder):
    return (folder / "data/live/curves.tsv").read_text()


@pytest.fixture
def project(drawn, tmp_path):
    shutil.copytree(drawn, tmp_path / "project")
    return tmp_path / "project"


def curves(folder):
    """The curves as text, without the one column that is timing."""
    with (folder / "data/training/curves/curves.tsv").open() as file:
        rows = list(csv.DictReader(file, delimiter="\t"))
    for row in rows:
        assert float(row.pop("images_per_second")) > 0
    return rows


def assert_same(one, other):
    weights = "data/model/weights.safetensors"
    assert sha256(one / weights) == sha256(other / weights)
    assert curves(one) == curves(other)
    metrics = "data/training/results.json"
    assert (one / metrics).read_text() == (other / metrics).read_text()


def train_and_kill(project, kills, name):
    """What a training says that is killed so often, and then ends."""
    script = ROOT / "tests/stages/train_and_kill.py"
    done = subprocess.run(
        [sys.executable, script, project / "params.yaml", project / "data", str(kills), name],
        cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True, text=True, check=False, timeout=PATIENCE,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stderr


def test_killed_at_random_moments_it_ends_with_the_same_bits(project, undisturbed):
    said = train_and_kill(project, 6, "replicate-1")
    assert said.count("resumed from epoch") == 6
    assert_same(project, undisturbed)
    assert not (project / "data/.resume").exists()
    assert not list((project / "data").glob(".*.new"))


def test_the_curves_are_in_a_file_and_in_the_loggers_asked_for(undisturbed):
    kept = (undisturbed / "data/training/curves/curves.tsv").read_text()
    assert live(undisturbed) == kept
    rows = list(csv.DictReader(kept.splitlines(), delimiter="\t"))
    (run,) = (undisturbed / "data/live/tensorboard").iterdir()
    events = EventAccumulator(str(run))
    events.Reload()
    assert set(events.Tags()["scalars"]) == {*rows[0]} - {"epoch"}
    for name in ("train_loss", "val_average_precision"):
        told = [float(row[name]) for row in rows]
        seen = events.Scalars(name)
        assert [point.step for point in seen] == list(range(1, len(rows) + 1))
        assert [point.value for point in seen] == pytest.approx(told)
        table = undisturbed / f"data/live/dvclive/1/plots/metrics/{name}.tsv"
        with table.open() as file:
            steps = list(csv.DictReader(file, delimiter="\t"))
        assert [float(row[name]) for row in steps] == pytest.approx(told)
        assert [int(row["step"]) for row in steps] == list(range(1, len(rows) + 1))


def test_a_logger_that_is_not_there_is_refused_before_anything_runs(project, monkeypatch):
    asked = (*options(project), "train", "--log")
    assert "'wandb' is not one of" in invoke(*asked, "wandb").stderr
    monkeypatch.setattr("raresight.pipeline.runtime.live.find_spec", lambda name: None)
    done = invoke(*asked, "tensorboard")
    assert done.exit_code == 78
    assert f"--log tensorboard needs tensorboard: {install_line('tensorboard')}" in done.stderr
    assert not (project / "data/live").exists()


def test_killed_in_its_second_stage_it_resumes_that_one(project, tmp_path):
    stage = {"epochs": 30, "learning_rate": 1e-3}
    change(project / "params.yaml", epochs=2, classifier_retraining=stage)
    shutil.copytree(project, tmp_path / "undisturbed")
    train.run(tmp_path / "undisturbed/params.yaml", tmp_path / "undisturbed/data", device="cpu")
    said = train_and_kill(project, 3, "replicate-1-b")
    assert said.count("resumed from epoch 2, step 0") >= 3  # the first stage is not run again
    assert said.count("replicate-1-b)") == 3
    assert len(curves(project)) == 32
    epochs = [row.split("\t")[0] for row in live(project).splitlines()[1:]]
    assert epochs == [str(number) for number in range(1, 33)]
    assert_same(project, tmp_path / "undisturbed")
    assert not (project / "data/.resume").exists()


def test_stopped_it_keeps_what_it_has_and_resumes_from_there(project, undisturbed):
    process = subprocess.Popen(
        [*COMMAND, *map(str, options(project)), "train", "--device", "cpu"],
        cwd=ROOT, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert wait_for((project / KEPT / "manifest.json").is_file)
    process.send_signal(signal.SIGTERM)
    _, text = process.communicate(timeout=PATIENCE)
    assert process.returncode == 143
    assert "Start again to resume from there." in text.splitlines()[-1]
    assert not (project / "data/model").exists()
    first = [live(folder).splitlines()[1].split("\t")[:-1] for folder in (project, undisturbed)]
    assert first[0] == first[1]  # it was there while it trained
    done = call(*options(project), "train", "--device", "cpu", "--resume", "require")
    assert done.returncode == 0, done.stderr
    assert "resumed from epoch" in done.stderr
    assert_same(project, undisturbed)


@pytest.fixture
def stopped(project):
    """A project whose training was stopped after three steps."""

    def once(self, *arguments, **options):
        fit(self, *arguments, **{**options, "stop_requested": lambda: self.progress.step == 3})

    fit = Trainer.fit
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Trainer, "fit", once)
        with pytest.raises(StoppedError):
            train.run(project / "params.yaml", project / "data", device="cpu")
    return project


def test_another_training_is_not_resumed_and_what_differs_is_named(stopped, capsys):

    change(stopped / "params.yaml", epochs=2)
    manifest = stopped / "data/splits/manifest.json"
    manifest.write_text(manifest.read_text() + "\n")
    arguments = (stopped / "params.yaml", stopped / "data")
    with pytest.raises(DataError, match=r"train\.epochs: 40 then, 2 now") as refused:
        train.run(*arguments, device="cpu", resume="require")
    assert "data.splits: " in str(refused.value)
    assert (stopped / KEPT).is_dir()
    train.run(*arguments, device="cpu")
    assert "starts from the beginning" in (said := capsys.readouterr().err)
    assert "train.epochs: 40 then, 2 now" in said
    assert len(curves(stopped)) == 2


def test_a_tampered_checkpoint_stops_the_stage(stopped):

    path = stopped / KEPT / "tensors.safetensors"
    path.write_bytes(path.read_bytes()[:-1] + b"\1")
    arguments = (stopped / "params.yaml", stopped / "data")
    with pytest.raises(UnsafeError, match="another sha256"):
        train.run(*arguments, device="cpu")
    change(stopped / "params.yaml", epochs=2)
    train.run(*arguments, device="cpu", resume="never")
    assert len(curves(stopped)) == 2


def read(path):
    return json.loads(path.read_text())


def test_replicates_are_trainings_with_other_seeds_and_the_first_is_the_model(project):
    change(project / "params.yaml", epochs=2)
    train.run(project / "params.yaml", project / "data", device="cpu")
    alone = sha256(project / "data/model/weights.safetensors")
    change(project / "params.yaml", num_seeds=3)
    train.run(project / "params.yaml", project / "data", device="cpu")
    folders = replicate_folders(project / "data/model")
    assert [folder.name for folder in folders] == ["model", "replicate-2", "replicate-3"]
    weights = [sha256(folder / "weights.safetensors") for folder in folders]
    assert weights[0] == alone
    assert len(set(weights)) == 3
    metrics = read(project / "data/training/results.json")
    found = metrics["by_seed"]["val_average_precision"]
    cards = [read(folder / "model.json")["val_average_precision"] for folder in folders]
    assert found["values"] == dict(zip("123", cards, strict=True))
    assert found["mean"] == pytest.approx(sum(cards) / 3)
    assert found["spread"] == pytest.approx(np.std(cards, ddof=1))
    assert metrics["val_average_precision"] == cards[0]
    names = {path.name for path in (project / "data/training/curves").glob("*.tsv")}
    assert names == {"curves.tsv", "curves-2.tsv", "curves-3.tsv"}


def test_stopped_in_a_later_replicate_the_earlier_ones_are_not_run_again(project, capsys):
    change(project / "params.yaml", epochs=2, num_seeds=2)
    arguments = (project / "params.yaml", project / "data")
    fit = Trainer.fit

    def second_stops(self, *given, **options):
        stops = {**options, "stop_requested": lambda: self.params.seed > 1000}
        return fit(self, *given, **stops)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Trainer, "fit", second_stops)
        with pytest.raises(StoppedError):
            train.run(*arguments, device="cpu")
    train.run(*arguments, device="cpu", resume="require")
    said = capsys.readouterr().err
    assert "replicate-1" in said.split("resumed from epoch 2, step 0")[1]
    assert "resumed from epoch 0, step 1" in said


def test_the_training_says_what_its_curves_say(project, capsys):
    change(project / "params.yaml", epochs=2)
    train.run(project / "params.yaml", project / "data", device="cpu")
    found = read(project / "data/training/results.json")["diagnosis"]
    assert found["cause"] == "not_converged"
    assert set(found) == {"cause", "numbers"}  # sentences are made where they are shown
    said = describe(found["cause"], found["numbers"])
    assert f"train: {said}" in capsys.readouterr().err
    assert "train.epochs" in said.advice


def test_two_processes_train_as_one_does(project):
    """Each batch is shared out, and batch norm sees all of it: rounding is all that may differ."""
    change(project / "params.yaml", epochs=3)
    yaml = YAML()
    document = yaml.load(project / "params.yaml")
    document["train"]["model"]["dropout"]["hidden"] = 0.0
    yaml.dump(document, project / "params.yaml")
    other = project.with_name("shared")
    shutil.copytree(project, other)
    train.run(project / "params.yaml", project / "data", device="cpu")
    torchrun = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2"]
    done = subprocess.run(
        [*torchrun, "-m", "raresight", *map(str, options(other)), "train", "--device", "cpu"],
        cwd=ROOT, capture_output=True, text=True, check=False, timeout=PATIENCE,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "Warning" not in done.stderr
    assert done.stderr.count("train: wrote") == 1
    for one, two in zip(curves(project), curves(other), strict=True):
        for name, value in one.items():
            assert float(two[name]) == pytest.approx(float(value), rel=1e-3, abs=1e-5), name
    assert read(other / "data/model/fingerprint.json")["processes"] == 2


def test_diagnose_reads_the_curves_of_every_replicate(project):
    change(project / "params.yaml", epochs=2, num_seeds=2)
    train.run(project / "params.yaml", project / "data", device="cpu")
    result = invoke("--json", *options(project), "diagnose")
    assert result.exit_code == 0, result.output
    found = json.loads(result.stdout)
    assert [finding["replicate"] for finding in found] == [1, 2]
    written = read(project / "data/training/results.json")["diagnosis"]
    assert {name: found[0][name] for name in written} == written
    assert "train.epochs" in invoke(*options(project), "diagnose").stdout


def test_diagnose_knows_why_the_last_training_broke_off(project):
    wild = {"name": "sgd", "learning_rate": 10.0, "momentum": 0.9}
    change(project / "params.yaml", optimizer=wild, gradient_clip=None)
    with pytest.raises(DivergedError) as error:
        train.run(project / "params.yaml", project / "data", device="cpu")
    assert error.value.exit_code == 76
    (found,) = diagnose.run(project / "data")
    assert found.cause == "diverged"
    assert found.numbers == error.value.divergence.numbers
    assert f"in epoch {found.numbers['epoch']} " in describe(found.cause, found.numbers).evidence
    assert "lower train.optimizer.learning_rate" in invoke(*options(project), "diagnose").stdout


def test_where_nothing_was_trained_there_is_nothing_to_diagnose(drawn):
    assert invoke(*options(drawn), "diagnose").exit_code == 66


def test_find_lr_suggests_a_rate_and_writes_no_output(project):
    before = sorted(project.rglob("*"))
    plot = project.with_name("search.png")
    result = invoke("--json", *options(project), "find-lr", "--steps", "20", "--plot", plot)
    assert result.exit_code == 0, result.output
    found = json.loads(result.stdout)
    assert f"{found['suggestion']:g}" in found["trials"]
    assert found["largest_stable_rate_of_gradient_descent"] == pytest.approx(2 / found["sharpness"])
    assert plot.read_bytes().startswith(b"\x89PNG")
    assert sorted(project.rglob("*")) == before
