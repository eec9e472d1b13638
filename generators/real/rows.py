"""A table as rows of images: file, label, and what else is known of each."""

import logging
import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa

from raresight.generators.base import BadImages
from raresight.generators.real.columns import Columns, LabelRule
from raresight.generators.real.contents import Content, File
from raresight.generators.real.grouping import beginnings
from raresight.generators.real.layout import split_of_name
from raresight.generators.real.row import Listing, Row
from raresight.generators.real.tables import nearest
from raresight.generators.real.values import factors_of, numbers_of, texts_of

logger = logging.getLogger(__name__)

_LISTED = 10
# Columns that name what belongs together, in the words that people use.
_GROUPS = re.compile(
    r"(patient|subject|person|animal|case|slide|lesion|specimen|video|camera|session|visit|study|"
    r"participant|individual|site)(_?(id|no|nr|number|name))?",
    re.IGNORECASE,
)


def listing_of(
    table: pa.Table,
    columns: Columns,
    path: Path,
    *,
    images: Path,
    contents: Sequence[Content] | None = None,
    masks: Mapping[int, Content] | None = None,
) -> Listing:
    """The rows of a table that was read from ``path``.

    Files and masks are relative to the folder ``images``; where the rows' images lie elsewhere,
    ``contents`` (one a row) says where, and ``masks`` where those are of the rows that have one.
    BadImages with all that is wrong with the table.
    """
    names = _present(path, table, columns)
    if not table.num_rows:
        raise BadImages(f"{path} has no rows.")
    texts = {role: texts_of(table[name]) for role, name in names.items()}
    labels, problems = _labels(table, columns.label, texts["label"])
    problems += _file_problems(texts["file"])
    splits, wrong = _splits(texts.get("split"), table.num_rows)
    problems += wrong
    if "id" in texts:
        problems += _repeated("id", texts["id"])
    _refuse(path, problems)
    files = [file.replace("\\", "/") for file in texts["file"]]
    if contents is None:
        contents = [File(path=one) for one in _places(path, images, files, "files")]
    has_mask = masks is not None or "mask" in texts
    if masks is None:
        masks = _masks(path, images, texts.get("mask"))
    factors = dict(factors_of(path, table, set(names.values())))
    if "group" not in names:
        _warn_of_groups(path, table, set(names.values()), dict(zip(files, labels, strict=True)))
    groups, ids = texts.get("group"), texts.get("id")
    rows = [
        Row(
            content=contents[k],
            file=files[k],
            label=labels[k],
            group=(groups[k] or None) if groups else None,
            given_split=splits[k],
            mask=masks.get(k),
            id=ids[k] if ids else None,
            factors={name: values[k] for name, (_, values) in factors.items()},
        )
        for k in range(table.num_rows)
    ]
    known = {"mask": has_mask, "given_split": "split" in texts}
    return Listing(
        classes=tuple(sorted(set(labels))),
        rows=rows,
        columns=tuple(name for name, there in known.items() if there),
        factors={name: (kind, "a column of the table") for name, (kind, _) in factors.items()},
    )


def _masks(path: Path, images: Path, texts: Sequence[str] | None) -> dict[int, Content]:
    """The mask of each row that has one."""
    known = [k for k, mask in enumerate(texts or ()) if mask]
    found = _places(path, images, [(texts or ())[k] for k in known], "masks")
    return {k: File(path=place) for k, place in zip(known, found, strict=True)}


def _present(path: Path, table: pa.Table, columns: Columns) -> dict[str, str]:
    """The column of each role that the table has; BadImages where one that it needs is missing."""
    rule, named = columns.label, columns.model_fields_set
    asked = {**dict(columns), "label": rule if isinstance(rule, str) else rule.column}
    there = table.column_names
    problems = [
        f"column '{name}' is missing ({role}). {nearest(name, there)}"
        for role, name in asked.items()
        if name is not None and name not in there and (role in named or role in ("file", "label"))
    ]
    if twice := sorted(name for name, count in Counter(there).items() if count > 1):
        problems.append(f"columns occur twice: {', '.join(twice)}.")
    if problems:
        told = "\n".join(f"  {one}" for one in problems)
        raise BadImages(
            f"{path} lacks what `columns` names:\n{told}\n"
            "Say below `options` which is which, such as `columns: {file: path, label: diagnosis}`."
        )
    return {role: name for role, name in asked.items() if name in there}


Problem = tuple[int, str]


