"""Shards of work in local processes; the result never depends on how many."""

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from itertools import islice
from multiprocessing import active_children, get_context
from multiprocessing.process import BaseProcess
from typing import Any, TypeVar

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
    with shards_under_way(work, tasks, workers=workers, executor=executor) as results:
        yield from results


@contextmanager
def shards_under_way(
    work: Callable[[TaskT], ResultT],
    tasks: Sequence[TaskT],
    *,
    workers: int | None = None,
    executor: str = "local",
    ahead: int = _AHEAD,
) -> Iterator[Iterator[ResultT]]:
    """The results of :func:`map_shards`, whose local processes start when the block is entered.

    So they work while the block prepares what it wants the results for. At most ``ahead`` shards a
    worker are under way or wait to be taken. At the end of the block no worker is left.
    """
    workers = min(workers or available_cores(), len(tasks))
    if executor == "ray":
        yield map_on_ray(work, tasks, workers=max(1, workers))
        return
    if workers <= 1:
        yield map(work, tasks)
        return
    others = set(active_children())
    pool = ProcessPoolExecutor(workers, get_context("spawn"), initializer=start_worker)
    try:
        left = iter(tasks)
        with _one_thread_each():  # while the processes start
            begun = deque(pool.submit(work, task) for task in islice(left, ahead * workers))
        yield _in_order(pool, work, begun, left)
    except BrokenProcessPool:
        raise RaresightError(
            "a worker process was killed, most often for want of memory. Use fewer: --workers 1."
        ) from None
    except BaseException:  # interrupted, or a shard failed: nobody wants the shards under way
        _stop(pool, set(active_children()) - others)
        raise
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _stop(pool: Any, processes: Iterable[BaseProcess]) -> None:
    for process in processes:
        process.terminate()
    for process in processes:
        process.join()
    # Whoever was ended in the middle of sending a result has left the pool's thread waiting for the
    # rest of it, and `shutdown` for the thread. Without a writer it sees that nothing comes.
    pool._result_queue._writer.close()


@contextmanager
def _one_thread_each() -> Iterator[None]:
    """Processes are the parallelism here, unless the user has asked for threads in each."""
    unset = [name for name in _THREAD_VARIABLES if name not in os.environ]
    os.environ.update(dict.fromkeys(unset, "1"))
    try:
        yield
    finally:
        for name in unset:
            os.environ.pop(name, None)


def _in_order(
    pool: ProcessPoolExecutor,
    work: Callable[[TaskT], ResultT],
    begun: deque[Future[ResultT]],
    left: Iterator[TaskT],
) -> Iterator[ResultT]:
    """As ``pool.map``, with no more shards under way than have ``begun``: the others' results would
    be memory where whoever asks for them is slower than the workers.
    """
    while begun:
        result = begun.popleft().result()
        begun.extend(pool.submit(work, task) for task in islice(left, 1))
        yield result
