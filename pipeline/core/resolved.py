"""What a section of params.yaml means once every default is filled in, and what differs from it."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel

Path = tuple[str | int, ...]


@dataclass(frozen=True, kw_only=True)
class Leaf:
    """One value: the keys that lead to it, and whether it differs from the default there.

    Values are plain (numbers, texts, lists, None). What has no default counts as changed.
    """

    path: Path
    value: Any
    changed: bool

    @property
    def key(self) -> str:
        """The path as messages write it: ``sources[0].count``."""
        parts = [f"[{part}]" if isinstance(part, int) else f".{part}" for part in self.path]
        return "".join(parts).removeprefix(".")


def leaves(section: BaseModel) -> Iterator[Leaf]:
    """Every value of a section, in the order of its keys; lists of numbers or texts stay whole."""
    yield from _leaves(section, ())


_NONE = object()  # no default to compare with


def _leaves(value: Any, path: Path, default: Any = _NONE) -> Iterator[Leaf]:
    if isinstance(value, BaseModel):
        # Another kind of loss or schedule has other keys: its own defaults are what it is beside.
        same = isinstance(default, type(value))
        for name, field in type(value).model_fields.items():
            own = field.get_default(call_default_factory=True, validated_data={})
            beside = getattr(default, name) if same else _NONE if field.is_required() else own
            if name == "name" and isinstance(default, BaseModel):
                beside = getattr(default, name, _NONE)
            yield from _leaves(getattr(value, name), (*path, name), beside)
        extra = (default.model_extra if same else None) or {}
        for name, inner in (value.model_extra or {}).items():
            yield from _leaves(inner, (*path, name), extra.get(name, _NONE))
    elif isinstance(value, Mapping) and value:
        for name, inner in value.items():
            known = default.get(name, _NONE) if isinstance(default, Mapping) else _NONE
            yield from _leaves(inner, (*path, name), known)
    elif _holds_parts(value):
        # A list that was changed is changed as a whole: its items have no counterparts.
        for number, inner in enumerate(value):
            yield from _leaves(inner, (*path, number), inner if value == default else _NONE)
    else:
        yield Leaf(path=path, value=_plain(value), changed=value != default)


def _holds_parts(value: Any) -> bool:
    parts = isinstance(value, Sequence) and not isinstance(value, str)
    return parts and any(isinstance(inner, BaseModel | Mapping) for inner in value)


def _plain(value: Any) -> Any:
    if hasattr(value, "plain"):  # a distribution of a generator's options
        return value.plain()
    return list(value) if isinstance(value, tuple) else value
