"""Folders below a root: one a class, or one a split with the classes in each."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from raresight.generators.base import BadImages
from raresight.generators.image_file import hidden, readable_name
from raresight.generators.real.tables import READERS

SPLITS = ("train", "val", "test")
# What people call them, in small letters without punctuation.
_NAMES = {
    **dict.fromkeys(("train", "training", "trainset", "trainingset"), "train"),
    **dict.fromkeys(("val", "valid", "validation", "valset", "validationset", "dev"), "val"),
    **dict.fromkeys(("test", "testing", "testset", "eval", "evaluation", "holdout"), "test"),
}
_FOLD = re.compile(r"(fold|cv|split)[ _-]?\d+", re.IGNORECASE)


@dataclass(frozen=True, kw_only=True)
class ClassFolder:
    """A folder with images of the class ``label``, and the split that was given them, if any."""

    path: Path
    label: str
    given_split: str | None = None


def class_folders(
    root: Path, place: str, split_folders: bool | Mapping[str, str] | None
) -> list[ClassFolder]:
    """Every folder of a class below ``root``, in the order of their paths; ``place`` names it.

    ``split_folders`` says that they lie below folders of splits, and by a mapping which are called
    what; None refuses what looks like that. FileNotFoundError or BadImages where there are none.
    """
    folders = _below(root, place)
    _refuse_loops(folders, root, place)
    if not split_folders:
        if split_folders is None:
            _refuse_splits(folders, place)
        _enough([readable_name(one.name) for one in folders], place, root)
        return [ClassFolder(path=one, label=readable_name(one.name)) for one in folders]
    splits = _named_splits(folders, place, split_folders)
    found = [
        ClassFolder(path=one, label=readable_name(one.name), given_split=splits[folder])
        for folder in folders
        for one in _subfolders(folder)
    ]
    _refuse_loops([one.path for one in found], root, place)
    _enough(sorted({one.label for one in found}), place, root)
    return found


def _below(root: Path, place: str) -> list[Path]:
    advice = "Put the images there, one subfolder a class, or correct `path`."
    if not root.exists():
        raise FileNotFoundError(f"{place} does not exist. {advice}")
    if not root.is_dir():
        raise BadImages(f"'{readable_name(str(root))}' is a file, not a folder. {advice}")
    return _subfolders(root)


def _subfolders(folder: Path) -> list[Path]:
    return sorted(one for one in folder.iterdir() if one.is_dir() and not hidden(one.name))


def _refuse_loops(folders: list[Path], root: Path, place: str) -> None:
    """BadImages where a link makes a folder hold ``root`` itself, or the images of another one."""
    seen: dict[Path, Path] = {}
    # By their real places: what lies inside another comes after it.
    for real, _, folder in sorted((one.resolve(), one.is_symlink(), one) for one in folders):
        if root.resolve().is_relative_to(real):
            problem = f"'{real}', which holds {place} itself"
        elif outer := next((seen[one] for one in (real, *real.parents) if one in seen), None):
            problem = f"images that are those of '{readable_name(outer.name)}', too"
        else:
            seen[real] = folder
            continue
        raise BadImages(
            f"{place}: '{readable_name(str(folder.relative_to(root)))}' is a link to {problem}. "
            "Remove the link."
        )


def _enough(labels: list[str], place: str, root: Path) -> None:
    if len(labels) < 2:
        found = f"only the class '{labels[0]}'" if labels else "no class"
        alone = " One class alone, beside other sources, is listed in a `generator: table`."
        raise BadImages(
            f"{place} holds {found}. It needs two subfolders or more, one a class, "
            f"each with its images.{_table_beside(root) or alone}"
        )


def _table_beside(root: Path) -> str:
    """Where a table lies among the images: how it is read."""
    tables = sorted(one.name for one in root.iterdir() if one.suffix.lower() in READERS)
    tables = [name for name in tables if not name.lower().startswith("readme")]
    if not tables:
        return ""
    path = readable_name(str(root / tables[0]))
    return (
        f" If {readable_name(tables[0])} lists them with their labels: `generator: table` with "
        f"`path: {path}`."
    )


def split_of_name(name: str) -> str | None:
    """The split that people mean by a name such as ``Validation``; None where it is none."""
    return _NAMES.get(re.sub(r"[^a-z]", "", name.lower()))


def _refuse_splits(folders: list[Path], place: str) -> None:
    """BadImages where two folders or more are called like splits and hold the same subfolders."""
    several = [one for one in folders if split_of_name(one.name) or _FOLD.fullmatch(one.name)]
    inner = [{one.name for one in _subfolders(folder)} for folder in several]
    if len(several) < 2 or not set.intersection(*inner):
        return
    names = [readable_name(one.name) for one in several]
    if all(split_of_name(one.name) for one in several):
        as_splits = "`split_folders: true` below `options` takes them as such"
    else:
        lines = ", ".join(f"{name}: {_suggested(k, names)}" for k, name in enumerate(names))
        as_splits = f"say which is which below `options`, such as `split_folders: {{{lines}}}`"
    raise BadImages(
        f"{place} holds {', '.join(names)}, each with the same subfolders: these look like splits, "
        f"not like classes. If they are, {as_splits}; if they are classes, write "
        "`split_folders: false`."
    )


def _suggested(number: int, names: list[str]) -> str:
    """The split of the ``number``-th fold: the last tests, the one before validates."""
    return split_of_name(names[number]) or {1: "test", 2: "val"}.get(len(names) - number, "train")


def _named_splits(
    folders: list[Path], place: str, asked: bool | Mapping[str, str]
) -> dict[Path, str]:
    """The split of each folder; BadImages where one has none, or one that was named is missing."""
    names = {folder: readable_name(folder.name) for folder in folders}
    given = asked if isinstance(asked, Mapping) else {}
    if isinstance(asked, Mapping):
        splits = {folder: given[name] for folder, name in names.items() if name in given}
    else:
        splits = {folder: split for folder in folders if (split := split_of_name(folder.name))}
    there = ", ".join(names.values()) or "none"
    if missing := sorted(set(given) - set(names.values())):
        raise BadImages(
            f"{place} has no folder {', '.join(missing)}, which `split_folders` names. It has: "
            f"{there}."
        )
    if unnamed := [names[folder] for folder in folders if folder not in splits]:
        raise BadImages(
            f"{place} holds {', '.join(unnamed)}: which split is that? Say it in `split_folders`, "
            f"such as {{{unnamed[0]}: train}}, for each of: {there}."
        )
    return splits
