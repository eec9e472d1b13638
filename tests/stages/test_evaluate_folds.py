"""evaluate where training had folds: what it decides, it decides by out-of-fold scores."""

import judged
import numpy as np
import pytest

from raresight.pipeline.evaluation.decisions.kept import KeptDecision
from raresight.pipeline.evaluation.decisions.thresholds import choose
from raresight.pipeline.evaluation.params import MaxF1
from raresight.pipeline.models.out_of_fold import OutOfFold
from raresight.pipeline.runtime.errors import DataError
from raresight.pipeline.stages import evaluate
from raresight.pipeline.wording.verdict import plain, verdict

ROWS = [k for k, split in enumerate(judged.SPLITS) if split != "test"]


def held_out(**changes):
    """Scores that the model itself would not give."""
    positive = np.array([judged.LABELS[k] == "rare" for k in ROWS])
    rare = np.random.default_rng(3).uniform(0, 0.6, len(ROWS)) + 0.3 * positive
    columns = {
        "classes": ("common", "rare"),
        "ids": np.array([judged.IDS[k] for k in ROWS]),
        "folds": np.arange(len(ROWS)) % 4 + 1,
        "scores": np.stack([1 - rare, rare], axis=1),
    }
    return OutOfFold(**columns | changes)


def test_what_is_chosen_is_chosen_on_them(judged_project):
    table = held_out()
    params, data = judged_project(held_out=table, seeds=(1, 2))
    results = evaluate.run(params, data)
    score, rare = table.scores[:, 1], np.array([judged.LABELS[k] == "rare" for k in ROWS])
    by_hand = choose(MaxF1(), score, rare)
    assert results["threshold"]["model"] == by_hand.value
    assert results["threshold"]["positives"] == rare.sum() == 15
    assert results["by_seed"]["threshold"]["values"] == {"1": by_hand.value, "2": by_hand.value}
    assert results["validation"] == {"scores": "out_of_fold", "folds": 4}
    assert results["counts"]["train"] == results["counts"]["val"] == {"common": 75, "rare": 15}
    prior = results["calibration"]["prior"]["rare"]
    assert prior == pytest.approx((15 + 0.5) / 91)
    kept = judged.predictions(data, "val")
    assert kept["id"].to_pylist() == table.ids.tolist()
    np.testing.assert_array_equal(kept["score.rare"].to_numpy(), score)
    said = plain(verdict(results))
    assert "decided by 15 'rare' of train and val, each scored by one of 4 models" in said
    # What is ordinary is told by images that the model has not learned from.
    assert set(KeptDecision.read(data / "decision").flagged) == {"test"}


def test_without_folds_few_positives_are_said_to_be_few(judged_project):
    params, data = judged_project()
    results = evaluate.run(params, data)
    assert "validation" not in results
    assert "decided by 5 'rare' in validation, fewer than 20: `train.folds: 5`" in plain(
        verdict(results)
    )


def test_scores_of_other_images_are_refused(judged_project):
    params, data = judged_project(held_out=held_out())
    evaluate.run(params, data)
    before = judged.contents(data / "evaluation")
    judged_project(held_out=held_out(ids=np.array([f"other-{k}" for k in ROWS])))
    with pytest.raises(DataError, match="of other images or classes"):
        evaluate.run(params, data)
    assert judged.contents(data / "evaluation") == before
