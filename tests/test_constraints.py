"""The files of constraints pin everything that `make` installs: nothing is left to the day."""

from configparser import ConfigParser
from importlib.metadata import requires

import pytest
from imports import ROOT
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name


def setup():
    config = ConfigParser()
    config.read(ROOT / "setup.cfg")
    return config


# What `make test` installs: not carla, which the tests stand in for, nor what is built from source.
EXTRAS = [name for name in setup()["options.extras_require"] if name not in ("carla", "bench")]
LINTERS = ["mypy", "pandas-stubs", "ruff"]  # what `make lint` runs, before the extras


def pinned(*files):
    lines = [line for name in files for line in (ROOT / name).read_text().splitlines()]
    pairs = [line.split("==") for line in lines if line and not line.startswith("#")]
    return {canonicalize_name(name): version for name, version in pairs}


def asked_for(*extras):
    """What setup.cfg requires, and its extras named."""
    config = setup()
    listed = [config["options"]["install_requires"]]
    listed += [config["options.extras_require"][extra] for extra in extras]
    return [line for line in "\n".join(listed).splitlines() if line]


def followed(lines):
    """These requirements, those of their packages, and so on, as far as they hold here."""
    seen, waiting = set(), [Requirement(line) for line in lines]
    while waiting:
        one = waiting.pop()
        key = (canonicalize_name(one.name), frozenset(one.extras))
        if key in seen:
            continue
        seen.add(key)
        yield one
        needs = map(Requirement, requires(one.name) or ())
        waiting += [need for need in needs if _holds(need, extras=one.extras)]


def _holds(need, *, extras):
    return need.marker is None or any(need.marker.evaluate({"extra": e}) for e in ("", *extras))


@pytest.mark.parametrize(
    ("lines", "files"),
    [
        ([*asked_for(), *LINTERS], ["constraints.txt"]),
        (
            asked_for(*EXTRAS),
            ["constraints.txt", "constraints-extras.txt"],
        ),
    ],
    ids=["lint", "test"],
)
def test_every_package_that_is_needed_is_pinned_to_a_version_that_will_do(lines, files):
    pins = pinned(*files)
    needs = list(followed(lines))
    unpinned = sorted(need.name for need in needs if canonicalize_name(need.name) not in pins)
    wrong = [
        f"{need} is pinned to {pins[canonicalize_name(need.name)]}"
        for need in needs
        if need.name not in unpinned
        and not need.specifier.contains(pins[canonicalize_name(need.name)])
    ]
    assert (unpinned, wrong) == ([], [])


def test_no_package_is_pinned_twice():
    both = pinned("constraints.txt").keys() & pinned("constraints-extras.txt").keys()
    assert not both
