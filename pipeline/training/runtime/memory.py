"""Out of memory: found out, and answered with a batch size that was tried."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import torch

from raresight.pipeline.runtime.errors import DeviceError


@contextmanager
def shortage_explained(
    batch_size: int,
    device: torch.device,
    attempt: Callable[[int], None],
    *,
    key: str = "train.batch_size",
    smaller: str = "a smaller train.model",
) -> Iterator[None]:
    """Turn out-of-memory in the block into a DeviceError that names a batch size to use.

    ``attempt(n)`` does the work of a step on n images; halves of ``batch_size`` are tried until one
    fits. ``key`` is that of the batch size in params.yaml, ``smaller`` what else would need less.
    """
    try:
        yield
        return
    except (RuntimeError, MemoryError) as error:
        if not is_shortage(error):
            raise
        reason = str(error).splitlines()[0][:200]
    # Outside the except block: an exception in flight holds the frames that hold the memory.
    fits = _largest_that_fits(batch_size // 2, attempt)
    advice = (
        f"Set {key}: {fits} (tried: it fits)."
        if fits
        else f"Not even 2 images fit: take {smaller} or smaller images."
    )
    raise DeviceError(f"out of memory on {device} at {key} {batch_size}: {reason}\n{advice}")


def is_shortage(error: BaseException) -> bool:
    """Whether an exception says that memory ran out, on a GPU or on the CPU."""
    if isinstance(error, (MemoryError, torch.OutOfMemoryError)):
        return True
    return any(said in str(error) for said in _SAID)


# What torch's CPU allocator and the libraries below CUDA say, who raise no type of their own.
_SAID = (
    "can't allocate memory",
    "CUDA error: out of memory",
    "CUBLAS_STATUS_ALLOC_FAILED",
    "CUDNN_STATUS_ALLOC_FAILED",
)


def _largest_that_fits(size: int, attempt: Callable[[int], None]) -> int | None:
    while size >= 2:
        if torch.cuda.is_available():
            torch.cuda.empty_cache()
        try:
            attempt(size)
        except (RuntimeError, MemoryError) as error:
            if not is_shortage(error):
                raise
        else:
            return size
        size //= 2
    return None
