"""Checkpoints: what is resumed ends as if undisturbed; what was touched is refused."""

import json
import pickle
from pathlib import Path

import pytest
import torch
from toy_training import DEVICES, trainer

from raresight.pipeline.core.files import write_manifest
from raresight.pipeline.runtime.errors import StoppedError, UnsafeError
from raresight.pipeline.training.runtime import resume

SGD = {"name": "sgd", "learning_rate": 0.01, "momentum": 0.9}
REMEMBERING = {  # all that depends on earlier steps or epochs
    "ema": {"decay": 0.99},
    "mixing": {"name": "mixup", "alpha": 0.5},
    "sampler": {"name": "progressive", "max_per_class": None},
    "shuffle_window": 4,
    "schedule": {
        **{"name": "on_plateau", "interval": "epoch", "warmup": None, "monitor": "val_loss"},
        **{"factor": 0.5, "patience": 0, "min_delta": 0.5, "min_lr_ratio": 0.0},
    },
}
KEY = {"code": {"loop.py": "a" * 64}, "train": {"epochs": 3, "model": {"width": 4}}}


def curves(result):
    """Every column but the one that is timing."""
    return [
        {name: value for name, value in vars(epoch).items() if name != "images_per_second"}
        for epoch in result.epochs
    ]


def stop_after(steps):
    """A ``stop_requested`` that says yes once ``steps`` steps were done."""
    left = iter([False] * steps)
    return lambda: next(left, True)


def run_until(run, stop, folder):
    """Train until ``stop`` says so; True when the training ended by itself."""
    try:
        run.fit(keep=lambda state: resume.save(folder, state, KEY), stop_requested=stop)
    except StoppedError:
        return False
    return True


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize(
    "changes", [{}, {"optimizer": SGD}, REMEMBERING], ids=["adamw", "sgd", "remembering"]
)
def test_stopped_at_every_seventh_step_it_ends_as_if_it_never_was(device, changes, tmp_path):
    changes = {**changes, "epochs": 3, "early_stopping": {"patience": 3, "min_delta": 0.0}}
    undisturbed = trainer(device, **changes).fit()
    stops = 0
    while True:
        again = trainer(device, **changes)
        if kept := resume.load(tmp_path / "state"):
            again.load_state(kept[0])
        if run_until(again, stop_after(6), tmp_path / "state"):
            break
        stops += 1
    assert stops >= 5  # 3 epochs of 13 steps
    assert curves(again.history) == curves(undisturbed)
    assert again.history.best.epoch == undisturbed.best.epoch
    for name, weight in undisturbed.weights.items():
        assert torch.equal(weight, again.history.weights[name]), name


def test_a_finished_training_is_not_run_again(tmp_path):
    first = trainer(epochs=2)
    assert run_until(first, lambda: False, tmp_path / "state")
    again = trainer(epochs=2)
    again.load_state(resume.load(tmp_path / "state")[0])
    steps = []
    result = again.fit(lambda images, epoch: steps.append(images))
    assert not steps
    assert curves(result) == curves(first.history)


def test_a_state_comes_back_as_it_was(tmp_path):
    state = {"a": {0: torch.arange(3), "b": [1.5, None, float("inf"), True]}, "c": {}}
    resume.save(tmp_path / "state", state, KEY)
    loaded, key = resume.load(tmp_path / "state")
    assert key == KEY
    assert torch.equal(loaded["a"].pop(0), state["a"].pop(0))
    assert loaded == state


def test_what_has_no_state_cannot_be_kept(tmp_path):
    with pytest.raises(TypeError, match="cannot hold PosixPath"):
        resume.save(tmp_path / "state", {"a": Path()}, KEY)
    assert not (tmp_path / "state").exists()


def test_where_nothing_was_kept_nothing_is_loaded(tmp_path):
    assert resume.load(tmp_path / "state") is None


class Harm:
    """Leaves a file behind wherever it is unpickled."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return Path.touch, (self.path,)


def flip(folder):
    path = folder / "tensors.safetensors"
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)


def foreign(folder):
    (folder / "tensors.safetensors").write_bytes(pickle.dumps(Harm(folder.parent / "harmed")))
    write_manifest(folder, {})


def edited(folder):
    text = (folder / "state.json").read_text().replace('"epoch": 1', '"epoch": 9')
    (folder / "state.json").write_text(text + " ")


def unlisted(folder):
    (folder / "manifest.json").unlink()


def nonsense(folder):
    (folder / "state.json").write_text(json.dumps({"key": {}, "state": {"tensor": "no such"}}))
    write_manifest(folder, {})


@pytest.mark.parametrize("tamper", [flip, foreign, edited, unlisted, nonsense])
def test_what_was_touched_or_is_foreign_is_never_opened(tamper, tmp_path):
    resume.save(tmp_path / "state", {"epoch": 1, "weights": torch.ones(3)}, KEY)
    tamper(tmp_path / "state")
    with pytest.raises(UnsafeError, match="rm -r") as refused:
        resume.load(tmp_path / "state")
    assert refused.value.exit_code == 77
    assert not (tmp_path / "harmed").exists()


def test_what_differs_is_named():
    now = {"code": {"loop.py": "b" * 64, "new.py": "c" * 64}, "train": {"epochs": 5, "model": {}}}
    found = list(resume.differences(KEY, now))
    assert found == [
        f'code.loop.py: "{"a" * 11}... then, "{"b" * 11}... now',
        f'code.new.py: null then, "{"c" * 11}... now',
        "train.epochs: 3 then, 5 now",
        "train.model.width: 4 then, null now",
    ]


@pytest.mark.parametrize(
    "error", [KeyError("step"), TypeError("no"), RuntimeError("loading state_dict")]
)
def test_a_state_that_fits_nothing_says_what_to_remove(error, tmp_path):
    """By its manifest it is whole, and it is another's."""
    with pytest.raises(UnsafeError, match=r"does not fit(.|\n)*rm -r"), resume.taken_up(tmp_path):
        raise error


def test_memory_that_runs_out_is_no_fault_of_the_state(tmp_path):
    with pytest.raises(torch.OutOfMemoryError), resume.taken_up(tmp_path):
        raise torch.OutOfMemoryError
