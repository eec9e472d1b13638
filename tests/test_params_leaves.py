"""Every leaf of params.yaml, spoilt in every way, is refused by a message that names it."""

import copy
import re
import subprocess
import sys

import pytest
from full_params import full_params
from imports import ROOT
from ruamel.yaml import YAML

from raresight.pipeline.cards.params import CardParams
from raresight.pipeline.commands import validate
from raresight.pipeline.core.renamed import RENAMED
from raresight.pipeline.runtime.errors import ParamsError
from raresight.pipeline.stages.table import optional_models

_YAML = YAML(typ="safe", pure=True)
PARAMS = full_params()
(SOURCE,) = PARAMS["generate"]["sources"]
for key in ("options", *(key for key, value in SOURCE.items() if value is None)):
    del SOURCE[key]

NULLABLE = {
    "clean.labels",
    "clean.outliers",
    "clean.epochs",
    "enlarge.epochs",
    "clean.decisions",
    "train.source_weights",
    "train.folds",
    "train.pretrain",
    "report.title",
    "report.notes",
    "generate.positive",
    "train.sampler.max_per_class",
    "train.shuffle_window",
    "train.validation.max_per_class",
    "train.mixing",
    "train.ema",
    "train.classifier_retraining",
    "train.gradient_clip",
    "train.threads",
    "evaluate.threads",
    "split.keep",
    "train.start",
    *(f"card.{name}" for name in CardParams.model_fields),
}
# Without it no class is enlarged, which is a wish like any other.
OPTIONAL = {"augment.copies.mitotic"}
# An argument of a transform: the library knows its type and default, not always a range.
ARGUMENT = re.compile(r"(spatial|pixel|perturb)\[\d+\]\.(?!name$|p$)")


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


def value_at(path):
    value = PARAMS
    for key in path:
        value = value[key]
    return value


def is_number(value) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


# What no default can stand for: what to draw, how much of it, and which transform.
REQUIRED = re.compile(
    r"sources\[0\]\.(generator|count|prevalence\.mitotic)$|(spatial|pixel|perturb)\[\d+\]\.name$"
)
LEAVES = list(leaves(PARAMS))
OURS = [path for path in LEAVES if not ARGUMENT.search(dotted(path))]
ARGUMENTS = [path for path in LEAVES if ARGUMENT.search(dotted(path))]
KEYED = [path for path in OURS if isinstance(path[-1], str) and dotted(path) not in OPTIONAL]


def spoil(path, change):
    """The params with ``change(holder, key)`` done to the leaf's holder."""
    document = copy.deepcopy(PARAMS)
    holder = document
    for key in path[:-1]:
        holder = holder[key]
    change(holder, path[-1])
    return document


def replaced(path, value):
    return spoil(path, lambda holder, key: holder.__setitem__(key, value))


def misspelt(path):
    return spoil(path, lambda holder, key: holder.__setitem__(f"{key}x", holder.pop(key)))


@pytest.fixture
def refuse(tmp_path):
    def run(document) -> str:
        """What `validate` says against the params; fails when it says nothing."""
        file = tmp_path / "params.yaml"
        _YAML.dump(document, file)
        with pytest.raises(ParamsError) as caught:
            validate.run(file)
        first, *problems = str(caught.value).splitlines()
        assert first.startswith(f"{file} has ")
        assert all(problem.startswith(f"{file}: ") for problem in problems)
        return "\n".join(problems)

    return run


def named(path) -> list[str]:
    """Where a message may place a problem: at the leaf, or at keys that only work together."""
    return [dotted(path), f"{dotted(path[:-1])}:"]


@pytest.mark.parametrize("path", KEYED, ids=dotted)
def test_what_is_left_out_has_its_default(path, tmp_path, refuse):
    document = spoil(path, lambda holder, key: holder.pop(key))
    if REQUIRED.search(dotted(path)):
        assert any(place in refuse(document) for place in named(path))
        return
    file = tmp_path / "params.yaml"
    _YAML.dump(document, file)
    assert path in set(leaves(full_params(file)))


@pytest.mark.parametrize(
    "path", [path for path in OURS if dotted(path) not in NULLABLE], ids=dotted
)
def test_null(path, refuse):
    message = refuse(replaced(path, None))
    assert any(place in message for place in named(path))


@pytest.mark.parametrize("path", sorted(NULLABLE))
def test_null_is_an_answer_where_the_documentation_says_so(path, tmp_path):
    file = tmp_path / "params.yaml"
    _YAML.dump(replaced(path.split("."), None), file)
    section, *keys = path.split(".")
    value = validate.run(file)[section]
    for key in keys:
        value = getattr(value, key)
    assert value is None


@pytest.mark.parametrize("path", OURS, ids=dotted)
def test_wrong_type(path, refuse):
    message = refuse(replaced(path, [["b"]]))
    assert dotted(path) in message
    assert "Got [['b']]" in message


