"""Tables as inputs of predict: read as the tables that images come in by."""

import pyarrow as pa
import pyarrow.parquet
import pytest

from raresight.pipeline.prediction.listed import read_listed
from raresight.pipeline.runtime.errors import DataError


def table(folder, **columns):
    path = folder / "list.parquet"
    pyarrow.parquet.write_table(pa.table(columns), path)
    return path


def test_ids_are_written_as_the_generators_write_them(tmp_path):
    """pandas makes floats of whole numbers where one is missing: 3.0 is the 3 of `generate`."""
    path = table(tmp_path, file=["a.png", "b.png"], id=[3.0, None], group=[12, 7])
    known = read_listed(path).known
    assert known["id"] == {str(tmp_path / "a.png"): "3"}
    assert list(known["group"].values()) == ["12", "7"]


@pytest.mark.parametrize("name", ["file", "Image_Path", "filename", "filepath", "img"])
def test_files_stand_in_a_column_that_is_called_as_people_call_it(tmp_path, name):
    assert read_listed(table(tmp_path, **{"site": ["x"], name: ["a.png"]})).files == (
        [str(tmp_path / "a.png")]
    )


def test_one_of_several_is_not_guessed_and_none_is_told(tmp_path):
    both = {"path": ["a.png"], "image": ["b.png"]}
    with pytest.raises(DataError, match=r"several columns .* \(path, image\): call the"):
        read_listed(table(tmp_path, **both))
    assert read_listed(table(tmp_path, file=["c.png"], **both)).files == [str(tmp_path / "c.png")]
    with pytest.raises(DataError, match=r"none of its columns \(site\) is called `file`"):
        read_listed(table(tmp_path, site=["x"]))
