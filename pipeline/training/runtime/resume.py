"""Checkpoints: a training's state on disk, kept until its outputs are written.

Tensors are safetensors, the rest is JSON, and a manifest holds the sha256 of both: nothing that is
read back can run code, and nothing is used that is not what was written.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import safetensors.torch
from safetensors import SafetensorError
from torch import Tensor

from raresight.pipeline.core.files import MANIFEST, manifest_problems, stage_outputs
from raresight.pipeline.core.tensors import writing_tensors
from raresight.pipeline.runtime.errors import UnsafeError, listing

_TENSORS, _REST = "tensors.safetensors", "state.json"


def save(folder: Path, state: Any, key: Mapping[str, Any]) -> None:
    """Write a state (dicts, lists, numbers, strings, None and tensors) whole, or leave the old one.

    ``key`` says what the state belongs to: the code, params, data and machine of its training.
    """
    tensors: dict[str, Tensor] = {}
    rest = {"key": key, "state": _pack(state, tensors)}
    folder.parent.mkdir(parents=True, exist_ok=True)
    needed = sum(tensor.nbytes for tensor in tensors.values())
    with stage_outputs(folder, needed=needed) as (scratch,):
        with writing_tensors(scratch / _TENSORS):
            safetensors.torch.save_file(tensors, scratch / _TENSORS)
        # Infinity, too: Python reads its own
        (scratch / _REST).write_text(json.dumps(rest), encoding="utf-8")


def load(folder: Path) -> tuple[Any, Mapping[str, Any]] | None:
    """The state and the key that :func:`save` wrote; None when there is no checkpoint.

    Raises UnsafeError when the bytes are not those that were written.
    """
    if not folder.exists():
        return None
    problems = (
        manifest_problems(folder)
        if (folder / MANIFEST).is_file()
        else [f"{folder} has no {MANIFEST}: no checkpoint of Raresight"]
    )
    if not problems:
        try:
            tensors = safetensors.torch.load_file(folder / _TENSORS)
            rest = json.loads((folder / _REST).read_text(encoding="utf-8"))
            return _unpack(rest["state"], tensors), rest["key"]
        except (
            *(SafetensorError, ValueError, LookupError, TypeError),
            *(AttributeError, RecursionError, OSError),
        ) as error:
            problems = [f"it cannot be read: {error}"]
    raise _unsafe(folder, problems)


@contextmanager
def taken_up(folder: Path) -> Iterator[None]:
    """Around what puts the state of ``folder`` to use: UnsafeError where it does not fit."""
    try:
        yield
    except (LookupError, TypeError, ValueError, AttributeError) as error:
        raise _unsafe(folder, [f"it does not fit: {error!r}"]) from error
    except RuntimeError as error:
        if type(error) is not RuntimeError:  # memory that runs out is another matter
            raise
        raise _unsafe(folder, [f"it does not fit: {error}"]) from error


def _unsafe(folder: Path, problems: Sequence[str]) -> UnsafeError:
    return UnsafeError(
        f"{folder} is not the checkpoint that was written, and is not opened:\n"
        f"{listing(problems)}\nDelete it to train from the start: rm -r {folder}"
    )


def differences(then: Mapping[str, Any], now: Mapping[str, Any], prefix: str = "") -> Iterator[str]:
    """A sentence for each leaf in which two keys differ."""
    for name in [*then, *(name for name in now if name not in then)]:
        old, new = then.get(name), now.get(name)
        where = f"{prefix}{name}"
        if isinstance(old, Mapping) and isinstance(new, Mapping):
            yield from differences(old, new, f"{where}.")
        elif old != new:
            yield f"{where}: {_short(old)} then, {_short(new)} now"


def _short(value: Any) -> str:
    text = json.dumps(value)
    return text if len(text) <= 40 else f"{text[:12]}..."


def _pack(value: Any, tensors: dict[str, Tensor]) -> Any:
    """JSON for a tree; tensors go into ``tensors``. Keys may be numbers, so dicts become pairs."""
    match value:
        case Tensor():
            name = str(len(tensors))
            tensors[name] = value.detach().cpu().clone().contiguous()
            return {"tensor": name}
        case Mapping():
            return {"dict": [[key, _pack(part, tensors)] for key, part in value.items()]}
        case list() | tuple():
            return [_pack(part, tensors) for part in value]
        case None | bool() | int() | float() | str():
            return value
    raise TypeError(f"a checkpoint cannot hold {type(value).__name__}")


def _unpack(value: Any, tensors: Mapping[str, Tensor]) -> Any:
    match value:
        case {"tensor": name}:
            return tensors[name]
        case {"dict": pairs}:
            return {key: _unpack(part, tensors) for key, part in pairs}
        case list():
            return [_unpack(part, tensors) for part in value]
    return value
