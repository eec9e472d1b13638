"""Pictures of the evaluation: repeatable, about the result, and of a bearable size."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from raresight.pipeline.evaluation.decisions.predictions import Task, predict_labels
from raresight.pipeline.report.charts.painters import Line, Plane
from raresight.pipeline.report.figures.evaluation import draw_confusion, draw_planes, draw_slices
from raresight.pipeline.report.judgement.slices import Slice


def pixels(path: Path) -> np.ndarray:
    with Image.open(path) as image:
        return np.asarray(image)


def outcome(*classes: str, wrong: int = 0):
    """Each class has ten images; the first ``wrong`` of all are predicted as the next class."""
    targets = np.repeat(np.arange(len(classes)), 10)
    predicted = (targets + (np.arange(len(targets)) < wrong)) % len(classes)
    return predict_labels(
        Task(classes=classes, positive=None), targets, np.eye(len(classes))[predicted]
    )


def plane(title: str) -> Plane:
    line = Line("model", "model", np.array([0.0, 1.0]), np.array([1.0, 0.2]))
    return Plane(x="recall", y="precision", lines=(line,), title=title, level=0.2)


def test_the_same_result_gives_the_same_bytes_and_another_another_picture(tmp_path):
    draw_confusion(outcome("a", "b"), tmp_path / "a.png")
    draw_confusion(outcome("a", "b"), tmp_path / "b.png")
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()
    draw_confusion(outcome("a", "b", wrong=4), tmp_path / "c.png")
    first, other = pixels(tmp_path / "a.png"), pixels(tmp_path / "c.png")
    assert first.shape == other.shape
    assert (first != other).any()


def test_each_plane_has_a_panel(tmp_path):
    draw_planes([plane("one")], tmp_path / "one.png")
    draw_planes([plane("one"), plane("two")], tmp_path / "two.png")
    one, two = (pixels(tmp_path / f"{name}.png").shape[1] for name in ("one", "two"))
    assert two > 1.5 * one


def test_many_classes_still_fit_in_a_matrix(tmp_path):
    draw_confusion(outcome(*(f"class {k:02d}" for k in range(30))), tmp_path / "m.png")
    assert max(pixels(tmp_path / "m.png").shape) < 3000


def test_a_slice_that_is_significantly_worse_has_another_color(tmp_path):
    common = {"factor": "size", "part": "1 to 2", "value": 0.5, "low": 0.3, "high": 0.7}
    for significant in (True, False):
        one = Slice(**common, correct=5, images=10, significant=significant)
        draw_slices({"recall": [one]}, {"recall": 0.9}, tmp_path / f"{significant}.png")
    orange = (181, 70, 10)
    marked, plain = (
        (pixels(tmp_path / f"{name}.png")[..., :3] == orange).all(axis=-1).sum()
        for name in (True, False)
    )
    assert marked > 100 > plain == 0


def test_without_slices_there_is_an_empty_picture(tmp_path):
    draw_slices({}, {}, tmp_path / "none.png")
    assert pixels(tmp_path / "none.png").size


@pytest.mark.parametrize("name", ["confusion", "precision_recall", "calibration", "slices"])
def test_the_report_draws_them_all(rare, name):
    assert pixels(rare.page.parent / f"figures/{name}.png").shape[0] > 200
