"""Datasets of a few rows, written by the writer itself."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from raresight.pipeline.dataset.reader import Dataset
from raresight.pipeline.dataset.schema import OPTIONAL, Description, Rows
from raresight.pipeline.dataset.writer import shard_name, write_shard


def make_rows(labels: Sequence[str], *, start: int = 0, side: int = 8, **changes) -> Rows:
    """Originals whose images are one colour each: row k is (k, 2 k, 255 - k)."""
    count = len(labels)
    ids = [f"img-{start + k:03d}" for k in range(count)]
    numbers = np.arange(start, start + count)
    colours = np.stack([numbers, 2 * numbers, 255 - numbers], axis=1).astype(np.uint8)
    rows = Rows(
        ids=ids,
        source_ids=ids,
        origin="synthetic",
        labels=list(labels),
        true_labels=list(labels),
        variants=[0] * count,
        images=np.tile(colours[:, None, None, :], (1, side, side, 1)),
    )
    return replace(rows, **changes)


def write(folder: Path, *shards: Rows, side: int = 8, **facts) -> Dataset:
    """Write one shard for each ``Rows`` (source ``s0``, ``s1``, ...) and open the dataset."""
    folder.mkdir(parents=True, exist_ok=True)
    description = Description(
        **{
            "classes": tuple(sorted({label for rows in shards for label in rows.labels})),
            "positive": None,
            "image_shape": (side, side, 3),
            "columns": tuple(
                name for name in OPTIONAL if any(name in rows.columns for rows in shards)
            ),
            "factors": {},
            "sources": tuple({"name": f"s{k}", "generator": "test"} for k in range(len(shards))),
            "seed": 1,
            "versions": {},
            **facts,
        }
    )
    written = tuple(
        write_shard(folder / shard_name(k), rows, description, source=f"s{k}")
        for k, rows in enumerate(shards)
    )
    replace(description, shards=written).write(folder)
    return Dataset(folder)


@pytest.fixture
def rows() -> Callable[..., Rows]:
    return make_rows


@pytest.fixture
def dataset(tmp_path: Path) -> Callable[..., Dataset]:
    def build(*shards: Rows, name: str = "set", **facts) -> Dataset:
        return write(tmp_path / name, *shards, **facts)

    return build
