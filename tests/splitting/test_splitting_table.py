"""The table of splits on disk, and finding a dataset's rows in it."""

from types import SimpleNamespace

import numpy as np
import pyarrow as pa
import pytest

from raresight.pipeline.runtime.errors import DataError, InputMissing
from raresight.pipeline.splitting.table import FILE, Splits, make_table, read_splits, write_splits

IDS = ["a", "b", "c", "a+1", "b+1"]
TABLE = make_table(
    ids=IDS,
    source_ids=["a", "b", "c", "a", "b"],
    groups=["p", "q", "q", "p", "q"],
    splits=["train", "val", "val", "train", "unused"],
)


def dataset(*ids: str) -> SimpleNamespace:
    """What ``rows`` needs of a dataset."""
    return SimpleNamespace(ids=np.array(ids, str), folder="data/generated")


def test_what_is_written_is_read(tmp_path):
    write_splits(tmp_path, TABLE)
    assert read_splits(tmp_path).table.to_pydict() == TABLE.to_pydict()


def test_the_same_table_gives_the_same_bytes_however_it_was_built(tmp_path):
    write_splits(tmp_path, TABLE)
    first = (tmp_path / FILE).read_bytes()
    pieces = [TABLE.slice(0, 2), TABLE.slice(2)]
    write_splits(tmp_path, pa.concat_tables(pieces))
    assert (tmp_path / FILE).read_bytes() == first


@pytest.mark.parametrize(
    ("split", "rows"), [("train", [1, 3]), ("val", [0, 2]), ("test", []), ("unused", [])]
)
def test_rows_are_those_of_the_dataset_in_its_own_order(split, rows):
    found = Splits(TABLE).rows(dataset("c", "a", "b", "a+1"), split)
    assert found.tolist() == rows
    assert found.dtype.kind == "i"


def test_groups_are_those_of_the_dataset_in_its_own_order():
    assert Splits(TABLE).groups(dataset("c", "a", "b+1")).tolist() == ["q", "p", "q"]
    with pytest.raises(DataError, match=r"1 images of data/generated.*the first: x"):
        Splits(TABLE).groups(dataset("a", "x"))


def test_an_empty_dataset_has_no_rows():
    assert Splits(TABLE).rows(dataset(), "train").tolist() == []
    assert Splits(TABLE).groups(dataset()).tolist() == []


def test_images_that_were_not_split_are_an_error():
    with pytest.raises(
        DataError, match=r"2 images of data/generated.*the first: x.*raresight split"
    ):
        Splits(TABLE).rows(dataset("a", "x", "y"), "train")


def test_a_missing_damaged_or_foreign_table_is_named(tmp_path):
    with pytest.raises(InputMissing, match=FILE):
        read_splits(tmp_path)
    (tmp_path / FILE).write_bytes(b"no arrow")
    with pytest.raises(DataError, match=FILE):
        read_splits(tmp_path)


def test_a_table_with_other_columns_is_refused(tmp_path):
    table = pa.table({"id": ["a"], "split": ["train"]})
    with pa.OSFile(str(tmp_path / FILE), "wb") as sink, pa.ipc.new_file(sink, table.schema) as out:
        out.write_table(table)
    with pytest.raises(DataError, match=r"columns id, split, not id, .*raresight split"):
        read_splits(tmp_path)


def test_a_split_that_is_none_is_refused(tmp_path):
    """Images of a split that nobody asks for would be missing everywhere, unsaid."""
    names = ["a", "b"]
    table = make_table(ids=names, source_ids=names, groups=names, splits=["train", "tesu"])
    write_splits(tmp_path, table)
    with pytest.raises(DataError, match="'tesu': there are train, val, test, unused"):
        read_splits(tmp_path)
