"""Label noise and outliers: as many as asked for, recorded, the same whatever else is drawn."""

import json
from pathlib import Path

import numpy as np
import pytest

from raresight.pipeline.dataset import Dataset, schema
from raresight.pipeline.evaluation.uncertainty.intervals import wilson
from raresight.pipeline.runtime.errors import ParamsError
from raresight.pipeline.splitting.table import read_splits
from raresight.pipeline.stages import augment, generate, split

SHAPES = {
    "generator": "shapes",
    "count": 600,
    "options": {"classes": ["circle", "square", "star"]},
}
KINDS = ["wrong_domain", "blank", "over_exposed", "duplicated"]


@pytest.fixture
def run(tmp_path: Path):
    def call(name="data", *, workers=1, **changes) -> Dataset:
        section = {"seed": 3, "image_size": 16, "positive": None}
        section["sources"] = [{**SHAPES, **changes}]
        params = {
            "generate": section,
            "augment": {
                "seed": 1, "copies": {}, "min_label_share": 0.5, "max_tries": 2,
                "spatial": [], "pixel": [],
            },
            "split": {"seed": 1, "ratios": {"train": 0.7, "val": 0.15, "test": 0.15}},
        }  # fmt: skip
        (tmp_path / "params.yaml").write_text(json.dumps(params))
        return Dataset(generate.run(tmp_path / "params.yaml", tmp_path / name, workers=workers))

    return call


def corruptions_of(data: Dataset) -> np.ndarray:
    return data.factors["corruption"].fillna("").to_numpy(str)


def test_uniform_noise_turns_the_share_asked_for_into_any_other_class(run):
    data = run(label_noise={"name": "uniform", "rate": 0.3})
    wrong = data.labels != data.true_labels
    low, high = wilson(int(wrong.sum()), len(data), confidence=0.999)
    assert low <= 0.3 <= high
    assert np.array_equal(wrong, corruptions_of(data) == "label_noise")
    pairs = set(zip(data.true_labels[wrong].tolist(), data.labels[wrong].tolist(), strict=True))
    assert len(pairs) == 6


def test_noise_changes_labels_and_nothing_else(run):
    clean, noisy = run("clean"), run("noisy", label_noise={"name": "uniform", "rate": 0.5})
    assert noisy.true_labels.tolist() == clean.labels.tolist()
    assert np.array_equal(np.asarray(noisy.images), np.asarray(clean.images))
    assert "corruption" not in clean.factors
    assert (
        "label_noise" not in json.loads((clean.folder / "dataset.json").read_text())["sources"][0]
    )


def test_conditional_noise_goes_where_it_is_told(run):
    data = run(label_noise={"name": "class_conditional", "rates": {"star": {"circle": 0.5}}})
    wrong = data.labels != data.true_labels
    assert set(data.true_labels[wrong]) == {"star"}
    assert set(data.labels[wrong]) == {"circle"}
    low, high = wilson(int(wrong.sum()), int((data.true_labels == "star").sum()), confidence=0.999)
    assert low <= 0.5 <= high


def test_noise_near_the_boundary_meets_the_hard_images(run):
    noise = {"name": "boundary", "rate": 0.3, "factor": "size", "hard": "low"}
    data = run(label_noise=noise)
    wrong, size = data.labels != data.true_labels, data.factors["size"].to_numpy()
    low, high = wilson(int(wrong.sum()), len(data), confidence=0.999)
    assert low <= 0.3 <= high
    small = size < np.median(size)
    assert wrong[small].mean() > 2 * wrong[~small].mean()


def test_outliers_are_what_they_are_called(run):
    clean, data = run("clean"), run("spoilt", outliers={"rate": 0.4, "kinds": KINDS})
    corruption = corruptions_of(data)
    low, high = wilson(int((corruption != "").sum()), len(data), confidence=0.999)
    assert low <= 0.4 <= high
    same = np.array([np.array_equal(*pair) for pair in zip(data.images, clean.images, strict=True)])
    assert np.array_equal(same, corruption == "")
    images, masks = np.asarray(data.images, float), np.asarray(data.masks)
    assert images[corruption == "blank"].std(axis=(1, 2, 3)).max() < 3
    assert not masks[(corruption == "blank") | (corruption == "wrong_domain")].any()
    burnt = corruption == "over_exposed"
    assert images[burnt].mean() > np.asarray(clean.images, float)[burnt].mean() + 50
    assert np.array_equal(masks[burnt], np.asarray(clean.masks)[burnt])


def test_a_duplicate_shows_an_earlier_image_of_its_class_and_names_it(run):
    data = run(outliers={"rate": 0.3, "kinds": ["duplicated"]})
    row_of = {name: row for row, name in enumerate(data.ids.tolist())}
    copies = np.flatnonzero(corruptions_of(data) == "duplicated")
    assert len(copies) > 100
    assert np.array_equal(copies, np.flatnonzero(data.ids != data.source_ids))
    for row in copies.tolist():
        original = row_of[str(data.source_ids[row])]
        assert original < row
        assert np.array_equal(data.images[row], data.images[original])
        assert data.labels[row] == data.labels[original]


def test_duplicates_stay_in_the_split_of_their_original(run, tmp_path):
    data = run(outliers={"rate": 0.3, "kinds": KINDS}, label_noise={"name": "uniform", "rate": 0.1})
    augment.run(tmp_path / "params.yaml", tmp_path / "data", workers=1)
    splits = read_splits(split.run(tmp_path / "params.yaml", tmp_path / "data"))
    of = {
        str(data.ids[row]): name
        for name in ("train", "val", "test")
        for row in splits.rows(data, name)
    }
    assert len(of) == len(data)
    assert all(of[one] == of[two] for one, two in zip(data.ids, data.source_ids, strict=True))


def test_corruptions_depend_on_seed_and_record_alone(run, monkeypatch):
    options = {
        "outliers": {"rate": 0.3, "kinds": KINDS},
        "label_noise": {"name": "uniform", "rate": 0.2},
    }
    monkeypatch.setattr(schema, "SHARD_BYTES", 50 * 16 * 16 * 4)
    one, two = run("one", **options), run("two", workers=2, **options)
    assert one.description.shards == two.description.shards
    longer = run("longer", **{**options, "count": 700})
    assert corruptions_of(longer)[:600].tolist() == corruptions_of(one).tolist()
    assert longer.labels[:600].tolist() == one.labels.tolist()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"label_noise": {"name": "uniform"}}, r"label_noise\.rate: this key is missing"),
        ({"label_noise": {"name": "unform", "rate": 0.1}}, "Did you mean 'uniform'"),
        ({"label_noise": {"name": "uniform", "rate": 1.5}}, "less than or equal to 1"),
        (
            {"label_noise": {"name": "class_conditional", "rates": {"stars": {"circle": 0.1}}}},
            "no class 'stars'",
        ),
        (
            {"label_noise": {"name": "class_conditional", "rates": {"star": {"star": 0.1}}}},
            "rates.star: other classes",
        ),
        (
            {"label_noise": {"name": "boundary", "rate": 0.1, "factor": "sise", "hard": "low"}},
            "label_noise.factor: must be one of .*size",
        ),
        ({"outliers": {"rate": 0.1, "kinds": ["strange"]}}, "'wrong_domain', 'blank'"),
        ({"outliers": {"rate": 0.1, "kinds": []}}, "at least 1"),
    ],
)
def test_impossible_corruptions_are_refused(run, changes, message):
    with pytest.raises(ParamsError, match=message):
        run(**changes)
