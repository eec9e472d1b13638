import re
from pathlib import Path

import pytest

from raresight.pipeline.core.params import load_section
from raresight.pipeline.evaluation.params import EvaluateParams
from raresight.pipeline.runtime.errors import ParamsError

GOOD = {
    "seed": "0",
    "threshold": "{name: recall, target: 0.9}",
    "confidence_level": "0.95",
    "proportion_interval": "wilson",
    "num_bootstrap": "200",
    "deployment_prevalence": "1.0e-4",
    "calibration_bins": "10",
    "slices": "{bins: 4, min_images: 5}",
    "perturb": "[{name: GaussianBlur, p: 0.5, blur_limit: [3, 5]}]",
}


def load(folder: Path, **changes: str | None) -> EvaluateParams:
    section = {key: value for key, value in (GOOD | changes).items() if value is not None}
    path = folder / "params.yaml"
    path.write_text("\n".join(["evaluate:", *(f"  {k}: {v}" for k, v in section.items())]))
    return load_section(path, "evaluate", EvaluateParams)


def test_a_good_section_is_read(tmp_path):
    params = load(tmp_path)
    assert params.threshold.target == 0.9
    assert params.prevalences == (1e-4,)
    assert params.perturb[0].arguments == {"blur_limit": [3, 5]}


def test_several_prevalences_keep_their_order(tmp_path):
    assert load(tmp_path, deployment_prevalence="[1.0e-3, 1.0e-4]").prevalences == (1e-3, 1e-4)


@pytest.mark.parametrize("key", GOOD)
def test_a_key_that_is_left_out_has_its_default(tmp_path, key):
    assert getattr(load(tmp_path, **{key: None}), key) == getattr(EvaluateParams(), key)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("seed", "-1"),
        ("threshold.name", "{name: best}"),
        ("threshold.target", "{name: recall, target: 1.5}"),
        ("threshold.target", "{name: recall, target: 0}"),
        ("confidence_level", "1"),
        ("confidence_level", "0.4"),
        ("num_bootstrap", "10"),
        ("num_bootstrap", "200.5"),
        ("deployment_prevalence", "0"),
        ("deployment_prevalence", "1"),
        ("deployment_prevalence", "[]"),
        ("deployment_prevalence", "[0.1, 0.1]"),
        (r"deployment_prevalence\[1\]", "[0.1, 1.5]"),
        ("perturb", "GaussianBlur"),
    ],
)
def test_a_value_out_of_range_is_refused_with_its_key_path(tmp_path, key, value):
    with pytest.raises(ParamsError, match=rf"evaluate\.{key}: .*Got"):
        load(tmp_path, **{re.match("[a-z_]+", key)[0]: value})


def test_a_recall_rule_needs_a_target(tmp_path):
    with pytest.raises(ParamsError, match=r"evaluate\.threshold\.target: this key is missing"):
        load(tmp_path, threshold="{name: recall}")


def test_max_f1_takes_no_target(tmp_path):
    with pytest.raises(ParamsError, match=r"threshold\.target: unknown key"):
        load(tmp_path, threshold="{name: max_f1, target: 0.5}")


def test_a_misspelt_key_names_the_nearest(tmp_path):
    with pytest.raises(ParamsError, match=r"evaluate\.num_bootstraps: .*'num_bootstrap'"):
        load(tmp_path, num_bootstraps="200")


@pytest.mark.parametrize(
    ("old", "value", "new"),
    [
        ("confidence", "0.9", "confidence_level"),
        ("proportions", "wilson", "proportion_interval"),
        ("resamples", "200", "num_bootstrap"),
        ("threshold", "{rule: recall, target: 0.9}", "name"),
    ],
)
def test_a_renamed_key_says_its_new_name(tmp_path, old, value, new):
    with pytest.raises(ParamsError, match=f"renamed to '{new}'"):
        load(tmp_path, **{old: value})
