"""Whether two versions were judged on the same images, and in what their params differ."""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from raresight.pipeline.evaluation.predictions_table import PredictionsTable


def differing_test_sets(old: PredictionsTable, new: PredictionsTable) -> list[str]:
    """How the images of two tables differ, a sentence each; empty if they are the same."""
    if old.classes != new.classes:
        classes = [", ".join(predictions.classes) for predictions in (old, new)]
        return [f"the classes are {classes[0]} in the old version and {classes[1]} in the new"]
    left, right = _shared(old, new)
    problems = [
        f"{len(table.ids) - len(left)} images are in the {name} version alone "
        f"(the first: {_first_alone(table, other)})"
        for name, table, other in (("old", old, new), ("new", new, old))
        if len(table.ids) > len(left)
    ]
    labels = old.labels[left] != new.labels[right]
    if labels.any():
        problems.append(
            f"{labels.sum()} images have another label ({_some(old.ids[left], labels)})"
        )
    if old.pixels is not None and new.pixels is not None:
        pixels = old.pixels[left] != new.pixels[right]
        if pixels.any():
            problems.append(
                f"{pixels.sum()} images have the same id but other pixels "
                f"({_some(old.ids[left], pixels)})"
            )
    return problems


def common(old: PredictionsTable, new: PredictionsTable) -> tuple[np.ndarray, np.ndarray]:
    """The rows, in each, of the images that are the same in both; in the order of their ids."""
    left, right = _shared(old, new)
    same = old.labels[left] == new.labels[right]
    if old.pixels is not None and new.pixels is not None:
        same &= old.pixels[left] == new.pixels[right]
    return left[same], right[same]


def _shared(old: PredictionsTable, new: PredictionsTable) -> tuple[np.ndarray, np.ndarray]:
    return np.intersect1d(old.ids, new.ids, assume_unique=True, return_indices=True)[1:]


def _first_alone(table: PredictionsTable, other: PredictionsTable) -> str:
    return str(table.ids[~np.isin(table.ids, other.ids)][0])


def _some(ids: np.ndarray, chosen: np.ndarray, most: int = 3) -> str:
    names = ids[chosen]
    return ", ".join(names[:most]) + (", ..." if len(names) > most else "")


def differing_params(old: Any, new: Any) -> dict[str, tuple[Any, Any]]:
    """(old, new) of every key, dotted, that two params files give different values.

    Lists of plain values count as one value; None stands for a key that is not there.
    """
    before, after = dict(_leaves(old, "")), dict(_leaves(new, ""))
    keys = [*before, *(key for key in after if key not in before)]
    pairs = {key: (before.get(key), after.get(key)) for key in keys}
    return {key: pair for key, pair in pairs.items() if pair[0] != pair[1]}


def _leaves(value: Any, path: str) -> Iterator[tuple[str, Any]]:
    if isinstance(value, Mapping) and value:
        for key, inner in value.items():
            yield from _leaves(inner, f"{path}.{key}" if path else str(key))
    elif isinstance(value, list) and any(isinstance(inner, Mapping) for inner in value):
        for index, inner in enumerate(value):
            yield from _leaves(inner, f"{path}[{index}]")
    else:
        yield path, value
