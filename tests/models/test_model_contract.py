"""Every entry of the registry of models, and one of torchvision's, keeps the contract."""

import pytest
from model_contract import CHECKS

from raresight.pipeline.models.params import MODELS

# Keys beside the name that make a model small; a new one without an entry is tested as it is.
SMALL = {"small_cnn": {"width": 8, "blocks": [1, 1]}, "linear_probe": {"features": "pixels"}}
ENTRIES = {name: {"name": name, **SMALL.get(name, {})} for name in MODELS}
ENTRIES["torchvision"] = {"name": "shufflenet_v2_x0_5", "stem": "original"}


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
@pytest.mark.parametrize("name", ENTRIES)
def test_every_model(name, check):
    check(ENTRIES[name])


def test_the_small_ones_are_all_in_the_registry():
    assert set(SMALL) <= set(MODELS)
