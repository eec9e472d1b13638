"""Recipes of albumentations transforms; the only module that imports the library."""

import inspect
import os
import random
import sys
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from types import ModuleType
from typing import Any, Literal

import numpy as np
from pydantic import ValidationError

from raresight.pipeline.augmentation import shortcuts
from raresight.pipeline.augmentation.params import Step
from raresight.pipeline.runtime.errors import ParamsError, suggest

Kind = Literal["spatial", "pixel"]

# A mask holds labels, not colours: never interpolated, and lost where a transform paints over it.
_MASK_ARGUMENTS = {"mask_interpolation": 0, "fill_mask": 0, "mask_drop_value": 0}
# The base classes, and the one that takes functions.
_NOT_FOR_FILES = ("DualTransform", "ImageOnlyTransform", "Lambda")


class _PythonRandom(random.Random):
    """``random.Random`` that draws from a numpy generator.

    Half of the library's draws come from here. A Mersenne Twister of its own would take longer to
    seed, once an image, than to use.
    """

    def bind(self, rng: np.random.Generator) -> None:
        self.random = rng.random  # type: ignore[method-assign]
        self.gauss_next = None  # left over from the image before

    def random(self) -> float:  # its being here makes integers, too, come from random()
        raise RuntimeError("bind a generator first")


@dataclass(frozen=True)
class Recipe:
    """Transforms applied one after the other, with all their randomness from one generator."""

    transforms: tuple[Any, ...]
    _python_random: _PythonRandom = field(default_factory=_PythonRandom, repr=False, compare=False)

    def __call__(
        self, image: np.ndarray, mask: np.ndarray | None = None, *, rng: np.random.Generator
    ) -> tuple[np.ndarray, np.ndarray | None]:
        """Transform an image, and a mask with it: a pure function of these and ``rng``'s state.

        ``image`` is uint8 (H, W, C). ``mask`` is uint8 or float32 (H, W); its values are moved but
        never mixed, and 0 is put where nothing of it is left. The arguments stay as they are.
        Raises ParamsError when a transform changes the size or the type of the image.
        """
        moved, image_of = self.begin(image, mask, rng=rng)
        return image_of(), moved

    def begin(
        self, image: np.ndarray, mask: np.ndarray | None, *, rng: np.random.Generator
    ) -> tuple[np.ndarray | None, Callable[[], np.ndarray]]:
        """Draw everything and transform the mask, and leave the image to a function.

        Together they give what a call gives; where the mask turns out to be lost, moving the image
        is saved.
        """
        # All transforms draw from the same generator in turn. The library's own seeding gives each
        # one a copy, and then transforms of equal p fire together or not at all.
        self._python_random.bind(rng)
        for transform in self.transforms:
            transform.set_random_state(rng, self._python_random)
        drawn = shortcuts.draw(self.transforms, image.shape)
        if drawn is None:
            changed, moved = self._transform(image, mask)
            return moved, lambda: changed
        moved = None if mask is None else shortcuts.carry_out(drawn, mask, mask=True)
        return moved, lambda: shortcuts.carry_out(drawn, image, mask=False)

    def _transform(
        self, image: np.ndarray, mask: np.ndarray | None
    ) -> tuple[np.ndarray, np.ndarray | None]:
        result = {"image": image.copy()}
        if mask is not None:
            result["mask"] = mask.copy()
        for transform in self.transforms:
            recoloured = shortcuts.recolour(transform, result["image"])
            result = transform(**result) if recoloured is None else result | {"image": recoloured}
            changed = result["image"]
            if changed.shape != image.shape or changed.dtype != image.dtype:
                raise ParamsError(_changed(transform, image, changed))
        return result["image"], result.get("mask")


def build(steps: Sequence[Step]) -> Recipe:
    """The recipe of checked steps; call :func:`check` on steps that come from a person."""
    return Recipe(tuple(_make(step) for step in steps))


def check(
    steps: Sequence[Step],
    where: str,
    *,
    kind: Kind | None = None,
    image_shape: tuple[int, int, int] = (64, 64, 3),
) -> None:
    """Raise ParamsError with everything :func:`problems` finds."""
    if found := problems(steps, where, kind=kind, image_shape=image_shape):
        raise ParamsError("\n".join(found))


def problems(
    steps: Sequence[Step],
    where: str,
    *,
    kind: Kind | None = None,
    image_shape: tuple[int, int, int] = (64, 64, 3),
) -> list[str]:
    """What is wrong with the steps, a sentence each; empty when nothing is.

    ``where`` is the place of the list, such as ``params.yaml: augment.spatial``; ``kind`` is what
    it may hold (None: both). Each transform is tried on an image of ``image_shape``.
    """
    return [
        f"{where}[{number}].{problem}"
        for number, step in enumerate(steps)
        for problem in _step_problems(step, kind, image_shape)
    ]


