"""Several trainings of one recipe: each is judged, the first one is what the rest is about."""

from statistics import fmean, stdev

import numpy as np
import pytest
from judged import IDS, LABELS, SPLITS, DullScorer, SquareScorer, draw_images, predictions
from sklearn.metrics import (
    accuracy_score,
    average_precision_score,
    f1_score,
    precision_score,
    recall_score,
    roc_auc_score,
)

from raresight.pipeline.core.files import manifest_problems
from raresight.pipeline.evaluation.decisions.thresholds import choose
from raresight.pipeline.evaluation.metrics.registry import shown
from raresight.pipeline.evaluation.params import MaxF1
from raresight.pipeline.stages import evaluate

SEEDS = (1, 20, 30)
SCORERS = (SquareScorer(), DullScorer(20), DullScorer(30))


def chosen(name):
    return np.flatnonzero(np.array(SPLITS) == name)


def by_hand(scorer):
    """The test metrics of a scorer, its threshold chosen on validation."""
    rare, images = np.array(LABELS) == "rare", draw_images()
    on_val, on_test = (scorer.scores(images, chosen(name))[:, 1] for name in ("val", "test"))
    threshold = choose(MaxF1(), on_val, rare[chosen("val")]).value
    truth, called = rare[chosen("test")], on_test >= threshold
    return {
        "accuracy": accuracy_score(truth, called),
        "precision": precision_score(truth, called),
        "recall": recall_score(truth, called),
        "f1": f1_score(truth, called),
        "average_precision": average_precision_score(truth, on_test),
        "roc_auc": roc_auc_score(truth, on_test),
    }


@pytest.fixture
def judged(judged_project):
    params, data = judged_project(seeds=SEEDS, perturb="[]")
    return evaluate.run(params, data), data


def test_each_training_is_judged_on_test_with_a_threshold_of_its_own(judged):
    by_seed = judged[0]["by_seed"]
    expected = [by_hand(scorer) for scorer in SCORERS]
    assert by_seed["num_seeds"] == 3
    for name in expected[0]:
        values = [one[name] for one in expected]
        found = by_seed["test"][name]
        assert list(found["values"].values()) == pytest.approx(values), name
        assert found["mean"] == pytest.approx(fmean(values))
        assert found["spread"] == pytest.approx(stdev(values))
    assert len(set(by_seed["threshold"]["values"].values())) == 3
    assert len(set(by_seed["temperature"]["values"].values())) == 3
    assert set(by_seed["test"]) == {*shown("seeds", positive=True)}


def test_the_seeds_are_told_and_the_first_training_stays_the_one_the_verdict_is_about(judged):
    metrics = judged[0]
    assert metrics["by_seed"]["seeds"] == {"1": 1, "2": 20, "3": 30}
    for name in ("test", "val", "perturbed"):
        for metric in ("f1", "average_precision", "accuracy"):
            first = metrics["by_seed"][name][metric]["values"]["1"]
            assert first == metrics[name][metric]
    assert metrics["by_seed"]["threshold"]["values"]["1"] == metrics["threshold"]["model"]
    # An empty recipe perturbs nothing.
    assert metrics["by_seed"]["perturbed"]["f1"] == metrics["by_seed"]["test"]["f1"]


def test_the_scores_of_every_training_are_kept(judged):
    data = judged[1]
    assert manifest_problems(data / "evaluation" / "predictions") == []
    for number, scorer in enumerate(SCORERS[1:], 2):
        for name in ("val", "test", "perturbed"):
            table = predictions(data, f"replicate-{number}/{name}")
            rows = chosen("val" if name == "val" else "test")
            assert table["id"].to_pylist() == [IDS[row] for row in rows]
            score = scorer.scores(draw_images(), rows)[:, 1]
            assert np.allclose(table["score.rare"], score)


def test_a_single_training_says_nothing_of_others(judged_project):
    params, data = judged_project()
    assert "by_seed" not in evaluate.run(params, data)
    assert not list((data / "evaluation" / "predictions").glob("replicate-*"))


class NeverScorer(SquareScorer):
    """On test images never as sure of a rare one as on validation's."""

    def scores(self, images, rows):
        found = super().scores(images, rows)
        if len(rows) == len(chosen("test")) and (rows == chosen("test")).all():
            found = np.tile([0.999, 0.001], (len(rows), 1))
        return found


def test_what_one_training_leaves_undefined_has_no_mean_and_says_which(judged_project, use_scorer):
    params, data = judged_project(seeds=(1, 2), perturb="[]")
    use_scorer(SquareScorer(), NeverScorer())
    found = evaluate.run(params, data)["by_seed"]["test"]
    assert (found["precision"]["mean"], found["precision"]["spread"]) == (None, None)
    assert found["precision"]["values"]["1"] is not None
    assert list(found["undefined"]["precision"]) == ["2"]
    assert found["recall"]["values"]["2"] == 0


def test_without_a_positive_class_the_means_over_the_classes_are_told(judged_project):
    params, data = judged_project(positive=None, seeds=SEEDS, perturb="[]")
    metrics = evaluate.run(params, data)
    by_seed = metrics["by_seed"]
    assert "threshold" not in by_seed
    for name in shown("seeds", positive=False):
        first = {**metrics["calibration"]["calibrated"], **metrics["test"]}[name]
        assert by_seed["test"][name]["values"]["1"] == first
        assert len(by_seed["test"][name]["values"]) == 3
