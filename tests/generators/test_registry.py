"""Generators of other packages: found by entry point, imported late, and told apart when broken."""

import sys
from pathlib import Path

import pytest

from raresight import plugins
from raresight.generators import GENERATORS, registry

MODULE = """
from raresight.generators.base import Generator, Sample

class Dots(Generator):
    summary = "dots"
    classes = ("one", "two")
    prevalence = {"one": 0.9, "two": 0.1}
    def sample(self, record, rng):
        raise NotImplementedError

NOT_A_GENERATOR = 7
"""


@pytest.fixture
def package(tmp_path: Path, monkeypatch):
    """Install (into a folder on the path) a package that offers these entry points."""

    def install(name: str, **points: str) -> None:
        info = tmp_path / f"{name}-1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
        lines = [f"{key} = {value}" for key, value in points.items()]
        (info / "entry_points.txt").write_text("\n".join([f"[{registry.GROUP}]", *lines]))

    (tmp_path / "dots_for_a_test.py").write_text(MODULE)
    monkeypatch.syspath_prepend(tmp_path)
    yield install
    sys.modules.pop("dots_for_a_test", None)


def test_the_built_in_ones_are_found_without_looking_further(monkeypatch):
    monkeypatch.setattr(plugins, "entry_points", lambda **_: pytest.fail("it looked"))
    for name, generator in GENERATORS.items():
        assert registry.find(name) is generator


def test_another_packages_generator_is_listed_unloaded_and_found_by_name(package):
    package("dots", dots="dots_for_a_test:Dots")
    assert registry.names() == [*GENERATORS, "dots"]
    assert "dots_for_a_test" not in sys.modules
    assert registry.find("dots").summary == "dots"


def test_nobody_replaces_what_is_built_in(package):
    package("dots", shapes="dots_for_a_test:Dots")
    assert registry.names() == list(GENERATORS)
    assert registry.find("shapes") is GENERATORS["shapes"]


def test_an_unknown_name_is_a_key_error():
    with pytest.raises(KeyError):
        registry.find("blobs")


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("no_such_module:Dots", r"'dots' of the package dots .*cannot be imported: No module"),
        ("dots_for_a_test:Lines", "cannot be imported: .*Lines"),
        ("dots_for_a_test:NOT_A_GENERATOR", "no subclass of raresight.generators.base.Generator"),
    ],
)
def test_a_broken_one_is_told_by_its_package(package, value, message):
    package("dots", dots=value)
    with pytest.raises(registry.BadGenerator, match=message):
        registry.find("dots")


def test_two_packages_that_offer_one_name_are_both_named(package):
    package("dots", dots="dots_for_a_test:Dots")
    package("spots", dots="spots:Spots")
    with pytest.raises(registry.BadGenerator, match=r"more than once: .*dots.*spots"):
        registry.find("dots")