def _step_problems(step: Step, kind: Kind | None, shape: tuple[int, int, int]) -> list[str]:
    known = _names(kind)
    if step.name not in known:
        other = _names(None).get(step.name)
        if other is not None:
            return [
                f"name: '{step.name}' is a {_kind(other)} transform; move it to `{_kind(other)}`."
            ]
        return [f"name: unknown transform '{step.name}'. {suggest(step.name, known)}"]
    if unknown := _argument_problems(step, known[step.name]):
        return unknown
    try:
        _try(step, shape)
    except ValueError as error:
        return _value_problems(step, error)
    except Exception as error:  # whatever the library raises, the step cannot be used
        return [f"name: '{step.name}' cannot be used here: {_one_line(error)}"]
    return []


def _argument_problems(step: Step, transform: type) -> list[str]:
    parameters = inspect.signature(transform.__init__).parameters  # type: ignore[misc]
    known = sorted(set(parameters) - {"self", "p", "strict", *_MASK_ARGUMENTS})
    found = []
    for name, value in step.arguments.items():
        if name in _MASK_ARGUMENTS:
            found.append(f"{name}: leave this out; masks hold labels and are always moved as such.")
        elif name not in known:
            problem = f"{name}: {step.name} has no such argument (value {value!r})."
            found.append(f"{problem} {suggest(name, known)}")
    return found


def _try(step: Step, shape: tuple[int, int, int]) -> None:
    """Apply the transform, whatever its p, to an image of noise; some fail only for some draws."""
    recipe = Recipe((_make(step, p=1.0),))
    with _strictly():
        for seed in range(8):
            rng = np.random.Generator(np.random.PCG64(seed))
            recipe(rng.integers(0, 256, shape, np.uint8), rng=rng)


def _value_problems(step: Step, error: ValueError) -> list[str]:
    cause = error.__cause__
    if not isinstance(cause, ValidationError):
        return [f"name: '{step.name}' cannot be used here: {_one_line(error)}"]
    found = []
    for problem in cause.errors():
        key = str(problem["loc"][0]) if problem["loc"] else "name"
        message = problem["msg"].removeprefix("Value error, ").rstrip(".")
        given = f" Got {step.arguments[key]!r}." if key in step.arguments else ""
        found.append(f"{key}: {step.name}: {message}.{given}")
    return list(dict.fromkeys(found))  # each branch of a union complains, often in the same words


def _make(step: Step, p: float | None = None) -> Any:
    transform = _names(None)[step.name]
    parameters = inspect.signature(transform.__init__).parameters  # type: ignore[misc]
    forced = {name: value for name, value in _MASK_ARGUMENTS.items() if name in parameters}
    with _strictly():
        return transform(**step.arguments, **forced, p=step.p if p is None else p)


@contextmanager
def _strictly() -> Iterator[None]:
    """The library only warns of an argument it does not understand, and takes the default."""
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        yield


def _names(kind: Kind | None) -> dict[str, type]:
    """The transforms a file may name, by name."""
    return {name: cls for name, cls in _catalogue().items() if kind in (None, _kind(cls))}


def _kind(transform: type) -> Kind:
    return "spatial" if issubclass(transform, _library().DualTransform) else "pixel"


@cache
def _catalogue() -> dict[str, type]:
    library = _library()
    two_kinds = (library.DualTransform, library.ImageOnlyTransform)
    found = {name: value for name, value in vars(library).items() if isinstance(value, type)}
    return {
        name: value
        for name, value in sorted(found.items())
        if issubclass(value, two_kinds)
        and not issubclass(value, library.Transform3D)
        and name not in _NOT_FOR_FILES
    }


@cache
def _library() -> ModuleType:
    """Import albumentations without its call to the package index and without torch.

    It imports torch only to offer tensors, which nobody asks for here, and that takes two thirds of
    the import's time, in every worker.
    """
    os.environ["NO_ALBUMENTATIONS_UPDATE"] = "1"
    blocked = "torch" not in sys.modules
    if blocked:
        sys.modules["torch"] = None  # type: ignore[assignment]
    try:
        import albumentations
        import cv2
    finally:
        if blocked:
            del sys.modules["torch"]
    cv2.setNumThreads(0)  # the processes are the parallelism; one thread also means the same bits
    return albumentations


def _changed(transform: Any, before: np.ndarray, after: np.ndarray) -> str:
    return (
        f"{type(transform).__name__} turns {before.dtype} {before.shape} into {after.dtype} "
        f"{after.shape}, but images must keep their size and type. Leave it out, or choose "
        "arguments that keep them."
    )


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split()) or type(error).__name__
