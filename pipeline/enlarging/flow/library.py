"""The one door to diffusers, an optional library."""

from importlib.util import find_spec
from types import ModuleType

from raresight.pipeline.runtime.errors import DeviceError


def require_diffusers() -> None:
    """DeviceError, with the line that installs it, where the library is not there."""
    if find_spec("diffusers") is None:
        raise DeviceError(
            "enlarge.method 'flow' needs diffusers: pip install 'raresight[generative]'. The "
            "method 'composites' needs nothing."
        )


def diffusers() -> ModuleType:
    """The library, imported on first use (it takes two seconds)."""
    from raresight.pipeline.models.torchvision_registry import models

    models()  # diffusers imports torchvision, and would end as it does
    import diffusers

    library: ModuleType = diffusers
    return library
