"""A table of images: what its columns say, and everything that may be wrong with it."""

import logging
import re

import numpy as np
import pyarrow as pa
import pytest
from image_folders import save
from PIL import Image
from pyarrow import parquet
from pydantic import ValidationError

from raresight.generators.base import BadImages
from raresight.generators.table import Table, TableOptions

SIDE = 6
CSV = """file,label,group,split,age,sex
0.png,ill,p0,train,61,f
1.png,well,p1,Validation,,m
2.png,well,p1,val,47.5,
3.png,ill,,test,30,f
"""


@pytest.fixture
def table(tmp_path):
    """The generator of a CSV text, beside ten images 0.png to 9.png."""
    for k in range(10):
        save(tmp_path / f"{k}.png", (20 * k, 7, 9))

    def make(text: str, columns: dict | None = None, **options) -> Table:
        (tmp_path / "labels.csv").write_text(text)
        given = {"path": str(tmp_path / "labels.csv"), **options}
        if columns is not None:
            given["columns"] = columns
        return Table(TableOptions.model_validate(given), SIDE)

    return make


def records(generator: Table) -> dict:
    found = [one for stream in generator.streams("t") for one in stream]
    return {record.path.name: record for record in found}


def samples(generator: Table) -> dict:
    return {
        name: generator.sample(record, np.random.default_rng(0))
        for name, record in records(generator).items()
    }


def test_columns_say_label_group_and_split_and_the_others_are_factors(table):
    generator = table(CSV)
    assert generator.classes == ("ill", "well")
    assert generator.prevalence == {"ill": 0.5, "well": 0.5}
    assert generator.kept_columns == ("given_split",)
    kinds = {name: kind for name, (kind, _) in generator.kept_factors.items()}
    assert kinds == {"file": "string", "age": "float", "sex": "string"}
    found = records(generator)
    assert [found[f"{k}.png"].label for k in range(4)] == ["ill", "well", "well", "ill"]
    assert [found[f"{k}.png"].group for k in range(4)] == ["p0", "p1", "p1", None]
    assert [found[f"{k}.png"].given_split for k in range(4)] == ["train", "val", "val", "test"]
    made = samples(generator)
    assert made["2.png"].image[0, 0].tolist() == [40, 7, 9]
    assert made["1.png"].factors == {"file": "1.png", "age": None, "sex": "m"}
    assert made["2.png"].factors == {"file": "2.png", "age": 47.5, "sex": None}
    assert made["1.png"].given_split == "val"


def test_columns_of_other_names_and_columns_left_to_the_factors(table):
    text = "image;diagnosis;patient;split\n0;ill;p0;first\n1;well;p1;second\n"
    columns = {"file": "image", "label": "diagnosis", "group": "patient", "split": None}
    generator = table(text, columns)
    found = records(generator)  # the suffix .png was left out
    assert {name: one.group for name, one in found.items()} == {"0.png": "p0", "1.png": "p1"}
    assert samples(generator)["0.png"].factors == {"file": "0", "split": "first"}


def test_ids_are_those_of_the_table_or_of_the_content(table, tmp_path):
    found = records(table("file,label,id\n0.png,a,x7\n1.png,b,x8\n"))
    assert [one.id for one in found.values()] == ["t-x7", "t-x8"]
    (tmp_path / "1.png").write_bytes((tmp_path / "0.png").read_bytes())
    first, second = records(table("file,label\n0.png,a\n1.png,b\n")).values()
    assert second.id == f"{first.id}-2"
    assert second.group == first.group == first.id


def test_files_are_below_the_folder_that_is_named(table, tmp_path):
    save(tmp_path / "pictures/a/0.png", "red")
    save(tmp_path / "pictures/b/0.png", "blue")
    generator = table("file,label\na\\0.png,x\nb/0.png,y\n", images=str(tmp_path / "pictures"))
    firsts = [stream[0] for stream in generator.streams("t")]
    made = [generator.sample(one, np.random.default_rng(0)) for one in firsts]
    assert [one.image[0, 0].tolist() for one in made] == [[255, 0, 0], [0, 0, 255]]


