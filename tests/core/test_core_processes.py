"""A process of ours cleans up when it is told to end, and leaves none behind when it is killed."""

import os
import signal
import subprocess
import sys

import pytest
from program import alive, wait_for

from raresight.pipeline.runtime import processes

PATIENCE = 20.0


def start(code, **options):
    return subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, text=True, **options
    )


def gone(pids):
    return wait_for(lambda: not any(map(alive, pids)), PATIENCE)


def test_sigterm_lets_the_process_clean_up():
    process = start(
        "import time\n"
        "from raresight.pipeline.runtime.processes import end_cleanly_when_told as prepare\n"
        "prepare()\n"
        "try:\n    print('ready', flush=True); time.sleep(60)\n"
        "finally:\n    print('cleaned up', flush=True)"
    )
    assert process.stdout.readline() == "ready\n"
    process.terminate()
    assert process.communicate(timeout=PATIENCE)[0] == "cleaned up\n"
    assert process.returncode == 128 + signal.SIGTERM


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_a_signal_is_not_lost_while_a_library_loads(number, code, tmp_path):
    """A module's start-up in C drops what a handler raises; this one drops it in Python."""
    (tmp_path / "library.py").write_text(
        "import time\n"
        "try:\n    print('loads', flush=True); time.sleep(0.5)\n"
        "except BaseException:\n    print('dropped', flush=True)\n"
    )
    process = start(
        "from raresight.pipeline.runtime.processes import end_cleanly_when_told as prepare\n"
        f"import sys, time; sys.path.insert(0, {str(tmp_path)!r}); prepare()\n"
        "try:\n    import library; time.sleep(60)\n"
        "except KeyboardInterrupt:\n    sys.exit(130)"
    )
    assert process.stdout.readline() == "loads\n"
    process.send_signal(number)
    assert process.communicate(timeout=PATIENCE)[0] == ""
    assert process.returncode == code


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_a_signal_is_not_lost_in_a_finalizer_or_a_call_from_c(number, code):
    """Python prints there what a handler raises, and goes on; another error it still prints."""
    process = start(
        "import ctypes, os, sys, time\n"
        "from raresight.pipeline.runtime.processes import end_cleanly_when_told as prepare\n"
        "prepare()\n"
        "@ctypes.CFUNCTYPE(None)\n"
        "def called_from_c():\n    raise ValueError('of another kind')\n"
        "called_from_c()\n"
        "class Held:\n"
        "    def __del__(self):\n"
        f"        os.kill(os.getpid(), {int(number)}); print('not reached')\n"
        "held = Held()\n"
        "try:\n    del held; print('goes on', flush=True); time.sleep(60)\n"
        "except KeyboardInterrupt:\n    sys.exit(130)",
        stderr=subprocess.PIPE,
    )
    printed, errors = process.communicate(timeout=PATIENCE)
    assert process.returncode == code
    assert printed == "goes on\n"
    assert "ValueError: of another kind" in errors
    assert "KeyboardInterrupt" not in errors
    assert "SystemExit" not in errors


CHILD = (
    "import os, time; from raresight.pipeline.runtime.processes import end_with_parent\n"
    "end_with_parent(); print(os.getpid(), flush=True); time.sleep(60)"
)


def test_a_process_ends_when_its_parent_is_killed():
    parent = start(
        "import subprocess, sys\n"
        f"child = subprocess.Popen([sys.executable, '-c', {CHILD!r}])\n"
        "child.wait()"
    )
    child = int(parent.stdout.readline())
    assert alive(child)
    parent.kill()
    parent.communicate()
    assert gone([child])


def test_workers_end_when_their_stage_is_killed():
    parent = start(
        "import time; from raresight.pipeline.core.parallel import map_shards\n"
        "if __name__ == '__main__':\n"
        "    talk = 'import os; os.write(1, b\"%d\\\\n\" % os.getpid())'\n"  # at one go
        "    list(map_shards(exec, [f'{talk};__import__(\"time\").sleep(60)'] * 2, workers=2))"
    )
    workers = [int(parent.stdout.readline()) for _ in range(2)]
    assert len(set(workers)) == 2
    parent.kill()
    parent.communicate()
    assert gone(workers)


def test_a_worker_leaves_ctrl_c_to_its_parent():
    code = (
        "import os, signal; from raresight.pipeline.runtime.processes import start_worker\n"
        "start_worker(); os.kill(os.getpid(), signal.SIGINT); print('still here')"
    )
    process = start(code)
    assert process.communicate(timeout=PATIENCE)[0] == "still here\n"
    assert process.returncode == os.EX_OK


def test_a_stop_that_can_wait_is_asked_for():
    with pytest.raises(SystemExit) as end, processes.stop_when_it_suits() as told:  # noqa: PT012
        assert not told()
        os.kill(os.getpid(), signal.SIGTERM)
        assert told()
    assert end.value.code == 143


def test_a_second_stop_does_not_wait():
    reached = False
    with pytest.raises(SystemExit), processes.stop_when_it_suits():  # noqa: PT012
        os.kill(os.getpid(), signal.SIGTERM)
        os.kill(os.getpid(), signal.SIGTERM)
        reached = True
    assert not reached


def test_after_the_block_a_stop_is_what_it_was():
    before = signal.getsignal(signal.SIGTERM)
    with processes.stop_when_it_suits():
        assert signal.getsignal(signal.SIGTERM) is not before
    assert signal.getsignal(signal.SIGTERM) is before
