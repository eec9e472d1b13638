"""Tables that the stages wrote, read back: whole, or refused by their name."""

import pytest

from raresight.pipeline.core.csv_file import read_rows
from raresight.pipeline.runtime.errors import DataError, InputMissing


def test_a_table_is_its_lines_by_column(tmp_path):
    path = tmp_path / "t.tsv"
    path.write_text('a\tb\n1\t"2\t3"\n')
    assert read_rows(path, stage="train", delimiter="\t") == [{"a": "1", "b": "2\t3"}]


@pytest.mark.parametrize(
    "content",
    [
        b"a,b\n1\n",  # a value is missing
        b"a,b\n1,2,3\n",
        b"a,a\n1,2\n",
        b"a,b\n\xff,2\n",
        b'a,b\n"' + b"x" * 200_000 + b'",2\n',  # longer than Python's csv takes
        b"a,b\r1\r\n2,\r3",
    ],
)
def test_a_damaged_one_is_refused(content, tmp_path):
    path = tmp_path / "t.csv"
    path.write_bytes(content)
    with pytest.raises(DataError, match=r"t\.csv .*Run `raresight clean` again"):
        read_rows(path, stage="clean")


def test_one_that_is_not_there(tmp_path):
    with pytest.raises(InputMissing, match="Run `raresight clean` again"):
        read_rows(tmp_path / "t.csv", stage="clean")
