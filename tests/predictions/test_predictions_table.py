import numpy as np
import pyarrow as pa
import pytest

from raresight.pipeline.evaluation.predictions_table import parse, task_of
from raresight.pipeline.runtime.errors import DataError

GOOD = {
    "id": ["x", "y", "z"],
    "label": ["cat", "dog", "cat"],
    "score.dog": [0.25, 0.5, 0.0],
    "score.cat": [0.75, 0.5, 1.0],
}


def told(positive=None, **changes):
    columns = {key: column for key, column in (GOOD | changes).items() if column is not None}
    with pytest.raises(DataError) as caught:
        parse(pa.table(columns), "p.csv", positive=positive)
    return str(caught.value)


def test_a_good_table_is_taken_apart_with_its_classes_sorted():
    found = parse(pa.table(GOOD), "p.csv")
    assert found.classes == ("cat", "dog")
    assert found.targets.tolist() == [0, 1, 0]
    assert found.scores.tolist() == [[0.75, 0.25], [0.5, 0.5], [1.0, 0.0]]
    assert found.group_names.tolist() == found.ids.tolist() == ["x", "y", "z"]
    assert found.pixels is None


def test_sources_group_the_rows_and_other_columns_are_passed_over():
    found = parse(pa.table(GOOD | {"source_id": ["s", "r", "s"], "note": [1, 2, 3]}), "p.csv")
    assert found.groups.tolist() == [1, 0, 1]
    assert found.take(np.array([2, 0])).ids.tolist() == ["z", "x"]


def test_a_column_group_says_what_belongs_together_whatever_the_sources_are():
    found = parse(pa.table(GOOD | {"source_id": ["s", "r", "s"], "group": ["p", "p", "q"]}), "p")
    assert found.groups.tolist() == [0, 0, 1]


def test_answers_are_numbers_of_classes_where_all_are_classes():
    found = parse(pa.table(GOOD | {"predicted": ["dog", "dog", "cat"]}), "p.csv")
    assert found.predicted.tolist() == [1, 1, 0]
    assert found.take(np.array([2, 0])).predicted.tolist() == [0, 1]
    other = parse(pa.table(GOOD | {"predicted": ["dog", "cow", "cat"]}), "p.csv")
    assert other.predicted is parse(pa.table(GOOD), "p.csv").predicted is None


def test_one_score_is_that_of_the_positive_class():
    table = pa.table({"id": [1, 2], "label": [0, 1], "score": [0.25, 0.5]})
    found = parse(table, "p.csv")
    assert found.classes == ("0", "1")
    assert found.ids.tolist() == ["1", "2"]
    assert found.scores.tolist() == [[0.75, 0.25], [0.5, 0.5]]
    as_pandas_writes = table.set_column(0, "id", [[1.0, 2.0]]).set_column(1, "label", [[0.0, 1.0]])
    again = parse(as_pandas_writes, "p.csv")
    assert (again.classes, again.ids.tolist()) == (found.classes, found.ids.tolist())
    named = parse(table.set_column(1, "label", [["ill", "well"]]), "p.csv", positive="ill")
    assert named.classes == ("ill", "well")
    assert named.scores.tolist() == [[0.25, 0.75], [0.5, 0.5]]


def test_one_score_with_names_needs_to_know_the_positive_one():
    columns = {"score.dog": None, "score.cat": None, "score": [0.1, 0.2, 0.3]}
    assert "--positive. Labels: cat, dog." in told(**columns)
    assert "labels cat, dog, fox" in told("cat", **columns, label=["cat", "dog", "fox"])


def test_every_problem_of_a_row_is_listed_with_its_number():
    message = told(
        id=["x", "x", ""],
        label=["cat", "dgo", None],
        **{"score.dog": [float("nan"), 0.3, 1.5], "score.cat": [0.75, 0.5, 0.5]},
    )
    assert message.startswith("p.csv has 7 problems:\n")
    for text in (
        "row 1: score.dog is nan, not a number from 0 to 1",
        "row 2: the id 'x' is that of row 1 already",
        "row 2: no scores for the class 'dgo'. Did you mean 'dog'?",
        "row 2: the scores sum to 0.8, not 1",
        "row 3: the id is missing",
        "row 3: the label is missing",
        "row 3: score.dog is 1.5, not a number from 0 to 1",
    ):
        assert f"\n  {text}" in message


def test_text_where_a_number_should_be_is_shown():
    message = told(**{"score.dog": ["0.25", "half", "0.0"]})
    assert message == (
        "p.csv has 1 problem:\n  row 2: score.dog is 'half', not a number from 0 to 1"
    )


@pytest.mark.parametrize("value", [float("inf"), -0.1, 1.1, None])
def test_scores_are_shares(value):
    assert "row 1: score.dog is" in told(**{"score.dog": [value, 0.5, 0.0]})


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"label": None, "lable": ["cat"] * 3}, "column 'label' is missing. Did you mean 'lable'?"),
        ({"id": None}, "column 'id' is missing."),
        ({"score.dog": None, "score.cat": None, "scores": [1] * 3}, "no column score.CLASS"),
        ({"score": [0.5] * 3}, "'score' and score.dog, score.cat exclude each other"),
        ({"score.dog": None}, "only score.cat has scores"),
        ({key: pa.array([], pa.string()) for key in GOOD}, "there are no rows"),
    ],
)
def test_wrong_columns_are_named(changes, text):
    message = told(**changes)
    assert message.startswith("p.csv is no table of predictions:\n")
    assert text in message


def test_a_class_that_is_not_there_cannot_be_the_positive_one():
    found = parse(pa.table(GOOD), "p.csv")
    assert task_of(found, "p.csv", "dog").positive_index == 1
    with pytest.raises(DataError, match=r"no class 'dgo'\. Did you mean 'dog'"):
        task_of(found, "p.csv", "dgo")


def test_an_unlabelled_table_needs_no_labels():
    found = parse(pa.table(GOOD).drop_columns("label"), "p.csv", labelled=False)
    assert found.targets is None
    assert found.take(np.array([0])).targets is None


def test_rounded_scores_are_one_message_with_a_way_on():
    scores = np.random.default_rng(0).dirichlet(np.ones(20), 100)
    columns = {f"score.c{k:02d}": scores[:, k].round(2) for k in range(20)}
    frame = {"id": np.arange(100).astype(str), "label": ["c00"] * 100, **columns}
    sums = sum(columns.values())
    off = int((abs(sums - 1) > 1e-3).sum())
    assert off > 20
    with pytest.raises(DataError) as caught:
        parse(pa.table(frame), "t.csv")
    message = str(caught.value)
    assert message.startswith("t.csv has 1 problem:")
    assert f"this and {off - 1} more rows sum to {sums.min():.4g} to {sums.max():.4g}" in message
    assert "divide each row by its sum" in message
