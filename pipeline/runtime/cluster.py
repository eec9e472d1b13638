"""Shards of work on a Ray cluster: the same function as in local processes, and the same bytes.

Every machine sees the project's folder under the same path (a shared disk): shards are read and
written there, and only their names travel. With ``RAY_ADDRESS`` set the work goes to that cluster,
else to one that is started here for as long as it is needed.
"""

import os
import sys
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from raresight.pipeline.runtime.errors import DeviceError, RaresightError

_AHEAD = 2  # shards that wait for each worker
_RETRIES = 3  # of a shard whose machine or process is lost; what it wrote is written over


def map_on_ray(work: Callable[[Any], Any], tasks: Sequence[Any], *, workers: int) -> Iterator[Any]:
    """Yield ``work(task)`` for every task, in the order of ``tasks``.

    ``workers`` is the number of processes where no cluster is there yet. Raises DeviceError when
    Ray is not installed or does not start, and what a task raised as it was raised. What was under
    way on a machine that is lost is done again on another.
    """
    if find_spec("ray") is None:
        raise DeviceError("--executor ray needs ray: pip install 'raresight[ray]'")
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
    import ray

    ours = not ray.is_initialized()
    if ours:
        _begin(ray, workers)
    try:
        cores = int(ray.cluster_resources().get("CPU", workers))
        yield from _results_in_order(ray, work, tasks, ahead=_AHEAD * max(1, cores))
    except ray.exceptions.RayTaskError as error:
        raise error.cause from None
    except ray.exceptions.RayError as error:
        told = " ".join(str(error).split())
        raise RaresightError(f"Ray gave up a task after {_RETRIES} retries: {told}") from None
    finally:
        if ours:
            ray.shutdown()


def _begin(ray: Any, workers: int) -> None:
    address = os.environ.get("RAY_ADDRESS")
    try:
        ray.init(
            include_dashboard=False, log_to_driver=False, num_cpus=None if address else workers
        )
    except Exception as error:  # Ray raises that class itself where it cannot start, or connect
        told = " ".join(str(error).split())
        way = (
            f"Is the cluster of RAY_ADDRESS={address} there?"
            if address
            else "A busy machine may be too slow for it: try again, or --executor local."
        )
        raise DeviceError(f"Ray did not start: {told} {way}") from None


def _results_in_order(
    ray: Any, work: Callable[[Any], Any], tasks: Sequence[Any], *, ahead: int
) -> Iterator[Any]:
    # One core a shard, and one thread in it: processes are the parallelism here.
    remote = ray.remote(num_cpus=1, max_retries=_RETRIES)(_there)
    here, paths = Path.cwd(), list(sys.path)
    waiting: deque[Any] = deque()
    for task in tasks:
        waiting.append(remote.remote(work, task, here, paths))
        if len(waiting) >= ahead:
            yield ray.get(waiting.popleft())
    while waiting:
        yield ray.get(waiting.popleft())


def _there(work: Callable[[Any], Any], task: Any, folder: Path, paths: Sequence[str]) -> Any:
    """Do the work in the folder that the stage runs in, with the code it runs."""
    os.chdir(folder)
    sys.path.extend(path for path in paths if path not in sys.path)
    return work(task)
