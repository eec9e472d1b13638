"""Where and how precisely the arithmetic is done."""

import os
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import cast

import numpy as np
import torch
from torch import nn

from raresight.pipeline.core.parallel import available_cores
from raresight.pipeline.runtime.errors import DeviceError
from raresight.pipeline.runtime.system import c_function

# glibc's mallopt: never hand large blocks back to the kernel. Every step frees and takes the same
# megabytes, and fresh pages cost more than the arithmetic on them.
_M_TRIM_THRESHOLD, _M_MMAP_MAX = -1, -4
_CHOICES = "auto, cpu, cuda, cuda:N or mps"


def resolve(name: str) -> torch.device:
    """``auto`` (CUDA where there is one, else CPU), ``cpu``, ``cuda``, ``cuda:N`` or ``mps``.

    Raises DeviceError when the device is not there.
    """
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    if name == "cuda" and "LOCAL_RANK" in os.environ:  # torchrun's: a GPU for each process
        name = f"cuda:{os.environ['LOCAL_RANK']}"
    try:
        device = torch.device(name)
    except RuntimeError:
        raise DeviceError(f"--device {name}: choose {_CHOICES}.") from None
    if device.type == "cuda":
        count = torch.cuda.device_count() if torch.cuda.is_available() else 0
        if (device.index or 0) >= count:
            raise DeviceError(f"--device {name}: {count} CUDA devices are here. Use --device cpu.")
    elif device.type == "mps":
        if not torch.backends.mps.is_available():
            raise DeviceError(f"--device {name}: no Apple GPU is here. Use --device cpu.")
    elif device.type != "cpu":
        raise DeviceError(f"--device {name}: choose {_CHOICES}.")
    return device


def prepare(device: torch.device, threads: int | None) -> None:
    """Set the thread count, and keep memory between steps."""
    set_threads(threads)
    if device.type == "cuda":
        torch.cuda.set_device(device)
        torch.backends.cudnn.benchmark = False  # its choice of kernels may differ from run to run
        torch.backends.cudnn.allow_tf32 = False  # float32 is to be float32
        os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")  # else its sums may differ
        torch.use_deterministic_algorithms(True, warn_only=True)
        # Filling memory that nobody wrote to costs time, and is for finding mistakes.
        torch.utils.deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined]
        return
    mallopt = c_function("mallopt")
    if mallopt is not None:
        mallopt(_M_MMAP_MAX, 0)
        mallopt(_M_TRIM_THRESHOLD, -1)


def set_threads(threads: int | None) -> None:
    """So many CPU threads; None is OMP_NUM_THREADS where that is set, else every core."""
    torch.set_num_threads(threads or _threads_asked_for() or _cores_each())


def _threads_asked_for() -> int:
    """OMP_NUM_THREADS; 0 where it is unset, and under torchrun, which sets it to 1 unasked."""
    first = os.environ.get("OMP_NUM_THREADS", "").partition(",")[0]
    return int(first) if first.isdigit() and _processes_here() == 1 else 0


def _cores_each() -> int:
    return max(1, available_cores() // _processes_here())


def _processes_here() -> int:
    """How many torchrun started on this machine."""
    return int(os.environ.get("LOCAL_WORLD_SIZE", "1"))


def upload(array: np.ndarray, device: torch.device) -> torch.Tensor:
    """The array as a tensor on the device; on a GPU without waiting for what it is doing.

    A copy from ordinary memory would wait for every step that is under way, and the GPU then for
    the next one to be thought of.
    """
    tensor = torch.from_numpy(array)
    if device.type != "cuda":
        return tensor.to(device)
    return tensor.pin_memory().to(device, non_blocking=True)


def as_double(values: torch.Tensor) -> torch.Tensor:
    """The values in float64; in main memory where the device (mps) has no such numbers."""
    return values.cpu().double() if values.device.type == "mps" else values.double()


def use_bfloat16(precision: str, device: torch.device) -> bool:
    """Whether to compute in bfloat16. ``auto`` does on a GPU, never on a CPU.

    A CPU may run bfloat16 twice as fast as float32 or half as fast, and which it is must not decide
    the result.
    """
    if precision == "auto":
        if device.type != "cuda":
            return False
        return torch.cuda.is_bf16_supported(including_emulation=False)  # older GPUs emulate it
    return precision == "bfloat16"


def compiled(forward: nn.Module, device: torch.device) -> nn.Module:
    """What torch.compile makes of a net, whose weights keep their names.

    Each size of batch gets kernels of its own, so that a training that is resumed with another
    size than it began with ends with the same bits.

    Raises DeviceError where a CPU has no C++ compiler.
    """
    if device.type == "cpu":
        from torch._inductor import cpp_builder, exc

        try:
            cpp_builder.get_cpp_compiler()
        except exc.InvalidCxxCompiler:
            raise DeviceError(
                "train.compile: true needs a C++ compiler, and neither g++ nor what CXX names is "
                "here. Install one, or set train.compile: false."
            ) from None
    return cast(nn.Module, torch.compile(forward, dynamic=False))


def cpu_has_bfloat16() -> bool:
    """Whether the CPU computes in bfloat16; where it does not, bfloat16 is slower than float32."""
    try:
        flags = Path("/proc/cpuinfo").read_text(encoding="utf-8")
    except OSError:
        return False
    return "avx512_bf16" in flags or "amx_bf16" in flags


def autocast(device: torch.device, *, bfloat16: bool) -> AbstractContextManager[object]:
    """The context in which a forward pass runs."""
    return torch.autocast(device.type, torch.bfloat16) if bfloat16 else nullcontext()


def fingerprint(
    device: torch.device, *, bfloat16: bool, processes: int = 1
) -> dict[str, str | int]:
    """What the last bits of the weights depend on besides code, params and data."""
    on_cuda = device.type == "cuda"
    return {
        "device": torch.cuda.get_device_name(device) if on_cuda else device.type,
        "cpu_capability": torch.backends.cpu.get_cpu_capability(),
        "threads": torch.get_num_threads(),
        "processes": processes,
        "precision": "bfloat16" if bfloat16 else "float32",
        "torch": torch.__version__,
        "cuda": torch.version.cuda or "none",
        "numpy": np.__version__,
    }
