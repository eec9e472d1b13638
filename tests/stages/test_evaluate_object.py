"""Does the model look at the object? Asked of one that does, and of one with a shortcut."""

from io import StringIO

import numpy as np
import pytest
from full_params import full_params
from judged import COUNT, LABELS, SPLITS, SquareScorer, draw_masks
from PIL import Image
from rich.console import Console
from ruamel.yaml import YAML

from raresight.pipeline.dataset.reader import Dataset
from raresight.pipeline.evaluation.checks.object_removed import area_of, fill
from raresight.pipeline.stages import augment, evaluate, generate, split, train
from raresight.pipeline.terminal.evaluation import render
from raresight.pipeline.wording import checks, object_removed

TEST = [row for row in range(COUNT) if SPLITS[row] == "test"]


class EverythingScorer(SquareScorer):
    """Is as sure of any image."""

    def scores(self, images, rows) -> np.ndarray:
        return np.tile([0.4, 0.6], (len(rows), 1))


def in_terminal(results) -> str:
    console = Console(width=80, record=True, file=StringIO())
    console.print(render(results))
    return " ".join(console.export_text().split())


def test_the_object_alone_is_filled_and_from_what_lies_around():
    image = np.full((20, 20, 3), (90, 120, 150), np.uint8)
    area = np.zeros((20, 20), bool)
    area[5:12, 6:11] = True
    with_object = image.copy()
    with_object[area] = (255, 0, 0)
    assert (fill(with_object, area) == image).all()
    noisy = np.random.default_rng(0).integers(0, 256, (20, 20, 3), np.uint8)
    assert (fill(noisy, area)[~area] == noisy[~area]).all()


def test_a_model_that_sees_the_object_calls_none_without_it(judged_project):
    params, data = judged_project()
    results = evaluate.run(params, data)
    found, dataset = results["object_removed"], Dataset(data / "generated")
    positives = [row for row in TEST if LABELS[row] == "rare"]
    # By hand: every pixel that is at most 2 pixels (in a circle) from the mask is filled.
    areas = {row: area_of(dataset, row) for row in positives}
    mask = np.argwhere(draw_masks()[positives[0]])
    near = [
        min(((place - mask) ** 2).sum(1)) <= 5 for place in np.argwhere(np.ones((12, 12), bool))
    ]
    assert (np.reshape(near, (12, 12)) >= areas[positives[0]]).all()
    filled = np.stack([fill(dataset.images[row], areas[row]) for row in positives])
    threshold = results["threshold"]["model"]
    above = SquareScorer().scores(filled, np.arange(len(filled)))[:, 1] >= threshold
    assert found["images"] == found["groups"] == len(positives)
    assert found["before"] == results["test"]["recall"]
    assert found["after"] == above.mean() < found["before"]
    assert found["false_alarm_rate"] == pytest.approx(1 - results["test"]["specificity"])
    assert found["after_low"] <= found["after"] <= found["after_high"]
    assert not found["significant"]
    assert not list(checks.in_verdict(results))
    assert "It looks at the object: of 5 'rare' with the object filled" in in_terminal(results)


def test_what_cannot_be_told_is_not(judged_project, use_scorer):
    """A model that calls everything positive has no answer that the object could change."""
    params, data = judged_project()
    use_scorer(EverythingScorer())
    results = evaluate.run(params, data)
    found = results["object_removed"]
    assert found["after"] == found["false_alarm_rate"] == found["filled_elsewhere"] == 1
    assert not found["significant"]
    assert "Whether it looks at the object is open: of 5 'rare'" in "".join(
        object_removed.told(results)
    )
    assert "object_removed" not in evaluate.run(*judged_project(positive=None))


@pytest.fixture(scope="module")
def marked(tmp_path_factory):
    """The results of a small training on discs, whose images bear four green pixels in a corner."""
    root = tmp_path_factory.mktemp("marked")
    rng = np.random.default_rng(0)
    y, x = np.mgrid[:20, :20]
    for number in range(320):
        label = "disc" if number < 80 else "empty"
        image = rng.integers(70, 130, (20, 20, 3), np.uint8)
        if label == "disc":
            center = rng.integers(8, 13, 2)
            mask = (y - center[0]) ** 2 + (x - center[1]) ** 2 <= 6
            image[mask] -= 10  # the mark is easier to see
            image[1:3, 1:3] = (0, 255, 0)
            (root / "raw/masks/disc").mkdir(parents=True, exist_ok=True)
            Image.fromarray(mask.astype(np.uint8) * 255).save(root / f"raw/masks/disc/{number}.png")
        (root / "raw/images" / label).mkdir(parents=True, exist_ok=True)
        Image.fromarray(image).save(root / f"raw/images/{label}/{number}.png")
    document = full_params()
    options = {"path": str(root / "raw/images"), "masks": "../masks/{folder}/{name}.png"}
    document["generate"].update(
        image_size=20, positive="disc", sources=[{"generator": "folder", "options": options}]
    )
    document["augment"] |= {"spatial": [], "pixel": [], "copies": {}}
    document["train"].update(epochs=6, threads=1, batch_size=32)
    document["evaluate"].update(num_bootstrap=100, threads=1)
    params, data = root / "params.yaml", root / "data"
    YAML().dump(document, params)
    generate.run(params, data, workers=1)
    augment.run(params, data, workers=1)
    split.run(params, data)
    train.run(params, data, device="cpu")
    return evaluate.run(params, data, device="cpu")


def test_a_planted_shortcut_is_caught(marked):
    found = marked["object_removed"]
    assert found["after"] > 0.9 * found["before"] > 0.7
    assert found["after_low"] > max(found["false_alarm_rate_high"], found["filled_elsewhere_high"])
    assert found["significant"]
    text = "".join(part if isinstance(part, str) else part[0] for part in checks.in_verdict(marked))
    assert " It does not look at the object: of " in text
    assert in_terminal(marked).count(text.strip()) == 1
