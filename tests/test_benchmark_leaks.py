"""The benchmark of leaks runs, and its probes find what is there and nothing else."""

import json

import numpy as np
import pytest

from benchmarks import __main__ as program
from benchmarks import leaks, probes
from raresight.generators.base import Sample


def test_it_prints_a_row_for_each_probe(capsys):
    program.main(["leaks", "textures", "--images", "12", "--json"])
    found = json.loads(capsys.readouterr().out)
    (row, of_banks) = found.values()
    for probe in ("cut", "far patch", "factors"):
        assert 0 <= row[f"{probe}: boosting"]["auc"] <= 1
    assert row["outcomes: boosting"] is None  # textures has none
    assert set(of_banks) > {"set 0", "set 1"}
    assert of_banks["set 0"]["false positives"] <= 0.05  # that is where the threshold was put


def test_every_case_names_classes_of_its_generator():
    for case in leaks.CASES.values():
        assert {case.positive, *case.negatives} <= set(case.build().classes)


def test_an_unknown_name_is_refused(capsys):
    with pytest.raises(SystemExit):
        leaks.main(["shape"])
    assert "there are pathology" in capsys.readouterr().err


def sample(rng, masked, *, lighter=0):
    image = rng.integers(80, 120, (64, 64, 3)).astype(np.uint8)
    mask = np.zeros((64, 64), np.uint8)
    if masked:
        mask[8:16, 8:16] = 1
        image[8:16, 8:16] = 250
    image[40:] += np.uint8(lighter)
    return Sample(image=image, label="a" if masked else "b", mask=mask)


@pytest.mark.parametrize(("lighter", "low", "high"), [(0, 0.3, 0.7), (8, 0.97, 1.0)])
def test_a_far_patch_tells_what_lies_far_from_the_object_alone(lighter, low, high):
    rng = np.random.default_rng(1)
    pairs = [(sample(rng, True, lighter=lighter), sample(rng, False)) for _ in range(60)]
    patches = probes.far_patches(pairs, probes.of_mask)
    assert patches.shape == (120, 20, 20, 3)
    assert patches.max() < 250  # the object is in none
    answer = probes.ask(probes.patch_features(patches), probes.logistic)
    assert low <= answer.auc <= high


def test_what_is_cut_out_tells_nothing():
    rng = np.random.default_rng(2)
    pairs = [(sample(rng, True), sample(rng, False)) for _ in range(60)]
    answer = probes.ask(probes.cut_features(pairs, probes.of_mask), probes.logistic)
    assert abs(answer.auc - 0.5) < 4 * probes.chance_error(60, 60)
    whole = np.array([one.image.max() for pair in pairs for one in pair])[:, None]
    assert probes.ask(whole, probes.logistic).auc == 1


def test_the_chance_error_is_that_of_shuffled_labels():
    rng = np.random.default_rng(3)
    scores = rng.random(60)
    ranks = scores.argsort().argsort() + 1
    aucs = []
    for _ in range(4000):
        chosen = rng.permutation(60)[:20]
        aucs.append((ranks[chosen].sum() - 20 * 21 / 2) / (20 * 40))
    assert np.std(aucs) == pytest.approx(probes.chance_error(20, 40), rel=0.05)
