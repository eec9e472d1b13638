"""Out of memory ends with a batch size that was tried; other errors are left alone."""

import pytest
import torch

from raresight.pipeline.runtime.errors import DeviceError
from raresight.pipeline.training.runtime.memory import shortage_explained

CPU = torch.device("cpu")


def attempt_of(room):
    """Work that has room for ``room`` images."""
    tried = []

    def attempt(images):
        tried.append(images)
        if images > room:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB")

    return attempt, tried


def test_the_message_names_the_largest_half_that_fits():
    attempt, tried = attempt_of(40)
    with (
        pytest.raises(DeviceError, match=r"train\.batch_size: 32 ") as error,
        shortage_explained(128, CPU, attempt),
    ):
        attempt(128)
    assert tried == [128, 64, 32]
    assert error.value.exit_code == 78


def test_where_nothing_fits_it_says_so():
    attempt, _ = attempt_of(1)
    with (
        pytest.raises(DeviceError, match="Not even 2 images fit"),
        shortage_explained(8, CPU, attempt),
    ):
        attempt(8)


def test_the_cpus_own_shortage_is_one():
    def attempt(images):
        torch.empty(2**55 if images > 8 else 1)

    with (
        pytest.raises(DeviceError, match=r"train\.batch_size: 8 "),
        shortage_explained(16, CPU, attempt),
    ):
        attempt(16)


@pytest.mark.parametrize("said", [
    "CUDA error: out of memory", "CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling cublasCreate",
    "cuDNN error: CUDNN_STATUS_ALLOC_FAILED",
])  # fmt: skip
def test_shortages_of_the_libraries_below_are_some(said):
    def attempt(images):
        if images > 8:
            raise RuntimeError(said)

    with (
        pytest.raises(DeviceError, match=r"train\.batch_size: 8 "),
        shortage_explained(16, CPU, attempt),
    ):
        attempt(16)


def test_other_errors_pass():
    with (
        pytest.raises(RuntimeError, match="shapes"),
        shortage_explained(8, CPU, lambda images: None),
    ):
        raise RuntimeError("shapes do not match")