def test_grades_become_classes_from_a_number_on(table):
    text = "file,severity\n0.png,0\n1.png,1\n2.png,2\n3.png,4\n"
    rule = {"column": "severity", "at_least": 2, "name": "severe"}
    found = records(table(text, {"label": rule}))
    assert [found[f"{k}.png"].label for k in range(4)] == ["not severe"] * 2 + ["severe"] * 2
    found = records(table(text, {"label": {**rule, "otherwise": "mild"}}))
    assert [found[f"{k}.png"].label for k in range(4)] == ["mild"] * 2 + ["severe"] * 2


def test_grades_become_classes_by_a_mapping(table):
    text = "file,severity\n0.png,0\n1.png,1\n2.png,2\n"
    rule = {"column": "severity", "classes": {"0": "none", "1": "some", "2": "some"}}
    found = records(table(text, {"label": rule}))
    assert [found[f"{k}.png"].label for k in range(3)] == ["none", "some", "some"]


@pytest.mark.parametrize(
    ("rule", "message"),
    [
        ({"column": "x"}, "give either `at_least`"),
        ({"column": "x", "at_least": 1}, "go together"),
        ({"column": "x", "at_least": 1, "name": "a", "classes": {"1": "b"}}, "give either"),
        ({"column": "x", "classes": {"1": "b"}, "otherwise": "c"}, "class below"),
    ],
)
def test_rules_of_two_minds_are_refused(rule, message):
    with pytest.raises(ValidationError, match=message):
        TableOptions.model_validate({"path": "t.csv", "columns": {"label": rule}})


def test_grades_in_decimals_are_named_as_they_are_written(table, tmp_path):
    parquet.write_table(
        pa.table({"file": ["0.png", "1.png"], "label": [0.1, 2.0]}), tmp_path / "t.parquet"
    )
    assert Table(TableOptions(path=str(tmp_path / "t.parquet")), SIDE).classes == ("0.1", "2")


def test_parquet_has_numbers_and_words(table, tmp_path):
    columns = {"file": ["0.png", "1.png"], "label": [0, 1], "age": [3, None], "ok": [True, False]}
    parquet.write_table(pa.table(columns), tmp_path / "t.parquet")
    generator = Table(TableOptions(path=str(tmp_path / "t.parquet")), SIDE)
    assert generator.classes == ("0", "1")
    assert samples(generator)["1.png"].factors == {"file": "1.png", "age": None, "ok": "False"}
    assert samples(generator)["0.png"].factors == {"file": "0.png", "age": 3.0, "ok": "True"}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("file,lable\n0.png,a\n", r"column 'label' is missing \(label\). Did you mean 'lable'"),
        ("path,label\n0.png,a\n", r"column 'file' is missing \(file\)"),
        ("file,label\n", "has no rows"),
        ("file,label\n0.png,\n1.png,b\n", "row 1: the label is empty"),
        ("file,label\n,a\n1.png,b\n", "row 1: the file is empty"),
        ("file,label\n0.png,a\n1.png,b\n0.png,b\n", "row 3: the file '0.png' is that of row 1"),
        ("file,label,split\n0.png,a,train\n1.png,b,fold 3\n", "row 2: 'fold 3' is no split"),
        ("file,label,id\n0.png,a,7\n1.png,b,7\n", "row 2: the id '7' is that of row 1"),
        ("file,label,id\n0.png,a,7\n1.png,b,\n", "row 2: the id is empty"),
        ("file,label\n0.png,a\n77.png,b\n", r"1 of 2 files are not there, .*\n  row 2: 77.png"),
        ("file,label,corruption\n0.png,a,x\n", "a factor is called 'corruption' already"),
        ("file,label,label\n0.png,a,x\n", "columns occur twice: label"),
    ],
)
def test_what_is_wrong_is_told_with_its_row(table, text, message):
    with pytest.raises(BadImages, match=message):
        table(text).streams("t")