def _labels(
    table: pa.Table, rule: str | LabelRule, texts: Sequence[str]
) -> tuple[list[str], list[Problem]]:
    """The class of every row, and what is wrong with some."""
    problems = [(row, "the label is empty") for row, text in enumerate(texts) if not text]
    if isinstance(rule, str):
        return list(texts), problems
    if rule.classes is not None:
        known = rule.classes
        problems += [
            (row, f"no class for '{text}' in `classes`. {nearest(text, known)}")
            for row, text in enumerate(texts)
            if text and text not in known
        ]
        return [known.get(text, "") for text in texts], problems
    numbers = numbers_of(texts)
    problems += [
        (row, f"{rule.column} is '{texts[row]}', not a number")
        for row in np.flatnonzero(np.isnan(numbers)).tolist()
        if texts[row]
    ]
    below = rule.otherwise or f"not {rule.name}"
    assert rule.at_least is not None  # the rule has one of both
    assert rule.name is not None
    return [rule.name if high else below for high in (numbers >= rule.at_least)], problems


def _file_problems(files: Sequence[str]) -> Iterator[Problem]:
    yield from ((row, "the file is empty") for row, file in enumerate(files) if not file)
    yield from _repeated("file", [file.replace("\\", "/") for file in files])


def _repeated(what: str, values: Sequence[str]) -> Iterator[Problem]:
    first: dict[str, int] = {}
    for row, value in enumerate(values):
        if value and first.setdefault(value, row) != row:
            yield row, f"the {what} '{value}' is that of row {first[value] + 1} already"
        elif not value and what == "id":
            yield row, "the id is empty"


def _splits(texts: Sequence[str] | None, count: int) -> tuple[list[str | None], list[Problem]]:
    """The given split of every row, None where it is empty."""
    if texts is None:
        return [None] * count, []
    known = {text: split_of_name(text) for text in set(texts) if text}
    problems = [
        (row, f"'{text}' is no split: train, val or test")
        for row, text in enumerate(texts)
        if text and known[text] is None
    ]
    return [known[text] if text else None for text in texts], problems


def _refuse(path: Path, problems: Sequence[Problem]) -> None:
    if problems:
        told = [f"row {row + 1}: {text}" for row, text in sorted(problems, key=lambda one: one[0])]
        raise BadImages(f"{path} has {_listed(told, 'problem')}", details=told)


def _listed(lines: Sequence[str], noun: str) -> str:
    more = f"\n  ... and {len(lines) - _LISTED} more" if len(lines) > _LISTED else ""
    count = f"{len(lines)} {noun}{'s' * (len(lines) > 1)}"
    return f"{count}:\n" + "\n".join(f"  {line}" for line in lines[:_LISTED]) + more


def _places(path: Path, images: Path, files: Sequence[str], noun: str) -> list[Path]:
    """The path of every file below ``images``; its suffix may be left out where one file fits.

    BadImages with those that are not there.
    """
    found = [images / file for file in files]
    missing = [k for k, place in enumerate(found) if not place.is_file()]
    if missing and any(not Path(files[k]).suffix for k in missing):
        by_stem: dict[Path, list[Path]] = defaultdict(list)
        for folder in {found[k].parent for k in missing}:
            for one in folder.iterdir() if folder.is_dir() else ():
                by_stem[one.with_suffix("")].append(one)
        for k in missing:
            if len(fitting := by_stem.get(found[k], [])) == 1:
                found[k] = fitting[0]
        missing = [k for k in missing if not found[k].is_file()]
    if missing:
        lines = [f"row {k + 1}: {files[k]}" for k in missing]
        more = f"\n  ... and {len(lines) - _LISTED} more" if len(lines) > _LISTED else ""
        listed = "\n".join(f"  {line}" for line in lines[:_LISTED])
        raise BadImages(
            f"{path}: {len(lines)} of {len(files)} {noun} are not there, below {images}:\n"
            f"{listed}{more}\nCorrect the paths, or `images`, the folder that they are below.",
            details=lines,
        )
    return found


def _warn_of_groups(path: Path, table: pa.Table, taken: set[str], files: Mapping[str, str]) -> None:
    """Say so where a column, or the names of the files, look as if several belonged together."""
    found = {
        name: len(values.unique())
        for name in table.column_names
        if name not in taken and _GROUPS.fullmatch(name)
        for values in [table[name].drop_null()]
        if len(values.unique()) < len(values)
    }
    if found:
        how = [f"column '{name}' has {count} values" for name, count in found.items()]
        advice = f"`columns: {{group: {next(iter(found))}}}` below `options` keeps them together."
    elif names := beginnings(files):
        how = [f"their names begin in {names.count} ways ({names.examples})"]
        advice = "A column `group` that names it keeps them together."
    else:
        return
    logger.warning(
        "%s: the %d images look as if several belonged together, as those of one patient do: %s. "
        "If so, no two splits may share them. %s",
        path,
        table.num_rows,
        ", ".join(how),
        advice,
    )
