"""Columns made of bytes are those that pyarrow makes of the values."""

import numpy as np
import pyarrow as pa
import pytest

from raresight.pipeline.prediction.columns import flags, numbers, texts


@pytest.mark.parametrize(
    "values", [[], ["a"], ["", "\u00fc\u20ac", "x" * 300], [None, "b", None], [None] * 9]
)
def test_texts(values):
    found = texts(values)
    found.validate(full=True)
    assert found.equals(pa.array(values, pa.string()))


@pytest.mark.parametrize("count", [0, 1, 7, 8, 9, 700])
def test_numbers_and_flags(count):
    table = np.random.default_rng(count).normal(size=(count, 3))
    for values in (table[:, 1], table[:, 1].astype(np.float32), np.arange(count)[::-1]):
        assert numbers(values).equals(pa.array(values))
    marked = flags(table[:, 1] > 0)
    marked.validate(full=True)
    assert marked.equals(pa.array(table[:, 1] > 0))
