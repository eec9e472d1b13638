"""What is installed, and what a run asks of the world: nothing."""

import importlib.metadata
import re
import socket

import pytest
from imports import ROOT
from no_network import NetworkAsked
from packaging.utils import canonicalize_name
from test_constraints import asked_for, followed, pinned

# Copyleft that comes with DVC, which runs as a program of its own and is not built into anything.
COPYLEFT = {"asyncssh", "grandalf", "pygit2"}
FREE = (
    r"MIT|BSD|Apache|ISC|Python Software Foundation|PSF|MPL|Mozilla|Zope|Zlib|0BSD|Unlicense|HPND"
)


def test_no_test_leaves_the_machine():
    """The hook of conftest.py holds every stage and command that the tests run in this process."""
    for ask in (
        lambda: socket.create_connection(("198.51.100.1", 80), timeout=1),  # nobody's, by RFC 5737
        lambda: socket.getaddrinfo("example.org", 443),
    ):
        with pytest.raises(NetworkAsked):
            ask()
    assert socket.getaddrinfo("127.0.0.1", 80)


def licence(name):
    found = importlib.metadata.metadata(name)
    classifiers = [one for one in found.get_all("Classifier") or [] if one.startswith("License")]
    return " ".join(
        [found.get("License-Expression") or "", *classifiers, found.get("License") or ""]
    )


def test_every_pinned_package_says_its_licence_and_is_free_to_use():
    names = pinned("constraints.txt")
    installed = {
        one.metadata["Name"].lower().replace("_", "-") for one in importlib.metadata.distributions()
    }
    looked = sorted(set(names) & installed)
    assert len(looked) > 100
    odd = {name for name in looked if not re.search(FREE, licence(name))}
    assert odd - COPYLEFT == set(), {name: licence(name)[:60] for name in odd}


def test_the_hashed_lock_has_every_package_of_a_run_as_it_is_tested():
    text = (ROOT / "requirements-hashed.txt").read_text()
    entries = re.split(r"\n(?=\S)", text[text.index("\n", text.rindex("\n# ") + 1) + 1 :].strip())
    locked = {}
    for entry in entries:
        name, version = re.match(r"([\w.-]+)(?:\[.*?\])?==([^\s;]+)", entry).groups()
        assert re.search(r"--hash=sha256:[0-9a-f]{64}", entry), name
        locked[canonicalize_name(name)] = version
    tested = pinned("constraints.txt")
    assert {name: locked[name] for name in locked if name in tested}.items() <= tested.items()
    needed = {canonicalize_name(one.name) for one in followed(asked_for())}
    assert needed - {"raresight"} <= set(locked)
