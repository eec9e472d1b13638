from raresight.pipeline.core.summary import summary
from raresight.pipeline.wording.trainings import trainings

NAMES = ("accuracy", "precision", "recall", "f1", "average_precision", "roc_auc")


def metrics(values):
    found = summary([dict.fromkeys(NAMES, value) for value in values])
    seeds = {str(k): 100 + k for k in range(1, len(values) + 1)}
    by_seed = {"num_seeds": len(values), "seeds": seeds, "test": found}
    return {"positive": "rare", "by_seed": by_seed}


def test_mean_and_spread_come_first_then_each_training_with_its_seed():
    table = trainings(metrics([0.25, 0.75]))
    assert len(table.columns) == 6
    assert dict(table.rows) == {
        "mean": ("0.500",) * 6,
        "spread": ("0.354",) * 6,  # the root of 1/8
        "101": ("0.250",) * 6,
        "102": ("0.750",) * 6,
    }
    assert table.more == 0


def test_many_trainings_are_counted_instead_of_listed():
    table = trainings(metrics([k / 20 for k in range(20)]))
    assert len(table.rows) - 2 + table.more == 20
    assert table.more > 0


def test_an_undefined_value_is_a_dash_and_has_no_mean():
    rows = dict(trainings(metrics([0.25, None])).rows)
    assert rows["mean"] == rows["spread"] == rows["102"] == ("\N{EN DASH}",) * 6


def test_a_single_training_has_no_table():
    assert trainings({"positive": None}) is None
