"""check: refuse params.yaml as a whole, before DVC removes what an earlier run left.

DVC removes the outputs of a stage before it starts it, so that a stage which refuses its own params
has lost the results of the run before. Every stage depends on what this one writes. That is always
the same: when params.yaml is right, no stage runs again because of it, and when it is wrong, no
other stage is reached.
"""

import logging
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from raresight.generators import registry
from raresight.generators.base import BadImages
from raresight.pipeline.augmentation import class_specific
from raresight.pipeline.core.files import stage_outputs
from raresight.pipeline.core.params import check_sections, refuse
from raresight.pipeline.generation.params import Source
from raresight.pipeline.runtime.errors import suggest
from raresight.pipeline.stages.table import optional_models, section_models
from raresight.pipeline.training import params as training

_TEXT = (
    "Every section of params.yaml was checked. The same file each time: see docs/reliability.md.\n"
)


def run(params_file: Path, data: Path) -> Path:
    """Check the params, write ``data/checked`` and return its path."""
    check_params(params_file)
    output = data / "checked"
    with stage_outputs(output) as (folder,):
        (folder / "checked.txt").write_text(_TEXT, encoding="utf-8", newline="\n")
    return output


def check_params(params_file: Path) -> dict[str, Any]:
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
