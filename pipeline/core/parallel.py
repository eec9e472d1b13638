"""Shards of work in local processes; the result never depends on how many."""

import os
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import active_children, get_context
from typing import TypeVar

from raresight.pipeline.runtime.cluster import map_on_ray
from raresight.pipeline.runtime.errors import RaresightError
from raresight.pipeline.runtime.processes import start_worker

TaskT = TypeVar("TaskT")
ResultT = TypeVar("ResultT")

_THREAD_VARIABLES = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
)


_AHEAD = 2  # shards that are under way for each worker, so that no more results wait


def available_cores() -> int:
    """Cores this process may run on (containers and taskset are respected)."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def map_shards(
    work: Callable[[TaskT], ResultT],
    tasks: Sequence[TaskT],
    *,
    workers: int | None = None,
    executor: str = "local",
) -> Iterator[ResultT]:
    """Yield ``work(task)`` for every task, in the order of ``tasks``.

    ``executor`` is ``local`` (processes on this machine) or ``ray``; the results are the same.

    ``work`` must be importable (a module-level function or a partial of one). ``workers=None`` uses
    every core; one worker, or one task, runs in this process. A worker's exception is raised here;
    RaresightError when a worker was killed from outside.
    """
    workers = min(workers or available_cores(), len(tasks))
    if executor == "ray":
        yield from map_on_ray(work, tasks, workers=max(1, workers))
        return
    if workers <= 1:
        yield from map(work, tasks)
        return
    # Processes are the parallelism here, unless the user has asked for threads in each.
    unset = [name for name in _THREAD_VARIABLES if name not in os.environ]
    os.environ.update(dict.fromkeys(unset, "1"))
    others = set(active_children())
    pool = ProcessPoolExecutor(workers, get_context("spawn"), initializer=start_worker)
    try:
        yield from _in_order(pool, work, tasks, ahead=_AHEAD * workers)
    except BrokenProcessPool:
        raise RaresightError(
            "a worker process was killed, most often for want of memory. Use fewer: --workers 1."
        ) from None
    except BaseException:  # interrupted, or a shard failed: nobody wants the shards under way
        for process in set(active_children()) - others:
            process.terminate()
        raise
    finally:
        pool.shutdown(wait=True, cancel_futures=True)
        for name in unset:
            os.environ.pop(name, None)


def _in_order(
    pool: ProcessPoolExecutor,
    work: Callable[[TaskT], ResultT],
    tasks: Sequence[TaskT],
    *,
    ahead: int,
) -> Iterator[ResultT]:
    """As ``pool.map``, with at most ``ahead`` shards under way: the others' results would be memory
    where whoever asks for them is slower than the workers.
    """
    waiting: deque[Future[ResultT]] = deque()
    for task in tasks:
        waiting.append(pool.submit(work, task))
        if len(waiting) >= ahead:
            yield waiting.popleft().result()
    while waiting:
        yield waiting.popleft().result()
