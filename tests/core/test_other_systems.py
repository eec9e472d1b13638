"""macOS and Windows, as far as Linux can stand in for them: what they lack is taken away."""

import ctypes
import os
import signal
import subprocess
import sys
import types

import psutil
import pytest
import torch
from program import PATIENCE, alive, wait_for

from raresight.pipeline.core import files, parallel
from raresight.pipeline.models import device as devices
from raresight.pipeline.runtime import system
from raresight.pipeline.runtime.errors import DeviceError, LockedError
from raresight.pipeline.training.data import feed
from raresight.pipeline.training.runtime.rng_state import EpochRandomness

HIDE = """
import sys
for name in ("fcntl", "resource", "pwd", "grp", "termios"):
    sys.modules[name] = None  # importing it fails, as on Windows
"""


def run(code):
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)


def test_nothing_that_is_loaded_needs_what_windows_lacks():
    """Our modules are loaded without them; what filelock and torch load is theirs."""
    code = f"""
import filelock, psutil, torch, dvc.repo, multiprocessing.context  # with what they need
import concurrent.futures.process, tempfile, subprocess
{HIDE}
from raresight.pipeline import cli
from raresight.pipeline.stages import augment, evaluate, generate, report, split, train
from raresight.pipeline.commands import compare, predict, validate
print("loaded")
"""
    assert run(code).stdout == "loaded\n"


def test_a_lock_is_exclusive_and_let_go(tmp_path):
    path = tmp_path / "deep/.out.lock"
    with (
        files.lock(path),
        pytest.raises(LockedError, match="held by process "),
        files.lock(path),
    ):
        pass
    with files.lock(path):  # free again, also after the error
        pass


def test_without_an_exchanging_rename_folders_are_swapped_in_two_steps(tmp_path, monkeypatch):
    monkeypatch.setattr(files, "c_function", lambda name: None)
    for text in ("first", "second"):
        with files.stage_outputs(tmp_path / "out") as (new,):
            (new / "a.txt").write_text(text)
    assert (tmp_path / "out/a.txt").read_text() == "second"
    assert {path.name for path in tmp_path.iterdir()} <= {"out", ".out.lock"}


def test_where_the_c_library_has_no_name_it_has_no_functions(monkeypatch):
    assert system.c_function("no_such_function") is None

    def refuse(name):
        raise TypeError("expected str")  # Windows

    monkeypatch.setattr(ctypes, "CDLL", refuse)
    assert system.c_function("madvise") is None


def test_windows_flushes_files_opened_for_writing_and_no_folders(tmp_path, monkeypatch):
    opened = []
    real = os.open

    def watched(path, flags):
        opened.append((path, flags))
        return real(path, flags)

    (tmp_path / "a").write_text("a")
    monkeypatch.setattr(os, "open", watched)
    monkeypatch.setattr(system, "WINDOWS", True)
    system.flush(tmp_path / "a")
    system.flush(tmp_path)
    assert opened == [(tmp_path / "a", os.O_RDWR)]


def test_cores_are_counted_where_there_is_no_affinity(monkeypatch):
    monkeypatch.delattr(os, "sched_getaffinity", raising=False)
    assert parallel.available_cores() == os.cpu_count()


def test_a_worker_ends_with_its_parent_without_prctl(tmp_path):
    """A child of a child, which waits for an hour unless the middle one's end ends it."""
    child = """
import time
from raresight.pipeline.runtime import processes
processes.c_function = lambda name: None
processes.end_with_parent()
print("ready", flush=True)
time.sleep(3600)
"""
    middle = f"""
import subprocess, sys, time
child = subprocess.Popen([sys.executable, "-c", {child!r}], stdout=subprocess.PIPE)
child.stdout.readline()
print(child.pid, flush=True)
time.sleep(3600)
"""
    with subprocess.Popen([sys.executable, "-c", middle], stdout=subprocess.PIPE) as process:
        pid = int(process.stdout.readline())
        assert alive(pid)
        process.send_signal(signal.SIGKILL)
    assert wait_for(lambda: not alive(pid), PATIENCE)


def test_free_memory_is_that_of_the_system(monkeypatch):
    told = types.SimpleNamespace(available=12345)
    monkeypatch.setattr(psutil, "virtual_memory", lambda: told)
    assert feed._free_memory(torch.device("cpu")) == 12345
    monkeypatch.setattr(torch.mps, "recommended_max_memory", lambda: 1000)
    monkeypatch.setattr(torch.mps, "driver_allocated_memory", lambda: 300)
    assert feed._free_memory(torch.device("mps")) == 700


def test_an_apple_gpu_is_a_device_where_there_is_one(monkeypatch):
    with pytest.raises(DeviceError, match="no Apple GPU is here"):
        devices.resolve("mps")
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: True)
    assert devices.resolve("mps") == torch.device("mps")
    assert devices.fingerprint(torch.device("mps"), bfloat16=False)["device"] == "mps"
    # It has no float64: such sums are made in main memory.
    there = types.SimpleNamespace(
        device=types.SimpleNamespace(type="mps"), cpu=lambda: torch.tensor([1 / 3])
    )
    assert devices.as_double(there).dtype == torch.float64
    # Its generator is kept and put back with the CPU's.
    states = []
    monkeypatch.setattr(torch.mps, "get_rng_state", lambda: torch.tensor([7]))
    monkeypatch.setattr(torch.mps, "set_rng_state", states.append)
    randomness = EpochRandomness(0, torch.device("mps"), 0)
    with randomness.of(0):
        before = torch.rand(1)
        randomness.keep()
        after = torch.rand(1)
    with randomness.of(0):
        assert torch.rand(1) == after != before
    assert [state.tolist() for state in states] == [[7]]
