import io
import json
import re
from dataclasses import asdict

import numpy as np
import pytest
from rich.console import Console

from raresight.pipeline.commands.inspect import NumericFactor, Part, TextFactor, summarize_dataset
from raresight.pipeline.terminal.dataset import render


@pytest.fixture
def data(rows, dataset):
    masks = np.zeros((4, 8, 8), np.uint8)
    factors = {"size": [1.0, 2.0, 6.0, None], "tint": ["red", "blue", "red", None]}
    drawn = rows("abab", columns={"mask": masks}, factors=factors, variants=[0, 0, 1, 2])
    real = rows("b", start=4, origin="real")
    kinds = {"size": "float", "tint": "string", "angle": "float"}
    return dataset(drawn, real, factors=kinds, positive="b", classes=("a", "b", "c"))


def shown(summary) -> str:
    console = Console(width=120, file=io.StringIO())
    console.print(render(summary))
    return console.file.getvalue()


def test_rows_are_counted_by_class_origin_and_variant(data):
    summary = summarize_dataset(data)
    assert summary.rows == 5
    assert summary.classes == {"a": 2, "b": 3, "c": 0}
    assert summary.parts == (
        Part(label="a", origin="synthetic", variant=0, rows=1),
        Part(label="a", origin="synthetic", variant=1, rows=1),
        Part(label="b", origin="real", variant=0, rows=1),
        Part(label="b", origin="synthetic", variant=0, rows=1),
        Part(label="b", origin="synthetic", variant=2, rows=1),
    )


def test_factors_are_measured_where_they_are_known(data):
    factors = summarize_dataset(data).factors
    assert factors["size"] == NumericFactor(known=3, low=1.0, high=6.0, mean=3.0)
    assert factors["tint"] == TextFactor(known=3, different=2, counts={"red": 2, "blue": 1})
    assert factors["angle"] == NumericFactor(known=0, low=None, high=None, mean=None)


def test_only_the_most_frequent_words_are_kept(rows, dataset):
    tints = ["z"] * 3 + [f"tint-{k}" for k in range(20)]
    drawn = rows("ab" * 11 + "a", factors={"tint": tints})
    tint = summarize_dataset(dataset(drawn, factors={"tint": "string"})).factors["tint"]
    assert (tint.known, tint.different, len(tint.counts)) == (23, 21, 8)
    assert next(iter(tint.counts.items())) == ("z", 3)


def test_shape_masks_and_bytes_are_stated(data):
    summary = summarize_dataset(data)
    shards = data.folder.glob("*.arrow")
    assert (summary.image_shape, summary.dtype) == ((8, 8, 3), "uint8")
    assert summary.masked == 4
    assert summary.bytes == sum(path.stat().st_size for path in shards)


def test_a_summary_is_json(data):
    assert json.loads(json.dumps(asdict(summarize_dataset(data)), allow_nan=False))["rows"] == 5


def test_the_tables_show_the_counts(data):
    text = shown(summarize_dataset(data))
    lines = [re.split(r" {2,}", line.strip()) for line in text.splitlines()]
    assert ["a", "synthetic", "1", "1", "40.00%"] in lines
    assert ["b (positive)", "real", "1", "0", "20.00%"] in lines
    assert ["b (positive)", "synthetic", "1", "1", "40.00%"] in lines
    assert "8 x 8 x 3, uint8" in text
    assert "red 2, blue 1" in text
    assert "4 (80.0%)" in text


def test_names_are_shown_as_they_are_even_if_they_look_like_markup(rows, dataset):
    drawn = rows(["[red]", "b"], factors={"file": ["[/x]", "y"]})
    text = shown(summarize_dataset(dataset(drawn, factors={"file": "string"})))
    assert "[red]" in text
    assert "[/x] 1" in text


def test_an_empty_dataset_is_summarized(dataset):
    summary = summarize_dataset(dataset(factors={"size": "float"}))
    assert (summary.rows, summary.parts, summary.bytes) == (0, (), 0)
    assert "rows" in shown(summary)
