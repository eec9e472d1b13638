"""The augment section: what it takes and what it refuses before the library is asked."""

import pytest
from ruamel.yaml import YAML

from raresight.pipeline.augmentation.params import AugmentParams
from raresight.pipeline.core.params import load_section
from raresight.pipeline.runtime.errors import ParamsError

GOOD = {
    "seed": 0,
    "copies": {"rare": 3},
    "min_label_share": 0.7,
    "max_tries": 5,
    "spatial": [{"name": "Affine", "p": 0.5, "rotate": [-10, 10], "border_mode": 4}],
    "pixel": [],
}


def load(tmp_path, changes):
    path = tmp_path / "params.yaml"
    YAML().dump({"augment": GOOD | changes}, path)
    return load_section(path, "augment", AugmentParams)


def test_further_keys_of_a_step_are_its_arguments(tmp_path):
    (affine,) = load(tmp_path, {}).spatial
    assert (affine.name, affine.p) == ("Affine", 0.5)
    assert affine.arguments == {"rotate": [-10, 10], "border_mode": 4}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"copies": {"rare": -1}}, r"augment\.copies\.rare: .*-1"),
        ({"copies": {"rare": 1001}}, r"augment\.copies\.rare: .*1000.*1001"),
        ({"copies": {"rare": 2.5}}, r"augment\.copies\.rare: .*2\.5"),
        ({"min_label_share": 1.1}, r"augment\.min_label_share: .*1\.1"),
        ({"max_tries": 0}, r"augment\.max_tries: .*0"),
        (
            {"spatial": [{"name": "Affine", "scale": {"x": [1, float("nan")]}}]},
            r"augment\.spatial\[0\]\.scale: numbers must be finite",
        ),
        ({"spatial": [{"p": 0.5}]}, r"augment\.spatial\[0\]\.name: this key is missing"),
        ({"pixel": [{"name": "Blur", "p": 2}]}, r"augment\.pixel\[0\]\.p: .*2"),
        ({"pixel": None}, r"augment\.pixel: .*None"),
        ({"pixels": []}, r"augment\.pixels: unknown key.*Did you mean 'pixel'"),
    ],
)
def test_bad_values_are_refused_with_their_place(tmp_path, changes, message):
    with pytest.raises(ParamsError, match=message):
        load(tmp_path, changes)
