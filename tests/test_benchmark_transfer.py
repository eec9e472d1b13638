"""The tables of few real images and of weights that exist: arms are valid, and tables add up."""

from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

from benchmarks import pretrained, transfer
from raresight.pipeline.core.params import parse
from raresight.pipeline.training.params import TrainParams

LABELS = np.repeat([str(digit) for digit in range(10)], 150).tolist()


@pytest.mark.parametrize("arm", transfer.ARMS)
def test_every_arm_is_a_valid_section_of_as_many_steps(arm):
    for per_class in transfer.PER_CLASS:
        params = parse(TrainParams, transfer.section(arm, per_class, 1))
        of_real = -(-10 * per_class // transfer.BATCH)
        per_epoch = 157 if params.pretrain is None else of_real
        steps = params.epochs * per_epoch + 157 * params.pretrain_epochs
        every = 157 * transfer.EPOCHS
        assert every - of_real < steps <= every


def test_what_judges_is_the_same_whatever_is_learned_from():
    given = {n: transfer.given_splits(LABELS, n, seed=2) for n in transfer.PER_CLASS}
    for split, count in (("test", 80), ("val", 10)):
        (first, *others) = [[one == split for one in found] for found in given.values()]
        assert others == [first, first]
        assert sum(first) == 10 * count
    for few, more in ((10, 30), (30, 60)):
        assert all(
            b == "train" for a, b in zip(given[few], given[more], strict=True) if a == "train"
        )
        assert given[few].count("train") == 10 * few
    assert given[10] != transfer.given_splits(LABELS, 10, seed=3)


def test_gains_are_paired_by_seed():
    rows = [
        {"arm": arm, "per_class": n, "accuracy": accuracy}
        for n in transfer.PER_CLASS
        for number, arm in enumerate(transfer.ARMS)
        for accuracy in (0.5 + 0.1 * number, 0.7 + 0.1 * number)
    ]
    lines = transfer.table(rows).splitlines()
    assert lines[0].count("a class") == 3
    assert lines[2].startswith("| real alone | 0.600 ± 0.141 |  |")
    assert lines[3].startswith("| drawn poured in | 0.700 ± 0.141 | +0.100 ± 0.000 |")


@pytest.mark.skipif(find_spec("timm") is None, reason="the extra [timm] is not installed")
@pytest.mark.parametrize("arm", pretrained.ARMS)
def test_every_network_is_a_valid_section(arm):
    params = parse(TrainParams, pretrained.section(arm, 1, Path("lite0.safetensors")))
    assert params.model.begins_trained == ("ImageNet" in arm)
    rows = [
        {"arm": name, "seed": seed, "average_precision": seed / 4, "seconds": 1.0}
        for name in pretrained.ARMS
        for seed in (1, 2, 3)
    ]
    found = next(line for line in pretrained.table(rows).splitlines() if f"| {arm} |" in line)
    assert found == f"| {arm} | 0.250 | 0.500 | 0.750 | 0.500 ± 0.250 | 1 |"