def test_a_column_that_was_named_has_to_be_there(table):
    with pytest.raises(BadImages, match=r"'patient' is missing \(group\). Did you mean 'patients'"):
        table("file,label,patients\n0.png,a,p\n1.png,b,q\n", {"group": "patient"}).streams("t")


def test_ten_missing_files_are_shown_and_all_are_kept(table):
    text = "file,label\n" + "".join(f"no{k}.png,{'ab'[k % 2]}\n" for k in range(30))
    with pytest.raises(BadImages, match=r"30 of 30 files are not there(.|\n)*and 20 more") as told:
        table(text).streams("t")
    assert len(told.value.details) == 30


def test_a_grade_without_a_class_is_told(table):
    text = "file,severity\n0.png,0\n1.png,high\n"
    severe = {"column": "severity", "at_least": 2, "name": "severe"}
    for rule, message in (
        (severe, "severity is 'high', not a number"),
        ({"column": "severity", "classes": {"0": "no"}}, "no class for 'high' in `classes`"),
    ):
        with pytest.raises(BadImages, match=f"row 2: {message}"):
            table(text, {"label": rule}).streams("t")


def test_damaged_images_stop_or_are_skipped(table, tmp_path):
    (tmp_path / "0.png").write_text("no image")
    text = "file,label\n0.png,a\n1.png,a\n2.png,b\n"
    with pytest.raises(BadImages, match="has 1 unreadable files"):
        table(text).streams("t")
    generator = table(text, max_unreadable=1)
    assert set(records(generator)) == {"1.png", "2.png"}
    assert list(generator.left_out()["unreadable"]) == [str(tmp_path / "0.png")]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (
            "file,label,patient_id\n"
            + "".join(f"{k}.png,{'ab'[k % 2]},p{k // 2}\n" for k in range(8)),
            "column 'patient_id' has 4 values.*`columns: {group: patient_id}`",
        ),
        (
            "file,label,group\n" + "".join(f"{k}.png,{'ab'[k % 2]},g\n" for k in range(8)),
            None,
        ),
        (
            "file,label,patient_id\n" + "".join(f"{k}.png,{'ab'[k % 2]},p{k}\n" for k in range(8)),
            None,
        ),
    ],
)
def test_a_column_that_looks_like_a_group_is_warned_of(table, caplog, text, words):
    with caplog.at_level(logging.WARNING):
        table(text).streams("t")
    if words is None:
        assert caplog.text == ""
    else:
        assert re.search(words, caplog.text)


def test_masks_are_fitted_as_their_images_are(table, tmp_path):
    save(tmp_path / "wide.png", "red", size=(12, 6))
    marked = np.zeros((6, 12), np.uint8)
    marked[:, 6:] = 200  # the right half
    Image.fromarray(marked).save(tmp_path / "wide_mask.png")
    speck = np.zeros((6, 12), np.uint8)
    speck[0, 0] = 1
    Image.fromarray(speck).save(tmp_path / "speck.png")
    save(tmp_path / "wide2.png", "blue", size=(12, 6))
    text = "file,label,mask\nwide.png,a,wide_mask.png\nwide2.png,b,speck.png\n3.png,b,\n"
    generator = table(text)
    assert generator.kept_columns == ("mask",)
    made = samples(generator)
    expected = np.zeros((SIDE, SIDE), int)
    top = (SIDE - 3) // 2  # 12 x 6 becomes 6 x 3, centred
    expected[top : top + 3, 3:] = 1
    assert made["wide.png"].mask.tolist() == expected.tolist()
    assert made["wide2.png"].mask.sum() == 1
    assert made["wide2.png"].mask[top, 0] == 1
    assert made["3.png"].mask is None


def test_a_mask_of_another_size_is_refused_by_name(table, tmp_path):
    save(tmp_path / "small.png", 255, "L", size=(5, 6))
    generator = table("file,label,mask\n0.png,a,small.png\n1.png,b,\n")
    with pytest.raises(BadImages, match=r"small.png is 5 x 6 pixels, but .*0.png is 6 x 6"):
        samples(generator)
