"""The GPU's benchmark runs on a CPU: what it asks holds there, and it tells what does not."""

import json

import pytest
import torch

from benchmarks import gpu, gpu_checks
from raresight.pipeline.training.optim.losses import LOSSES

CPU = torch.device("cpu")


@pytest.fixture
def few(monkeypatch):
    """Few images, so that each of some twenty trainings takes a moment."""
    small = {**gpu_checks._SMALL, "epochs": 2, "batch_size": 8}  # 16 steps an epoch
    for name, value in {"_SIDE": 12, "_IMAGES": 128, "_JUDGED": 32, "_SMALL": small}.items():
        monkeypatch.setattr(gpu_checks, name, value)
    torch.set_num_threads(1)


def test_what_is_asked_holds_on_a_cpu(few):
    found = {one.name: one for one in gpu_checks.checks(CPU, compiled=False)}
    assert {f"loss {name}, as on the CPU" for name in LOSSES} < set(found)
    assert [one for one in found.values() if one.holds is False] == []
    assert [name for name, one in found.items() if one.holds is None] == [
        "no step waits for the device"
    ]


def test_what_does_not_hold_is_told_and_the_rest_is_asked(few, monkeypatch):
    def broken(device, **changes):
        raise RuntimeError("no kernel image\nis available")

    monkeypatch.setattr(gpu_checks, "_alike", broken)
    found = {one.name: one for one in gpu_checks.checks(CPU)}
    assert found["compiled, as on the CPU"].told == "RuntimeError: no kernel image is available"
    assert found["stopped and resumed, to the bit"].holds


def test_it_times_an_epoch_and_keeps_its_trace(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(gpu, "_NETS", {"default network": {"name": "small_cnn", "width": 4}})
    monkeypatch.setattr(gpu, "checks", lambda device, compiled: [])
    monkeypatch.setattr(gpu, "chain", lambda folder, images: [])
    asked = ["--device", "cpu", "--side", "16", "--timed", "48", "--rounds", "1"]
    gpu.main([*asked, "--out", str(tmp_path), "--json", str(tmp_path / "found.json")])
    (row,) = json.loads((tmp_path / "found.json").read_text())["timed"]
    assert row["images"] == 48
    assert min(row["ours"], row["loader"], row["batch"]) > 0
    assert row["busy"] is None  # a CPU has no queue of kernels
    assert json.loads((tmp_path / "default-network-16.json").read_text())["traceEvents"]
    assert "default network, 16 pixels, float32" in capsys.readouterr().out
