"""OpenGL without a screen: whether it works here, and whether a frame shows anything.

Both engines go through EGL, the NVIDIA driver's where there is one and Mesa's software renderer
else. A driver that fails can end the whole process, so it is tried in a process of its own first.
"""

import atexit
import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable
from functools import cache

import numpy as np

from raresight.generators.base import Unavailable

DEBIAN = "apt-get install -y --no-install-recommends libegl1 libgl1 libgl1-mesa-dri"

# Mesa's renderer draws with threads, which do not survive a fork: later ones would hang for ever.
# Without them the pixels are the same, and processes are the parallelism here. MuJoCo reads its
# variable on import; beside another engine's EGL its OSMesa gives wrong pictures without a word.
ENVIRONMENT = {"LP_NUM_THREADS": "0", "MUJOCO_GL": "egl"}

_PATIENCE = 120
_LEAST_CONTRAST = 6  # grey levels between the darkest and the brightest pixel of a frame


def prepare() -> None:
    """Set what the engines read when they are first imported; call it before."""
    os.environ.update(ENVIRONMENT)


_open: list[Callable[[], None]] = []


def close_at_exit(close: Callable[[], None]) -> None:
    """Have an engine closed when the process ends, before any library ends EGL itself.

    MuJoCo ends it for the whole process, by an exit handler of its own; handlers run in reverse
    order, so ours is registered anew after each engine's import.
    """
    _open.append(close)
    atexit.unregister(_close_all)
    atexit.register(_close_all)


def _close_all() -> None:
    while _open:
        _open.pop()()


def require(who: str, *, probe: str) -> str:
    """Name and version of the OpenGL renderer that ``who`` will draw with.

    ``probe`` is a module with a function ``probe()`` that draws one frame and returns that text.
    Raises Unavailable, with what to install, where nothing can be drawn.
    """
    renderer, problem = _try(probe)
    if problem:
        raise Unavailable(
            f"{who} cannot draw: OpenGL does not work here ({problem}). "
            f"On Debian or Ubuntu: {DEBIAN}"
        )
    return renderer


@cache
def _try(probe: str) -> tuple[str, str]:
    """The renderer, or else what went wrong; a crash ends only the process of the trial."""
    code = f"from {probe} import probe; print(probe())"
    paths = os.pathsep.join(path or os.getcwd() for path in sys.path)
    environment = {**os.environ, **ENVIRONMENT, "PYTHONPATH": paths}
    try:
        done = subprocess.run(
            [sys.executable, "-c", code],
            env=environment, capture_output=True, text=True, check=False, timeout=_PATIENCE,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        return "", f"no answer in {_PATIENCE} s"
    if done.returncode < 0:
        return "", f"the trial ended with {signal.Signals(-done.returncode).name}"
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["no message"])[-1]
        return "", re.sub(r"^[\w.]+: ", "", last).rstrip(".")  # without the exception's name
    return done.stdout.strip().splitlines()[-1], ""


def check_frame(what: str, image: np.ndarray, instances: np.ndarray) -> None:
    """Raise Unavailable where a frame is of one colour, or shows no object that could be labelled.

    A driver that lost its context, or two that disturb each other, return such frames without an
    error. ``image`` is uint8 (H, W, 3), ``instances`` (H, W) with 0 where no object is.
    """
    contrast = int(image.max()) - int(image.min())
    if contrast < _LEAST_CONTRAST:
        raise Unavailable(f"{what}: the engine drew a blank frame (contrast {contrast} of 255).")
    if not instances.any():
        raise Unavailable(f"{what}: the engine drew a frame without a single labelled object.")
