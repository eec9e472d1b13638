"""Generators draw labelled images; they know nothing of the pipeline that uses them.

Importing the package loads none of them: a process that only reads image files starts at once.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from raresight.generators.builtin import GENERATORS as GENERATORS


def __getattr__(name: str) -> Any:
    if name != "GENERATORS":
        raise AttributeError(f"module 'raresight.generators' has no attribute '{name}'")
    from raresight.generators.builtin import GENERATORS

    return GENERATORS
