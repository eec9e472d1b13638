"""Large libraries, loaded faster."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def without_collecting() -> Iterator[None]:
    """No search for cyclic garbage in the block, which is to import a large library.

    Its modules are made to stay, but each of the searches goes over all of them: with torch they
    are a seventh of the time.
    """
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()
