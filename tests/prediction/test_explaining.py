"""Which pixels an answer came from."""

import json
import re

import numpy as np
import pytest
import torch
from PIL import Image
from program import invoke
from torch import nn

from raresight.pipeline.commands import explain
from raresight.pipeline.commands.explained_picture import Explained, colored
from raresight.pipeline.models.classifier import Classifier
from raresight.pipeline.prediction import explaining
from raresight.pipeline.prediction.explaining import attributions
from raresight.pipeline.prediction.predictor import open_predictor
from raresight.pipeline.runtime.errors import DeviceError

pytest.importorskip("captum")


class CornerNet(nn.Module):
    """Looks at four pixels alone."""

    def forward(self, seen: torch.Tensor) -> torch.Tensor:
        corner = seen[:, :, 1:3, 1:3].mean((1, 2, 3))
        return torch.stack([-corner, corner.exp()], dim=1)


def test_the_pixels_that_decide_are_found_and_add_up(kept_project, pixels, monkeypatch):
    predictor = open_predictor(kept_project.model, "cpu")
    images = pixels[:3]
    targets = np.array([0, 1, 1])
    model = predictor.scorer.model
    found = attributions(predictor, images, targets, steps=128)
    assert found.shape == images.shape[:3]
    # All together they are what the class's logit has more than in the blurred image.
    with torch.no_grad():
        seen = model.standardize(torch.from_numpy(images))
        blurred = nn.functional.avg_pool2d(seen, 7, 1, 3, count_include_pad=False)
        more = (model.network(seen) - model.network(blurred))[range(3), targets]
    assert found.sum((1, 2)) == pytest.approx(more.numpy(), abs=0.03 * float(abs(more).max()))
    corner = Classifier(CornerNet(), [110] * 3, [30] * 3, 2)
    monkeypatch.setattr(predictor.scorer, "model", corner)
    found = np.abs(attributions(predictor, images, targets))
    assert found[:, 1:3, 1:3].sum() == pytest.approx(found.sum())


def test_strengths_are_colors_and_shares():
    image = np.full((4, 4, 3), 100, np.uint8)
    strength = np.zeros((4, 4))
    strength[0, 0], strength[3, 3] = 2.0, -2.0
    drawn = colored(image, strength)
    assert drawn[0, 0].tolist() == [255, 128, 0]
    assert drawn[3, 3].tolist() == [64, 160, 255]
    assert (drawn[1, 1] == 45).all()
    assert (colored(image, strength * 0) == 45).all()
    mask = np.zeros((4, 4), np.uint8)
    mask[0, :2] = 1
    known = {"actual": "a", "predicted": "b", "score": 0.5}
    one = Explained(image=image, mask=mask, attribution=strength + 1, **known)
    # Of 3 + 14 x 1 (the pixel at -1 speaks against it) the mask has 3 + 1.
    assert one.share_in_mask == (4 / 17, 2 / 16)
    nothing = Explained(image=image, mask=mask, attribution=strength * 0, **known)
    assert nothing.share_in_mask is None


def test_the_command_draws_the_surest_mistakes(kept_project, tmp_path, monkeypatch):
    out = tmp_path / "mistakes.png"
    arguments = (*kept_project.options, "explain", "--out", out, "--mistakes", 3)
    done = invoke(*arguments)
    assert done.exit_code == 0, done.output
    text = " ".join(done.output.split())
    told = re.search(r": (\d+) of (\d+) false positives, (\d+) of (\d+) false negatives", text)
    assert told is not None, text
    shown_positives, false_positives, shown_negatives, false_negatives = map(int, told.groups())
    assert shown_positives == min(3, false_positives) == 3
    assert shown_negatives == min(3, false_negatives)
    results = json.loads((kept_project.data / "evaluation/results.json").read_text())
    wrong = (1 - results["test"]["accuracy"]) * sum(results["counts"]["test"].values())
    assert false_positives + false_negatives == pytest.approx(wrong)
    # Images of the other class hold no object that anything could lie on.
    assert ("of what speaks for the class lies on the objects" in text) == (false_negatives > 0)
    with Image.open(out) as picture:
        assert picture.size[0] > 1000
        assert len(np.unique(np.asarray(picture).reshape(-1, 3), axis=0)) > 100
    first = out.read_bytes()
    assert invoke(*arguments).exit_code == 0
    assert out.read_bytes() == first
    monkeypatch.setattr(explaining, "find_spec", lambda name: None)
    with pytest.raises(DeviceError, match=r"needs captum: pip install 'raresight\[explain\]'"):
        explain.run(kept_project.data, out, most=1)
