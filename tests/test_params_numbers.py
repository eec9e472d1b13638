"""No number of params.yaml is without bounds, and none that means nothing gets past `validate`."""

import math
from collections.abc import Iterator

import pytest
from full_params import full_params
from program import invoke
from pydantic import BaseModel, ValidationError
from ruamel.yaml import YAML

from raresight.generators import registry
from raresight.pipeline.commands import schema
from raresight.pipeline.core.yaml_file import read_yaml
from raresight.pipeline.runtime.errors import ParamsError

MEANINGLESS = {"nan": math.nan, "infinite": math.inf, "far-below": -1e9, "huge": 1e300}


def numbers(node, place="") -> Iterator[tuple[str, dict]]:
    """Every number of a JSON Schema, where it stands."""
    if isinstance(node, dict):
        if node.get("type") in ("integer", "number"):
            yield place, node
        for key, inner in node.items():
            yield from numbers(inner, f"{place}.{key}")
    elif isinstance(node, list):
        for index, inner in enumerate(node):
            yield from numbers(inner, f"{place}[{index}]")


def unbounded(node) -> list[str]:
    return [
        place
        for place, number in numbers(node)
        if not {"minimum", "exclusiveMinimum", "const"} & set(number)
        or not {"maximum", "exclusiveMaximum", "const"} & set(number)
    ]


def test_every_number_of_every_section_has_a_least_and_a_greatest_value():
    assert len(list(numbers(schema.run()))) > 100
    assert unbounded(schema.run()) == []


@pytest.mark.parametrize("name", registry.names())
def test_every_number_among_the_options_of_a_generator_has_bounds(name):
    assert unbounded(registry.find(name).options.model_json_schema()) == []


def spoilt(value, bad, place=""):
    """``value`` with every number made ``bad``, and where they stand."""
    if isinstance(value, dict):
        parts = {key: spoilt(inner, bad, f"{place}.{key}") for key, inner in value.items()}
        return {k: part for k, (part, _) in parts.items()}, [
            p for _, ps in parts.values() for p in ps
        ]
    if isinstance(value, list):
        listed = [spoilt(inner, bad, f"{place}[{index}]") for index, inner in enumerate(value)]
        return [part for part, _ in listed], [p for _, ps in listed for p in ps]
    if isinstance(value, int | float) and not isinstance(value, bool):
        return bad, [place]
    return value, []


@pytest.mark.parametrize("bad", MEANINGLESS.values(), ids=MEANINGLESS)
def test_a_number_that_means_nothing_is_refused_wherever_it_stands(bad, tmp_path):
    params = full_params()
    (source,) = params["generate"]["sources"]
    given = source.pop("options")
    params, places = spoilt(params, bad)
    params["generate"]["sources"][0]["options"] = given
    YAML().dump(params, tmp_path / "params.yaml")
    result = invoke("--params", tmp_path / "params.yaml", "validate")
    assert result.exit_code == 2
    missing = [place for place in places if place[1:] not in result.stderr]
    # An end of a pair or one of a list is told with the whole.
    assert [place for place in missing if place[: place.rindex("[")][1:] not in result.stderr] == []


def factors(options: type[BaseModel]) -> list[str]:
    """The options that are drawn: those whose schema says nothing, and whose default is a pair."""
    known = options.model_json_schema()["properties"]
    pairs = {name: one.get("default") for name, one in known.items() if "type" not in one}
    return [name for name, default in pairs.items() if isinstance(default, list | tuple | dict)]


@pytest.mark.parametrize("name", registry.names())
def test_no_distribution_of_a_factor_leaves_what_can_be_drawn(name):
    options = registry.find(name).options
    tried = [
        {factor: law}
        for factor in factors(options)
        for bad in MEANINGLESS.values()
        for law in (
            [bad, bad],
            {"uniform": [bad, bad]},
            {"discrete": [bad]},
            {"log_uniform": [bad, bad]},
            {"normal": {"mean": 0, "std": 1e300, "low": -abs(bad), "high": abs(bad)}},
            {"mixture": [{"weight": bad, "uniform": [0.5, 0.5]}]},
            {"discrete": {"values": [0.5, 0.5], "weights": [bad, bad]}},
        )
    ]
    for given in tried:
        with pytest.raises(ValidationError):
            options.model_validate(given)


BOMB = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"a{k}: &a{k} [{', '.join([f'*a{k - 1}'] * 10)}]\n" for k in range(1, 9)
)


@pytest.mark.parametrize(
    "text",
    [
        BOMB,
        "generate: &g {self: *g}\n",
        "generate: &r [*r]\n",
        f"generate: {'[' * 60}{']' * 60}\n",
        f"generate: {'[' * 5000}{']' * 5000}\n",
        f"generate: {{seed: {'9' * 5000}}}\n",
    ],
    ids=["bomb", "mapping-in-itself", "list-in-itself", "deep", "deeper", "long-number"],
)
def test_a_file_that_is_small_and_means_much_is_refused(text, tmp_path):
    (tmp_path / "params.yaml").write_text(text)
    with pytest.raises(ParamsError, match=r"params\.yaml"):
        read_yaml(tmp_path / "params.yaml")


def test_aliases_are_allowed_as_such(tmp_path):
    (tmp_path / "params.yaml").write_text("a: &a [1, 2]\nb: *a\n")
    assert read_yaml(tmp_path / "params.yaml") == {"a": [1, 2], "b": [1, 2]}
