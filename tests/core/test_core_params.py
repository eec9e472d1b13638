"""Params are refused, never repaired, and every problem is told at once."""

from typing import Annotated, Any, Literal

import pytest
from pydantic import Field, ValidationInfo, field_validator

from raresight.pipeline.core.params import Section, check_sections, load_section, parse, refuse
from raresight.pipeline.core.yaml_file import read_yaml
from raresight.pipeline.runtime.errors import InputMissing, ParamsError


class Inner(Section):
    size: Annotated[int, Field(ge=1, le=9)]


class Part(Section):
    rate: Annotated[float, Field(gt=0)]
    name: Literal["one", "two"]
    inner: Inner
    several: list[Inner]
    limit: int | None


class Chosen(Section):
    kind: str
    options: Any

    @field_validator("options", mode="plain")
    @classmethod
    def _of_the_kind(cls, value: Any, info: ValidationInfo) -> Inner:
        return parse(Inner, value)


GOOD = """
part:
  rate: 1e-3
  name: one
  inner: {size: 3}
  several: [{size: 1}, {size: 2}]
  limit: null
"""


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "params.yaml"
    path.write_text(GOOD)
    return path


def load_whole(file):
    """As `validate` does: sections that no model knows are problems too."""
    refuse(file, check_sections(file, {"part": Part})[1])


def complaint(file, old, new):
    assert old in GOOD
    file.write_text(GOOD.replace(old, new))
    with pytest.raises(ParamsError) as caught:
        load_whole(file)
    return str(caught.value)


def test_good_params_are_read_as_yaml_1_2(file):
    part = load_section(file, "part", Part)
    assert part.rate == 0.001  # YAML 1.1 would read "1e-3" as a string
    assert part.several[1].size == 2
    assert part.limit is None


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("rate: 1e-3", "rate: 0", "part.rate: input should be greater than 0. Got 0."),
        ("rate: 1e-3", "rate: '1'", "part.rate: input should be a valid number. Got '1'."),
        ("rate: 1e-3", "rate: .nan", "part.rate: "),
        ("rate: 1e-3", "rate: null", "part.rate: input should be a valid number. Got None."),
        ("rate: 1e-3", "", "part.rate: this key is missing."),
        ("rate: 1e-3", "rats: 1", "part.rats: unknown key (value 1). Did you mean 'rate'?"),
        ("rate: 1e-3", "rats: 1", "part.rate: this key is missing. Is 'rats' a misspelling of it?"),
        ("name: one", "name: on", "part.name: input should be 'one' or 'two'. Got 'on'."),
        ("inner: {size: 3}", "inner: {size: 10}", "part.inner.size: "),
        ("inner: {size: 3}", "inner: {size: 10}", "less than or equal to 9. Got 10."),
        ("inner: {size: 3}", "inner: {sise: 3}", "part.inner.sise: unknown key"),
        ("inner: {size: 3}", "inner: 3", "part.inner: "),
        ("{size: 2}", "{size: true}", "part.several[1].size: "),
        (
            "{size: 2}",
            "{siz: 2}",
            "part.several[1].siz: unknown key (value 2). ",
        ),
        ("limit: null", "limit: many", "part.limit: "),
        ("\npart:", "\npast:", "past: unknown section. Did you mean 'part'? Known: part."),
        ("\npart:", "\npast:", "part: this section is missing."),
    ],
)
def test_a_problem_names_file_key_value_and_what_is_allowed(file, old, new, expected):
    message = complaint(file, old, new)
    assert expected in message
    assert str(file) in message


def test_all_problems_are_told_at_once(file):
    text = GOOD.replace("rate: 1e-3", "rate: -1").replace("{size: 1}", "{size: 0}")
    file.write_text(text + "other: 1\n")
    with pytest.raises(ParamsError) as caught:
        load_whole(file)
    first, *lines = str(caught.value).splitlines()
    assert first == f"{file} has 3 problems:"
    assert len(lines) == 3
    assert all(line.startswith(f"{file}: ") for line in lines)


def test_one_section_is_loaded_whatever_the_others_hold(file):
    file.write_text(GOOD + "other: {nobody: knows}\n")
    assert load_section(file, "part", Part).name == "one"


def test_problems_of_a_part_chosen_by_another_key_keep_their_place(file):
    file.write_text("part: {kind: inner, options: {sise: 3}}\n")
    with pytest.raises(ParamsError) as caught:
        load_section(file, "part", Chosen)
    assert "part.options.sise: unknown key (value 3). Did you mean 'size'?" in str(caught.value)


def test_params_cannot_be_changed_once_read(file):
    part = load_section(file, "part", Part)
    with pytest.raises(ValueError, match="frozen"):
        part.rate = 2.0


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a: [1", "is not valid YAML"),
        ("a: 1\na: 2\n", "is not valid YAML"),  # the second would silently win
        ("- a\n", "must be a mapping of sections, not list"),
        ("", "must be a mapping of sections, not NoneType"),
    ],
)
def test_a_file_that_is_no_params_file_is_refused(file, text, expected):
    file.write_text(text)
    with pytest.raises(ParamsError, match=expected):
        load_section(file, "part", Part)


def test_bytes_that_are_no_text_are_refused(file):
    file.write_bytes(b"part: \xff\xfe")
    with pytest.raises(ParamsError, match="is not valid YAML"):
        load_section(file, "part", Part)


def test_a_params_file_that_is_not_there_says_how_to_name_one(tmp_path):
    with pytest.raises(InputMissing, match="--params"):
        load_section(tmp_path / "none.yaml", "part", Part)
    with pytest.raises(InputMissing, match="cannot be read"):
        load_section(tmp_path, "part", Part)


@pytest.mark.parametrize("text", ["? {a: 1}\n: 2\n", "{{}: 1}\n", "- {[]: {}}\n"])
def test_a_key_that_is_no_name_is_refused(text, tmp_path):
    path = tmp_path / "params.yaml"
    path.write_text(text)
    with pytest.raises(ParamsError, match=r"params\.yaml"):
        read_yaml(path)


@pytest.mark.parametrize("key", ["str", "a[0]"])
def test_an_unknown_key_may_be_called_anything(key, tmp_path):
    class Part(Section):
        known: int = 1

    path = tmp_path / "params.yaml"
    path.write_text(f"part: {{'{key}': 2}}\n")
    _, problems = check_sections(path, {"part": Part})
    assert len(problems) == 1
    assert f"part.{key}: unknown key" in problems[0]


@pytest.mark.parametrize(
    "text",
    [
        "generate: {? [1, 2] : 3}",
        "generate: {sources: [{generator: shapes, options: {? [1, 2] : 3}}]}",
        "generate: {2020-01-01: 3}",
        "generate: {!!binary YQ==: 2}",
        "? [1, 2]\n: 3",
    ],
)
def test_a_key_that_is_no_name_is_refused_wherever_it_stands(tmp_path, text):
    (tmp_path / "params.yaml").write_text(text)
    with pytest.raises(ParamsError, match="a key that is no name"):
        read_yaml(tmp_path / "params.yaml")
