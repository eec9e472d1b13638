"""The split section: what it takes and what it refuses."""

import pytest
from ruamel.yaml import YAML

from raresight.pipeline.core.params import load_section
from raresight.pipeline.runtime.errors import ParamsError
from raresight.pipeline.splitting.params import SplitParams


def load(tmp_path, section):
    path = tmp_path / "params.yaml"
    YAML().dump({"split": section}, path)
    return load_section(path, "split", SplitParams)


def test_ratios_that_sum_to_one_are_taken(tmp_path):
    params = load(tmp_path, {"seed": 0, "ratios": {"train": 0.7, "val": 0.2, "test": 0.1}})
    assert (params.seed, params.ratios.test) == (0, 0.1)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"test": 0.2}, "must sum to 1, not to 1.1"),
        ({"val": 0.3, "test": 0.0}, r"split\.ratios\.test: .*0\.01"),
        ({"train": 1.0}, r"split\.ratios\.train: .*0\.98"),
        ({"train": "0.7"}, r"split\.ratios\.train: .*number"),
        ({"vla": 0.1}, r"split\.ratios\.vla: unknown key.*Did you mean 'val'"),
    ],
)
def test_other_ratios_are_refused(tmp_path, changes, message):
    ratios = {"train": 0.7, "val": 0.2, "test": 0.1} | changes
    with pytest.raises(ParamsError, match=message):
        load(tmp_path, {"seed": 1, "ratios": ratios})


def test_a_bad_seed_is_refused(tmp_path):
    with pytest.raises(ParamsError, match=r"split\.seed: .*-1"):
        load(tmp_path, {"seed": -1})


def test_an_empty_section_has_the_defaults(tmp_path):
    assert load(tmp_path, {}).ratios.model_dump() == {"train": 0.70, "val": 0.15, "test": 0.15}
