"""What belongs together, by the folders and names of files."""

import re
from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath

from raresight.generators.base import BadImages

PARENT = "parent"
_LISTED = 10


def is_rule(text: str) -> str:
    """``text``, where it is ``parent`` or a regular expression with a group named ``group``."""
    if text == PARENT:
        return text
    try:
        named = "group" in re.compile(text).groupindex
    except re.error as error:
        raise ValueError(f"no regular expression: {error}") from None
    if not named:
        raise ValueError(
            "must be `parent` (the folder that an image lies in), or a regular expression on its "
            "path with a group named group, such as '(?P<group>patient[0-9]+)'"
        )
    return text


def groups_of(files: Mapping[str, str], rule: str, place: str) -> dict[str, str]:
    """The group of every file by ``rule``, which :func:`is_rule` has taken.

    ``files`` has the path of each, and the path of the folder of its class. BadImages, with the
    files, where the rule does not tell a group.
    """
    found: dict[str, str] = {}
    if rule == PARENT:
        for file, folder in files.items():
            if (parent := PurePosixPath(file).parent) != PurePosixPath(folder):
                found[file] = parent.name
        complaint = "lie directly in the folder of their class, which is no group"
    else:
        pattern = re.compile(rule)
        for file in files:
            if (match := pattern.search(file)) and match["group"]:
                found[file] = match["group"]
        complaint = f"are not matched by {rule!r}"
    if without := [file for file in files if file not in found]:
        listed = "\n".join(f"  {file}" for file in without[:_LISTED])
        more = f"\n  ... and {len(without) - _LISTED} more" if len(without) > _LISTED else ""
        raise BadImages(
            f"{place}: `group` names what each image belongs to, but {len(without)} of "
            f"{len(files)} images {complaint}:\n{listed}{more}\n"
            "Correct `group`, or move these files.",
            details=without,
        )
    return found


def looks_grouped(files: Mapping[str, str]) -> str | None:
    """How the files look as if several belonged together, and the ``group`` to write; None if not.

    ``files`` has the path of each, and the path of the folder of its class.
    """
    parents = Counter(str(PurePosixPath(file).parent) for file in files)
    below = {p: n for p, n in parents.items() if p not in set(files.values())}
    if len(below) > 1 and sum(below.values()) >= max(len(files) / 2, 2 * len(below)):
        return f"they lie in {len(below)} subfolders of their classes: `group: {PARENT}`"
    if (names := beginnings(files)) is None:
        return None
    key = f"{_PART}{_SEPARATOR}{_PART}" if names.parts == 2 else _PART
    return (
        f"their names begin in {names.count} ways ({names.examples}): "
        f"`group: '(?P<group>{key}){_SEPARATOR}[^/]*$'`"
    )


@dataclass(frozen=True, kw_only=True)
class Beginnings:
    """In how many ways names begin, some of them, and the parts that make up a beginning."""

    count: int
    examples: str
    parts: int


def beginnings(files: Mapping[str, str]) -> Beginnings | None:
    """How names such as ``slide07_x1_y2`` begin, where several share each beginning; else None.

    ``files`` has the class of each, or the folder of it.
    """
    keys = {file: key for file in files if (key := _beginning(PurePosixPath(file).stem))}
    classes: dict[str, set[tuple[str, ...]]] = defaultdict(set)
    for file, key in keys.items():
        classes[files[file]].add(key)
    distinct = set(keys.values())
    # In a name such as n01440764_10026 the number is that of the class.
    several = any(len(of_class) > 1 for of_class in classes.values())
    if not several or len(keys) < 0.8 * len(files) or len(distinct) * 3 > len(keys):
        return None
    shown = ", ".join("_".join(key) for key in sorted(distinct)[:3])
    return Beginnings(
        count=len(distinct),
        examples=shown + (", ..." if len(distinct) > 3 else ""),
        parts=Counter(map(len, keys.values())).most_common(1)[0][0],
    )


_PART, _SEPARATOR = "[^/_. -]+", "[_. -]"  # of a file's name


def _beginning(stem: str) -> tuple[str, ...] | None:
    """The first part of a name, or the first two, up to one with a number; None if that is all."""
    parts = re.split(_SEPARATOR, stem)
    length = next((k for k, part in enumerate(parts[:2], 1) if re.search(r"\d", part)), 0)
    return tuple(parts[:length]) if 0 < length < len(parts) else None