@pytest.mark.parametrize("path", [path for path in OURS if is_number(value_at(path))], ids=dotted)
def test_out_of_range(path, refuse):
    message = refuse(replaced(path, -1))
    assert dotted(path) in message
    assert "-1" in message


@pytest.mark.parametrize("path", [path for path in OURS if isinstance(path[-1], str)], ids=dotted)
def test_misspelt(path, refuse):
    key, message = path[-1], refuse(misspelt(path))
    if path[-2] in ("prevalence", "copies"):
        assert f"no class '{key}x'. Did you mean '{key}'?" in message
    elif f"{dotted(path)}x: " in message:
        assert f"Did you mean '{key}'?" in message
    else:
        assert f"{dotted(path)}: this key is missing. Is '{key}x' a misspelling of it?" in message


def argument(path) -> str:
    """The key path of a transform's argument, of which the leaf may be one end of a range."""
    return dotted(
        path[: next(end for end in range(len(path), 0, -1) if path[end - 1] not in (0, 1))]
    )


UNUSABLE = {
    "null": None,
    "wrong-type": {"a": ["b"]},
    "nan": float("nan"),
    "infinite": float("-inf"),
    "huge": 1e300,
}


@pytest.mark.parametrize("value", UNUSABLE.values(), ids=UNUSABLE)
@pytest.mark.parametrize("path", ARGUMENTS, ids=dotted)
def test_argument_of_a_transform(path, value, refuse):
    message = refuse(replaced(path, value))
    assert f"{argument(path)}: " in message
    assert str(value) in message


@pytest.mark.parametrize(
    "path", [path for path in ARGUMENTS if isinstance(path[-1], str)], ids=dotted
)
def test_misspelt_argument_of_a_transform(path, refuse):
    message = refuse(misspelt(path))
    assert f"{dotted(path)}x: " in message
    assert f"Did you mean '{path[-1]}'?" in message


def with_key(old, key):
    """The params with a value of no meaning at ``key``, where the key ``old`` once stood."""
    document = copy.deepcopy(PARAMS)
    document["generate"]["sources"][0]["label_noise"] = {"name": "uniform", "rate": 0.1}
    for name in ("start_share", "rise"):
        if old == f"train.schedule.{name}":
            document["train"]["schedule"] = {"name": "one_cycle"}
    holder = document
    for part in old.split(".")[:-1]:
        holder = holder[part]
        holder = holder[0] if isinstance(holder, list) else holder
    holder.pop(RENAMED[old], None)
    holder[key] = [["b"]]
    return document


@pytest.mark.parametrize("old", RENAMED)
def test_a_renamed_key_says_its_new_name(old, refuse):
    key, new = old.rpartition(".")[2], RENAMED[old]
    message = refuse(with_key(old, key))
    assert f"{key}: this key was renamed to '{new}'." in message or (
        f"{new}: this key is missing: '{key}' was renamed to '{new}'." in message
    )
    problem = refuse(with_key(old, new))
    assert "unknown key" not in problem
    assert f".{new}: " in problem


@pytest.mark.parametrize("section", PARAMS)
def test_section_missing_or_misspelt(section, refuse):
    if section not in optional_models():
        assert f"{section}: this section is missing." in refuse(
            spoil((section,), lambda holder, key: holder.pop(key))
        )
        empty = refuse(replaced((section,), None))
        assert f"{section}: this section is empty." in empty
        assert ("Write `" in empty) == (section != "generate")  # which has no default
    message = refuse(misspelt((section,)))
    assert f"{section}x: unknown section. Did you mean '{section}'?" in message


def test_a_shift_that_leaves_nothing_of_the_image(refuse):
    size = PARAMS["generate"]["image_size"]
    message = refuse(replaced(("train", "batch_augment", "shift"), size))
    assert f"train.batch_augment.shift: must be less than generate.image_size ({size})" in message


def test_problems_of_all_sections_are_reported_together_with_exit_code_2(tmp_path):
    document = copy.deepcopy(PARAMS)
    document["augment"]["spatial"][0]["name"] = "HorizontalFlop"
    document["split"]["ratios"]["train"] = 0.9
    document["train"]["epochs"] = 0
    document["extra"] = 1
    file = tmp_path / "params.yaml"
    _YAML.dump(document, file)
    done = subprocess.run(
        [sys.executable, "-m", "raresight", "--params", str(file), "validate"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert done.stderr.startswith(f"error: {file} has 4 problems:\n")
    for place in (
        "augment.spatial[0].name: unknown transform 'HorizontalFlop'. ",
        "split.ratios: ",
        "train.epochs: ",
        "extra: unknown section",
    ):
        assert f"{file}: {place}" in done.stderr
