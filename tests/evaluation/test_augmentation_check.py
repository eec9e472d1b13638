"""A recipe that marks the copies of one class is found in the answers of the model."""

import json
from io import StringIO

import pytest
from full_params import full_params
from rich.console import Console
from ruamel.yaml import YAML

from raresight.pipeline.stages import augment, evaluate, generate, split, train
from raresight.pipeline.terminal.evaluation import render
from raresight.pipeline.wording.augmentation_check import told

GAIN = {"name": "RandomBrightnessContrast", "p": 1.0, "contrast_limit": 0.0}
MARK = [GAIN | {"brightness_limit": [0.25, 0.35]}]


def trained(folder, **section):
    """The results of a small training on shapes, whose rare class has copies by ``section``."""
    document = full_params()
    source = {
        "generator": "shapes",
        "options": {"classes": ["circle", "square"]},
        "counts": {"circle": 400, "square": 60},
    }
    document["generate"].update(image_size=16, positive="square", sources=[source])
    document["augment"] |= {"spatial": [], "pixel": [], "copies": {"square": 6}} | section
    document["train"].update(epochs=4, threads=1, batch_size=32)
    document["evaluate"].update(num_bootstrap=100, threads=1)
    params, data = folder / "params.yaml", folder / "data"
    YAML().dump(document, params)
    generate.run(params, data, workers=1)
    augment.run(params, data, workers=1)
    split.run(params, data)
    train.run(params, data, device="cpu")
    return evaluate.run(params, data, device="cpu")


def in_terminal(metrics) -> str:
    console = Console(width=80, record=True, file=StringIO())
    console.print(render(metrics))
    return " ".join(console.export_text().split())


def test_a_planted_shortcut_is_named(tmp_path):
    metrics = trained(tmp_path, pixel=MARK)
    found = metrics["augmentation_check"]
    others = found["other_classes"]
    assert found["classes"] == "square"
    assert others["images"] == metrics["counts"]["test"]["circle"]
    assert others["before"] == pytest.approx(1 - metrics["test"]["specificity"])
    assert others["significant"]
    assert others["difference_low"] > 0.1
    assert json.loads((tmp_path / "data/evaluation/results.json").read_text()) == metrics
    text = in_terminal(metrics)
    assert "The copies tell the class: put through their recipe, images of other classes" in text
    assert "Do copies tell the class? Answered with square" in text


def test_what_every_class_goes_through_is_no_shortcut(tmp_path):
    metrics = trained(tmp_path, spatial=[{"name": "HorizontalFlip"}])
    assert set(metrics["augmentation_check"]) == {"classes", "other_classes", "copied_classes"}
    assert told(metrics) is None
    assert "The copies" not in in_terminal(metrics)


def row(before: float, after: float, *, significant: bool = True) -> dict:
    difference = after - before
    ends = {"difference_low": difference - 0.02, "difference_high": difference + 0.02}
    counts = {"images": 400, "groups": 400, "before": before, "after": after}
    return counts | ends | {"difference": difference, "significant": significant}


@pytest.mark.parametrize(
    ("others", "copied", "beginning"),
    [
        (row(0.002, 0.262), row(0.767, 0.95), "The copies tell the class: put through their"),
        (row(0.01, 0.02, significant=False), row(0.767, 0.95), "The copies may tell the class"),
        (row(0.01, 0.02, significant=False), row(0.767, 0.5), "Copies are harder than originals"),
        (row(0.2, 0.01), row(0.7, 0.71, significant=False), "Put through the copies' recipe"),
        (row(0.01, 0.01, significant=False), row(0.7, 0.71, significant=False), None),
    ],
)
def test_a_significant_difference_is_told_by_what_it_means(others, copied, beginning):
    found = {"classes": "rare", "other_classes": others, "copied_classes": copied}
    text = told({"augmentation_check": found})
    assert text is None if beginning is None else text.startswith(beginning)
    if beginning and beginning.startswith("The copies tell"):
        assert "'rare' in 26.2 % of cases, as they are in 0.2 % " in text
        assert "(difference 26 points [24 to 28])" in text


def test_nothing_is_told_where_nothing_was_checked():
    assert told({}) is None
    assert told({"augmentation_check": {"classes": "rare"}}) is None
