"""validate: what params.yaml will run, or everything that is wrong with it at once."""

import logging
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from io import StringIO
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.representer import RoundTripRepresenter

from raresight.generators import registry
from raresight.generators.base import BadImages
from raresight.pipeline.augmentation import class_specific
from raresight.pipeline.core.params import check_sections, refuse
from raresight.pipeline.core.resolved import Leaf, leaves
from raresight.pipeline.generation.params import Source
from raresight.pipeline.runtime.errors import suggest
from raresight.pipeline.stages.table import optional_models, section_models
from raresight.pipeline.training import params as training


def run(params_file: Path) -> dict[str, Any]:
    """The checked sections, by name; raises ParamsError with every problem of the file.

    What is allowed but hardly meant is said in warnings.
    """
    optional = optional_models()
    sections, problems = check_sections(
        params_file, section_models() | optional, optional=list(optional)
    )
    problems += [f"{params_file}: {problem}" for problem in _across(sections)]
    refuse(params_file, problems)
    for doubt in doubts(sections):
        logging.getLogger(__name__).warning("%s: %s", params_file, doubt)
    return sections


def doubts(sections: Mapping[str, Any]) -> Iterator[str]:
    """What is allowed but hardly meant, a sentence each."""
    yield from training.doubts(sections["train"])
    sources = sections["generate"].sources
    yield from class_specific.doubts(
        sections["augment"],
        _classes(sources),
        in_training=sections["train"].batch_augment.exact_moves,
        without_masks=_without_masks(sources),
    )


def plain(sections: Mapping[str, Any]) -> dict[str, Any]:
    """Every section as values that JSON and YAML hold, defaults included."""
    return {name: section.model_dump(mode="json") for name, section in sections.items()}


def _across(sections: Mapping[str, Any]) -> Iterator[str]:
    """What no section can see alone: classes, sizes, and recipes as the library sees them."""
    generate, augment, train = (sections.get(name) for name in ("generate", "augment", "train"))
    if generate is not None and (classes := _classes(generate.sources)):
        if generate.positive is not None:
            yield from _class_problems("generate.positive", [generate.positive], classes)
        if augment is not None:
            yield from _class_problems("augment.copies", augment.copies, classes)
    shape = generate.shape if generate is not None else (64, 64)
    if generate is not None and train is not None and train.batch_augment.shift >= min(shape):
        yield (
            f"train.batch_augment.shift: must be less than generate.image_size ({min(shape)}). "
            f"Got {train.batch_augment.shift}."
        )
    if train is not None and train.batch_augment.rotate90 and shape[0] != shape[1]:
        yield (
            "train.batch_augment.rotate90: only square images can be turned by a quarter. Got "
            f"generate.image_size {list(shape)}."
        )
    yield from _recipe_problems(sections, (*shape, 3))


def _classes(sources: Sequence[Source]) -> set[str]:
    """Every class of the dataset to be; empty where images to be read in are not there yet."""
    try:
        return {label for source in sources for label in source.build((64, 64)).classes}
    except (BadImages, OSError):
        return set()


def _without_masks(sources: Sequence[Source]) -> list[str]:
    """The sources with copies that say of no image which pixels carry its label."""
    return [
        source.id_prefix
        for source in sources
        if {*(source.splits or ("train",))} != {"test"}
        and "mask" not in registry.find(source.generator).columns
    ]


def _class_problems(where: str, labels: Collection[str], classes: set[str]) -> list[str]:
    unknown = [label for label in labels if label not in classes]
    return [f"{where}: no class '{label}'. {suggest(label, sorted(classes))}" for label in unknown]


def _recipe_problems(sections: Mapping[str, Any], shape: tuple[int, int, int]) -> Iterator[str]:
    from raresight.pipeline.augmentation import recipe

    if (augment := sections.get("augment")) is not None:
        for kind in ("spatial", "pixel"):
            steps = getattr(augment, kind)
            yield from recipe.problems(steps, f"augment.{kind}", kind=kind, image_shape=shape)
    if (evaluate := sections.get("evaluate")) is not None:
        yield from recipe.problems(evaluate.perturb, "evaluate.perturb", image_shape=shape)


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
