"""The result of a map never depends on the number of workers."""

import math
import operator
import os
import time
from multiprocessing import active_children

import pytest

from raresight.pipeline.core.parallel import available_cores, map_shards, shards_under_way
from raresight.pipeline.runtime.errors import RaresightError


@pytest.mark.parametrize("workers", [1, 2, 8, None])
def test_results_come_in_the_order_of_the_tasks(workers):
    assert list(map_shards(operator.neg, range(5), workers=workers)) == [0, -1, -2, -3, -4]


@pytest.mark.parametrize("workers", [1, 2])
def test_no_task_is_no_result(workers):
    assert list(map_shards(operator.neg, [], workers=workers)) == []


@pytest.mark.parametrize("workers", [1, 2])
def test_the_error_of_a_task_is_raised_here(workers):
    with pytest.raises(ValueError, match=r"domain|nonnegative"):
        list(map_shards(math.sqrt, [1.0, -1.0], workers=workers))


def test_after_an_error_nobody_waits_for_the_shards_under_way():
    commands = ["1 / 0", "__import__('time').sleep(600)"]
    with pytest.raises(ZeroDivisionError):  # within the test's own patience
        list(map_shards(eval, commands, workers=2))
    assert not active_children()


def test_the_first_shards_are_under_way_before_they_are_asked_for(tmp_path, monkeypatch):
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    written = [str(tmp_path / str(number)) for number in range(9)]
    with shards_under_way(os.mkdir, written, workers=2, ahead=2) as results:
        deadline = time.monotonic() + 60
        while len(os.listdir(tmp_path)) < 4 and time.monotonic() < deadline:
            time.sleep(0.01)
        assert sorted(os.listdir(tmp_path)) == ["0", "1", "2", "3"]  # and no more than those
        assert "OMP_NUM_THREADS" not in os.environ  # what the block loads may use all cores
        assert len(list(results)) == 9
    assert not active_children()
    with (
        pytest.raises(KeyError),
        shards_under_way(eval, ["__import__('time').sleep(600)"] * 2, workers=2),
    ):
        raise KeyError  # what the block prepared failed, and nobody waits for the shards
    assert not active_children()


def test_nobody_waits_for_a_result_of_which_a_part_was_sent():
    large = [50_000_000] * 4  # more than a pipe holds
    results = map_shards(bytes, large, workers=2)
    assert len(next(results)) == large[0]
    results.close()
    assert not active_children()


def test_several_workers_are_other_processes_and_one_is_this():
    parent = "__import__('os').getppid()"
    assert list(map_shards(eval, [parent] * 2, workers=1)) == [os.getppid()] * 2
    assert list(map_shards(eval, [parent] * 2, workers=2)) == [os.getpid()] * 2


def test_a_worker_that_is_killed_is_explained():
    with pytest.raises(RaresightError, match="--workers 1"):
        list(map_shards(os._exit, [1, 1], workers=2))


def test_the_thread_settings_of_this_process_come_back(monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    monkeypatch.delenv("MKL_NUM_THREADS", raising=False)
    list(map_shards(operator.neg, [1, 2], workers=2))
    assert os.environ["OMP_NUM_THREADS"] == "3"
    assert "MKL_NUM_THREADS" not in os.environ


@pytest.mark.parametrize(("asked", "threads"), [(None, "1"), ("3", "3")])
def test_a_worker_computes_with_one_thread_unless_more_are_asked_for(monkeypatch, asked, threads):
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    if asked:
        monkeypatch.setenv("OMP_NUM_THREADS", asked)
    assert list(map_shards(os.getenv, ["OMP_NUM_THREADS"] * 2, workers=2)) == [threads] * 2


def test_cores_are_those_this_process_may_use():
    assert available_cores() == len(os.sched_getaffinity(0))
