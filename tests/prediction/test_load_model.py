"""The model in Python, as ``raresight.load_model`` gives it."""

import shutil

import judged
import numpy as np
import pytest

import raresight
from raresight.pipeline.runtime.errors import DataError, InputMissing, ParamsError


def test_it_answers_as_evaluate_did(kept_project, pixels):
    model = raresight.load_model(kept_project.model, device="cpu")
    table = judged.predictions(kept_project.data, "test")
    applied = model.apply(pixels[np.array(judged.SPLITS) == "test"], prevalence=0.01)
    assert applied.answers.tolist() == table["predicted"].to_pylist()
    np.testing.assert_allclose(applied.probabilities[:, 1], table["probability.rare"], rtol=1e-5)
    assert (applied.deployed.probabilities[:, 1] < applied.probabilities[:, 1]).all()
    assert applied.unlike.dtype == bool
    np.testing.assert_array_equal(model.predict(pixels[:3]), model.apply(pixels[:3]).scores)


def test_files_are_read_to_what_it_takes(kept_project, pixels):
    model = raresight.load_model(kept_project.model, device="cpu")
    files = [kept_project.photos / f"{id}.png" for id in judged.IDS[:5]]
    np.testing.assert_array_equal(model.read(files), pixels[:5])
    assert model.predict(model.read([])).shape == (0, 2)


def test_without_a_decision_there_are_scores_alone(own_project, pixels):
    shutil.rmtree(own_project.data / "decision")
    model = raresight.load_model(own_project.model, device="cpu")
    assert not model.decides
    assert model.predict(pixels[:2]).shape == (2, 2)
    with pytest.raises(InputMissing, match="Run `raresight evaluate`"):
        model.apply(pixels[:2])


def test_what_does_not_fit_is_named(kept_project, alike_project, pixels):
    model = raresight.load_model(kept_project.model, device="cpu")
    for wrong in (pixels[:, :5], pixels.astype(float), pixels[..., :1]):
        with pytest.raises(DataError, match=r"uint8 \(n, 12, 12, 3\)"):
            model.apply(wrong)
    with pytest.raises(ParamsError, match="this model has none"):
        raresight.load_model(alike_project.model).apply(pixels[:1], prevalence=0.1)
