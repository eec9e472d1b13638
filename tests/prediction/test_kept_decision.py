"""The decision that evaluate keeps: it answers as evaluate did, and moves with the prevalence."""

import json
from dataclasses import replace

import judged
import numpy as np
import pytest

from raresight.pipeline.evaluation.decisions.kept import KeptDecision
from raresight.pipeline.runtime.errors import DataError, ParamsError
from raresight.pipeline.stages import evaluate


def kept(project) -> KeptDecision:
    return KeptDecision.read(project.data / "decision")


def table_of(project, name="test"):
    return judged.predictions(project.data, name)


def scores_of(table):
    return np.stack([table[f"score.{label}"].to_numpy() for label in ("common", "rare")], axis=1)


@pytest.mark.parametrize("name", ["kept_project", "alike_project"])
def test_it_answers_and_calibrates_as_evaluate_did(name, request):
    project = request.getfixturevalue(name)
    decision, table = kept(project), table_of(project)
    scores = scores_of(table)
    answers = np.asarray(decision.task.classes)[decision.decide(scores)]
    assert answers.tolist() == table["predicted"].to_pylist()
    for place, label in enumerate(decision.task.classes):
        expected = table[f"probability.{label}"].to_numpy()
        np.testing.assert_array_equal(decision.calibrator(scores)[:, place], expected)


def test_it_is_the_same_bytes_again(own_project):
    first = judged.contents(own_project.data / "decision")
    evaluate.run(own_project.params, own_project.data, device="cpu")
    assert judged.contents(own_project.data / "decision") == first


def test_it_says_which_share_of_ordinary_images_is_flagged(kept_project):
    decision = kept(kept_project)
    assert set(decision.unlike) == {"pixels", "features"}
    assert decision.flagged["val"] == {"common": 0.0, "rare": 0.0}  # 30 images flag none of them
    assert set(decision.flagged["test"]) == {"common", "rare"}


def test_at_its_own_prevalence_nothing_moves(kept_project):
    decision = kept(kept_project)
    same = decision.at_prevalence(decision.prevalence)
    assert same.threshold == pytest.approx(decision.threshold, rel=1e-12)
    np.testing.assert_allclose(same.calibrator.prior, decision.calibrator.prior, rtol=1e-12)


@pytest.mark.parametrize("prevalence", [1e-4, 0.3, 0.9])
def test_at_another_prevalence_an_image_is_positive_if_it_is_as_probable(kept_project, prevalence):
    """By hand: Bayes' rule moves the odds, and what the threshold asks for is a probability."""
    decision = kept(kept_project)
    decision = replace(decision, calibrator=replace(decision.calibrator, temperature=1.7))
    rare = np.linspace(0.01, 0.99, 197)
    scores = np.stack([1 - rare, rare], axis=1)
    shifted = decision.at_prevalence(prevalence)
    old, prior = decision.calibrator(scores)[:, 1], decision.calibrator.prior[1]
    odds = old / (1 - old) * (prevalence / (1 - prevalence)) / (prior / (1 - prior))
    np.testing.assert_allclose(shifted.calibrator(scores)[:, 1], odds / (1 + odds), rtol=1e-9)
    at = np.array([[1 - decision.threshold, decision.threshold]])
    asked = decision.calibrator(at)[0, 1]
    np.testing.assert_array_equal(shifted.decide(scores) == 1, odds / (1 + odds) >= asked)


def test_a_prevalence_needs_a_positive_class(alike_project):
    with pytest.raises(ParamsError, match="this model has none"):
        kept(alike_project).at_prevalence(0.1)


def test_with_three_classes_the_others_keep_their_proportions(kept_project):
    decision = kept(kept_project)
    task = replace(decision.task, classes=("a", "b", "rare"))
    thirds = replace(decision.calibrator, assumed=np.ones(3) / 3, prior=np.array([0.6, 0.2, 0.2]))
    moved = replace(decision, task=task, calibrator=thirds).at_prevalence(0.6).calibrator.prior
    np.testing.assert_allclose(moved, [0.3, 0.1, 0.6])


@pytest.mark.parametrize(
    ("edit", "said"),
    [
        (lambda d: d.update(format=99), "not of format 1"),
        (lambda d: d.pop("calibration"), "no decision that can be read"),
        (lambda d: d.update(rule={"name": "guess"}), "no decision that can be read"),
    ],
)
def test_a_decision_that_is_none_is_named(own_project, edit, said):
    place = own_project.data / "decision" / "decision.json"
    document = json.loads(place.read_text())
    edit(document)
    place.write_text(json.dumps(document))
    with pytest.raises(DataError, match=said):
        kept(own_project)
