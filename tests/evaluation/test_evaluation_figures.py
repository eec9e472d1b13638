from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from raresight.pipeline.evaluation.evaluate import evaluate
from raresight.pipeline.evaluation.output.figures import draw_confusion, draw_precision_recall


def pixels(path: Path) -> np.ndarray:
    with Image.open(path) as image:
        return np.asarray(image)


@pytest.fixture
def rare(make_evidence, make_params):
    return evaluate(make_evidence("normal", "rare", positive="rare"), make_params())


@pytest.mark.parametrize("draw", [draw_confusion, draw_precision_recall])
def test_the_same_study_gives_the_same_bytes(rare, draw, tmp_path):
    draw(rare, tmp_path / "a.png")
    draw(rare, tmp_path / "b.png")
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()


def test_another_result_is_another_picture(rare, make_evidence, make_params, tmp_path):
    draw_confusion(rare, tmp_path / "rare.png")
    other = evaluate(make_evidence("normal", "rare", positive="normal"), make_params())
    draw_confusion(other, tmp_path / "normal.png")
    first, second = (pixels(tmp_path / f"{name}.png") for name in ("rare", "normal"))
    assert first.shape == second.shape
    assert (first != second).any()


def test_a_positive_class_has_a_second_panel_for_the_deployment(
    rare, make_evidence, make_params, tmp_path
):
    alike = evaluate(make_evidence("a", "b", "c", positive=None), make_params())
    draw_precision_recall(rare, tmp_path / "two.png")
    draw_precision_recall(alike, tmp_path / "one.png")
    two, one = (pixels(tmp_path / f"{name}.png").shape[1] for name in ("two", "one"))
    assert two > 1.5 * one


def test_many_classes_still_fit_in_a_matrix(make_evidence, make_params, tmp_path):
    names = [f"class {k:02d}" for k in range(30)]
    draw_confusion(
        evaluate(make_evidence(*names, positive=None), make_params()), tmp_path / "m.png"
    )
    assert max(pixels(tmp_path / "m.png").shape) < 2500
