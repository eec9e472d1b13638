"""What params mean once defaults are filled in, and which of them were changed."""

from typing import Annotated, Literal

from raresight.pipeline.core.params import ByName, Section, parse
from raresight.pipeline.core.resolved import leaves


class Small(Section):
    name: Literal["small"] = "small"
    width: int = 4


class Large(Section):
    name: Literal["large"] = "large"
    depth: int = 18


class Inner(Section):
    patience: int = 6
    delta: float = 0.0


class Params(Section):
    model: Annotated[Small | Large, ByName({"small": Small, "large": Large}, default="small")] = (
        Small()
    )
    inner: Inner | None = Inner()
    shares: tuple[float, ...] = (0.5, 0.5)
    needed: int


def found(**given):
    return {
        ".".join(map(str, leaf.path)): (leaf.value, leaf.changed)
        for leaf in leaves(parse(Params, given))
    }


def test_only_what_has_no_default_is_changed_in_a_file_that_says_nothing_else():
    assert found(needed=1) == {
        "model.name": ("small", False),
        "model.width": (4, False),
        "inner.patience": (6, False),
        "inner.delta": (0.0, False),
        "shares": ([0.5, 0.5], False),
        "needed": (1, True),
    }


def test_a_default_that_is_written_is_no_change():
    assert found(needed=1, model={"width": 4}, shares=[0.5, 0.5]) == found(needed=1)


def test_a_change_within_a_part_marks_that_value_alone():
    assert found(needed=1, inner={"patience": 7})["inner.patience"] == (7, True)
    assert found(needed=1, inner={"patience": 7})["inner.delta"] == (0.0, False)


def test_another_kind_is_a_change_and_its_own_defaults_are_none():
    changed = found(needed=1, model={"name": "large"})
    assert changed["model.name"] == ("large", True)
    assert changed["model.depth"] == (18, False)


def test_a_part_that_is_left_out_on_purpose_is_a_change():
    assert found(needed=1, inner=None)["inner"] == (None, True)
