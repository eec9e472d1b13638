"""Tables as people write them are read as the plain CSV file with the same content, or named."""

import codecs

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import feather, parquet

from raresight.generators.real.tables import BadTable, UnknownKind, read_table

ROWS = [("a.png", "gut", "0.25"), ("b, c.png", "böse", "1e-3"), ("d.png", "gut", "")]
NAMES = ("file", "label", "score")


def text(separator: str = ",", *, point: str = ".", end: str = "\n") -> str:
    def cell(value: str) -> str:
        return f'"{value}"' if separator in value else value

    scores = [(file, label, score.replace(".", point, 1)) for file, label, score in ROWS]
    return "".join(separator.join(map(cell, row)) + end for row in (NAMES, *scores))


PLAIN = {name: [row[k] for row in ROWS] for k, name in enumerate(NAMES)}
WAYS = {
    "plain": text().encode(),
    "mark": codecs.BOM_UTF8 + text().encode(),
    "windows ends": text(end="\r\n").encode(),
    "semicolons": text(";").encode(),
    "semicolons and commas": text(";", point=",").encode(),
    "tabs": text("\t", point=",").encode(),
    "bars": text("|").encode(),
    "excel says it": ("sep=;\r\n" + text(";", point=",", end="\r\n")).encode(),
    "utf-16": text("\t").encode("utf-16"),
    "utf-16 without a mark": text(";").encode("utf-16-le"),
    "quoted": text().replace("file,label", '"file","label"').encode(),
}


@pytest.mark.parametrize("way", WAYS)
def test_every_way_of_writing_it_is_the_same_table(tmp_path, way):
    (tmp_path / "t.csv").write_bytes(WAYS[way])
    assert read_table(tmp_path / "t.csv").to_pydict() == PLAIN


def test_words_with_commas_keep_them(tmp_path):
    (tmp_path / "t.tsv").write_text("id\tname\tn\n1,5\tgrade 1, low\t3\n2\tb\t4\n")
    found = read_table(tmp_path / "t.tsv").to_pydict()
    assert found == {"id": ["1.5", "2"], "name": ["grade 1, low", "b"], "n": ["3", "4"]}


@pytest.mark.parametrize("suffix", ["parquet", "jsonl", "arrow", "feather", "stream.arrow"])
def test_typed_tables_keep_their_types(tmp_path, suffix):
    table = pa.table({"file": ["a", "b"], "age": [3.5, 4.0], "n": [1, 2]})
    path = tmp_path / f"t.{suffix}"
    if suffix == "parquet":
        parquet.write_table(table, path)
    elif suffix == "jsonl":
        path.write_text('{"file": "a", "age": 3.5, "n": 1}\n{"file": "b", "age": 4.0, "n": 2}\n')
    elif suffix == "stream.arrow":
        with pa.OSFile(str(path), "wb") as file, pa.ipc.new_stream(file, table.schema) as writer:
            writer.write_table(table)
    else:
        feather.write_feather(table, path, compression="uncompressed")
    assert read_table(path).equals(table)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (
            text().encode("latin-1"),
            r"not UTF-8: line 3 holds the byte 0xf6 \('ö' in Windows-1252\)",
        ),
        (text(",", point=",").replace('"', "").encode(), "separated by commas.*decimal commas"),
        (b"", "cannot be read"),
        (b"file;label\na;b;c\n", "separated by semicolons: .*Expected 2 columns, got 3"),
    ],
)
def test_what_cannot_be_read_says_why(tmp_path, content, message):
    (tmp_path / "t.csv").write_bytes(content)
    with pytest.raises(BadTable, match=message):
        read_table(tmp_path / "t.csv")


def test_other_files_are_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"t\.csv does not exist"):
        read_table(tmp_path / "t.csv")
    with pytest.raises(UnknownKind, match=r"not a kind of table known: \.csv"):
        read_table(tmp_path / "t.xlsx")
    (tmp_path / "t.parquet").write_bytes(np.arange(99).tobytes())
    with pytest.raises(BadTable, match=r"t\.parquet cannot be read"):
        read_table(tmp_path / "t.parquet")


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        ('{"id": "a"}\n{"id": "b"', "line 2"),
        (
            'null}\n{"id":"c","label":"well","scorell":.g3"0ro,up":"2"}\n{"id":"d","label":"w',
            "line 1",
        ),
        ('{"id": "a", "id": "b"}', "line 1: a name stands there twice"),
        ('{"id": "a"}\n7', "every line must be an object"),
        ("[" * 100_000, "line 1"),
        ('{"id": 1}\n{"id": "b"}', "cannot be read"),
        ('{"id": 1' + "0" * 30 + "}", "cannot be read"),
    ],
)
def test_json_lines_that_are_none_are_refused(lines, said, tmp_path):
    """Arrow's own reader ended the process at one of 484,479 such files."""
    path = tmp_path / "table.jsonl"
    path.write_text(lines)
    with pytest.raises(BadTable, match=said):
        read_table(path)


def test_an_object_a_line_is_a_row(tmp_path):
    path = tmp_path / "table.jsonl"
    path.write_text(
        '{"id": "a\u2028", "score": 1}\n\n{"score": 0.5, "more": [1]}\n', encoding="utf-8"
    )
    assert read_table(path).to_pylist() == [
        {"id": "a\u2028", "score": 1.0, "more": None},
        {"id": None, "score": 0.5, "more": [1]},
    ]
