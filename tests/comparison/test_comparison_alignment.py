import numpy as np
import pytest

from raresight.pipeline.comparison.alignment import common, differing_params, differing_test_sets
from raresight.pipeline.evaluation.predictions_table import PredictionsTable


def table(ids, targets=None, pixels=None, classes=("a", "b")):
    ids = np.array(ids)
    return PredictionsTable(
        classes=classes,
        ids=ids,
        group_names=ids,
        targets=np.array(targets if targets is not None else [0] * len(ids)),
        pixels=np.array(pixels if pixels is not None else [f"p-{name}" for name in ids]),
        scores=np.full((len(ids), 2), 0.5),
    )


def common_ids(*tables):
    return [one.ids[rows].tolist() for one, rows in zip(tables, common(*tables), strict=True)]


def test_the_order_of_the_rows_does_not_matter():
    old, new = table(["x", "y", "z"]), table(["z", "x", "y"])
    assert differing_test_sets(old, new) == []
    assert common_ids(old, new) == [["x", "y", "z"]] * 2


@pytest.mark.parametrize(
    ("new", "told"),
    [
        (table(["x", "y"]), ["1 images are in the old version alone (the first: z)"]),
        (table(["x", "y", "z", "w"]), ["1 images are in the new version alone (the first: w)"]),
        (table(["x", "y", "z"], targets=[0, 1, 0]), ["1 images have another label (y)"]),
        (
            table(["x", "y", "z"], pixels=["p-x", "?", "!"]),
            ["2 images have the same id but other pixels (y, z)"],
        ),
        (
            table(["x", "y", "z"], classes=("a", "c")),
            ["the classes are a, b in the old version and a, c in the new"],
        ),
    ],
)
def test_each_way_to_differ_is_told(new, told):
    assert differing_test_sets(table(["x", "y", "z"]), new) == told


def test_the_common_images_are_the_same_in_every_respect():
    old = table(["x", "y", "z", "v"])
    new = table(["w", "x", "y", "z"], targets=[0, 0, 1, 0], pixels=["p-w", "p-x", "p-y", "?"])
    assert common_ids(old, new) == [["x"], ["x"]]


def test_params_differ_by_key():
    old = {"train": {"epochs": 3, "blocks": [1]}, "steps": [{"name": "Blur", "p": 1}], "gone": 1}
    new = {"train": {"epochs": 5, "blocks": [1, 2]}, "steps": [{"name": "Blur", "p": 0.5}]}
    assert differing_params(old, new) == {
        "train.epochs": (3, 5),
        "train.blocks": ([1], [1, 2]),
        "steps[0].p": (1, 0.5),
        "gone": (1, None),
    }
    assert differing_params(old, old) == {}
