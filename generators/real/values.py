"""Columns of a table as words, as numbers, and as the factors that they become."""

import logging
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from raresight.generators.base import BadImages

logger = logging.getLogger(__name__)

_TAKEN = {"file", "corruption", "tries"}  # factors of other meanings


def texts_of(column: pa.ChunkedArray) -> list[str]:
    """A column as words; what is missing is empty, a whole number is written without a point."""
    values = column.to_pylist()
    return [_text(value) for value in values]


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, float):
        if np.isnan(value):
            return ""
        return str(int(value)) if value.is_integer() else repr(value)
    return str(value).strip()


def numbers_of(texts: Sequence[str]) -> np.ndarray:
    """The words as float64 (n,), NaN where one is no number."""
    return np.array([_number(text) for text in texts], float)


def _number(text: str) -> float:
    try:
        return np.nan if "_" in text else float(text)  # Python takes 1_000 for a number
    except ValueError:
        return np.nan


def factors_of(
    path: Path, table: pa.Table, taken: Collection[str]
) -> Iterator[tuple[str, tuple[str, list[float | str | None]]]]:
    """Every other column as a factor: numbers where all that is known are, else words."""
    for name in table.column_names:
        kind = table[name].type
        if name in taken or name.startswith("Unnamed:") or not name:
            continue
        if pa.types.is_nested(kind) or pa.types.is_binary(kind) or pa.types.is_large_binary(kind):
            logger.warning("%s: column '%s' (%s) is passed over.", path, name, kind)
            continue
        if name in _TAKEN:
            raise BadImages(f"{path}: a factor is called '{name}' already: rename that column.")
        texts = texts_of(table[name])
        numbers = numbers_of(texts)
        known = np.array([text != "" for text in texts])
        if known.any() and np.isfinite(numbers[known]).all() and not pa.types.is_boolean(kind):
            values = [one if ok else None for one, ok in zip(numbers.tolist(), known, strict=True)]
            yield name, ("float", values)
        else:
            yield name, ("string", [text or None for text in texts])
