"""A dataset.json, or a shard, that is whole by its manifest and cannot be true: refused by name."""

import json

import pytest

from raresight.pipeline.dataset.reader import Dataset
from raresight.pipeline.dataset.writer import shard_name, write_shard
from raresight.pipeline.runtime.errors import DataError

WRONG = {
    "classes": [["b", "a"], ["a", "a"], [1, 2]],
    "positive": ["c", 1],
    "image_shape": [[8, 8], [8, -8, 3], [8, 8.0, 3]],
    "sources": [[{}], ["s0"]],
    "outcomes": [[3]],
}


@pytest.mark.parametrize(("key", "value"), [(k, v) for k in WRONG for v in WRONG[k]])
def test_what_cannot_be_true_is_refused(key, value, dataset, rows):
    folder = dataset(rows(["a", "b"])).folder
    place = folder / "dataset.json"
    place.write_text(json.dumps({**json.loads(place.read_text()), key: value}))
    with pytest.raises(DataError, match=r"dataset\.json is not a dataset description"):
        Dataset(folder)


@pytest.mark.parametrize("change", [{"file": "../x.arrow"}, {"rows": -1}, {"rows": 1.5}])
def test_a_shard_lies_in_its_folder_and_has_rows(change, dataset, rows):
    folder = dataset(rows(["a", "b"])).folder
    place = folder / "dataset.json"
    document = json.loads(place.read_text())
    document["shards"][0] |= change
    place.write_text(json.dumps(document))
    with pytest.raises(DataError, match="shard"):
        Dataset(folder)


def test_a_label_that_is_no_class_is_refused_where_it_would_be_learned_from(dataset, rows):
    """It was taken for the next class in the alphabet."""
    made = dataset(rows(["a", "b"]))
    write_shard(made.folder / shard_name(0), rows(["a", "ab"]), made.description, source="s0")
    with pytest.raises(DataError, match="labels 'img-001' as 'ab', and its classes are a, b"):
        _ = Dataset(made.folder).targets
