"""validate: what params.yaml will run, or everything that is wrong with it at once."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from io import StringIO
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.representer import RoundTripRepresenter

from raresight.pipeline.core.resolved import Leaf, leaves
from raresight.pipeline.stages.check import check_params


def run(params_file: Path) -> dict[str, Any]:
    """As the stage ``check``, which writes that it found nothing: the checked sections, by name."""
    return check_params(params_file)


def plain(sections: Mapping[str, Any]) -> dict[str, Any]:
    """Every section as values that JSON and YAML hold, defaults included."""
    return {name: section.model_dump(mode="json") for name, section in sections.items()}


def changed(sections: Mapping[str, Any]) -> list[str]:
    """The key of every value that differs from its default, or has none."""
    return [
        f"{name}.{leaf.key}"
        for name, section in sections.items()
        for leaf in leaves(section)
        if leaf.changed
    ]


_HEAD = """\
Every value; those that differ from their default are marked.
One that params.yaml does not hold is set with a plus: dvc exp run -S +SECTION.KEY=VALUE
"""


class _Representer(RoundTripRepresenter):
    """Writes null as such; without it the place after the key would be empty."""


_Representer.add_representer(
    type(None), lambda self, _: self.represent_scalar("tag:yaml.org,2002:null", "null")
)


def resolved(sections: Mapping[str, Any]) -> str:
    """Every section with every default filled in, as YAML; what differs from them is marked."""
    document = CommentedMap()
    document.yaml_set_start_comment(_HEAD)
    for name, section in sections.items():
        document[name] = _tree(list(leaves(section)))
    text, yaml = StringIO(), YAML()
    yaml.Representer = _Representer
    yaml.dump(document, text)
    return text.getvalue()


def _tree(found: Sequence[Leaf]) -> Any:
    """The leaves as nested maps and lists, a comment at each that was changed."""
    if len(found) == 1 and not found[0].path:
        return found[0].value
    keys = list(dict.fromkeys(leaf.path[0] for leaf in found))
    numbered = all(isinstance(key, int) for key in keys)
    tree: Any = CommentedSeq() if numbered else CommentedMap()
    for key in keys:
        below = [replace(leaf, path=leaf.path[1:]) for leaf in found if leaf.path[0] == key]
        value = _tree(below)
        if isinstance(value, list) and not isinstance(value, CommentedSeq):
            value = CommentedSeq(value)
            value.fa.set_flow_style()
        if numbered:
            tree.append(value)
        else:
            tree[key] = value
            if not below[0].path and below[0].changed:
                tree.yaml_add_eol_comment("changed", key, column=0)
    return tree
