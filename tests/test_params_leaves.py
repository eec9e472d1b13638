"""Every leaf of params.yaml, spoilt in every way, is refused by a message that names it."""

import copy
import io
import subprocess
import sys

import pytest
from imports import ROOT
from ruamel.yaml import YAML

from pipeline.core.errors import ParamsError
from pipeline.stages import validate

YAML_ = YAML(typ="safe", pure=True)
PARAMS = YAML_.load((ROOT / "params.yaml").read_text())
# Free-form parts, checked by the library they are for: arguments of transforms; names of classes.
FREE = ("augment.spatial", "augment.pixel", "evaluate.perturb", "augment.copies")
OPTIONAL = {"generate.sources[0].generator"}


def leaves(value, path=()):
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from leaves(inner, (*path, key))
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from leaves(inner, (*path, index))
    else:
        yield path


def dotted(path) -> str:
    return path[0] + "".join(f"[{p}]" if isinstance(p, int) else f".{p}" for p in path[1:])


LEAVES = [path for path in leaves(PARAMS) if not dotted(path).startswith(FREE)]
KEYED = [path for path in LEAVES if isinstance(path[-1], str)]


def spoil(path, change):
    document = copy.deepcopy(PARAMS)
    holder = document
    for key in path[:-1]:
        holder = holder[key]
    change(holder, path[-1])
    return document


@pytest.fixture
def refuse(tmp_path):
    def run(document) -> str:
        file, text = tmp_path / "params.yaml", io.StringIO()
        YAML_.dump(document, text)
        file.write_text(text.getvalue())
        with pytest.raises(ParamsError) as caught:
            validate.run(file)
        assert str(file) in str(caught.value)
        return str(caught.value)

    return run


def value_at(path):
    value = PARAMS
    for key in path:
        value = value[key]
    return value


def parent_of(path) -> str:
    return dotted(path[:-1])


@pytest.mark.parametrize("path", KEYED, ids=dotted)
def test_missing(path, refuse):
    message = refuse(spoil(path, lambda holder, key: holder.pop(key)))
    assert dotted(path) in message or parent_of(path) in message


@pytest.mark.parametrize("path", LEAVES, ids=dotted)
def test_wrong_type(path, refuse):
    message = refuse(spoil(path, lambda holder, key: holder.__setitem__(key, {"a": ["b"]})))
    assert dotted(path) in message


NULLABLE = {
    "generate.positive",
    "train.max_per_class",
    "train.gradient_clip",
    "train.threads",
    "evaluate.threshold.target",
}


@pytest.mark.parametrize("path", [p for p in LEAVES if dotted(p) not in NULLABLE], ids=dotted)
def test_null(path, refuse):
    message = refuse(spoil(path, lambda holder, key: holder.__setitem__(key, None)))
    assert dotted(path) in message or parent_of(path) in message


NUMBERS = [
    path
    for path in LEAVES
    if isinstance(value_at(path), (int, float)) and not isinstance(value_at(path), bool)
]


@pytest.mark.parametrize("path", NUMBERS, ids=dotted)
def test_out_of_range(path, refuse):
    message = refuse(spoil(path, lambda holder, key: holder.__setitem__(key, -1)))
    assert dotted(path) in message
    assert "-1" in message


@pytest.mark.parametrize("path", KEYED, ids=dotted)
def test_misspelt(path, refuse):
    def misspell(holder, key):
        holder[f"{key}x"] = holder.pop(key)

    message = refuse(spoil(path, misspell))
    if parent_of(path).endswith("prevalence"):
        assert f"no class '{path[-1]}x'. Did you mean '{path[-1]}'?" in message
    else:
        assert f"{parent_of(path)}.{path[-1]}x: unknown key" in message
        assert f"Did you mean '{path[-1]}'?" in message


def test_problems_are_reported_together_with_exit_code_2(tmp_path):
    document = copy.deepcopy(PARAMS)
    document["train"]["epochs"] = 0
    document["split"]["ratios"]["train"] = 0.9
    document["extra"] = 1
    file = tmp_path / "params.yaml"
    with file.open("w") as stream:
        YAML_.dump(document, stream)
    done = subprocess.run(
        [sys.executable, "-m", "pipeline", "--params", str(file), "validate"],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    for where in ("train.epochs", "split.ratios", "extra: unknown section"):
        assert where in done.stderr
