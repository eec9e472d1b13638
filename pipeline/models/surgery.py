"""Putting other modules in the place of a network's own: the one way to change a network."""

from collections.abc import Callable

from torch import nn


def replace_module(network: nn.Module, path: str, new: nn.Module) -> None:
    """Put ``new`` where the module of that dotted path (as ``named_modules`` has it) stands."""
    holder, _, child = path.rpartition(".")
    setattr(network.get_submodule(holder), child, new)


def replace_modules(network: nn.Module, change: Callable[[nn.Module], nn.Module | None]) -> None:
    """Put ``change(module)`` in the place of every module below ``network``; None leaves it there.

    A module that stands in several places is changed once, and stays one.
    """
    changed = {
        id(module): (module, new)  # the old one is kept, so that no other gets its id
        for path, module in network.named_modules()
        if path and (new := change(module)) is not None
    }
    for holder in list(network.modules()):
        for name, child in list(holder.named_children()):
            if id(child) in changed:
                setattr(holder, name, changed[id(child)][1])
