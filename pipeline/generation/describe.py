"""What is known of the dataset to be before an image is drawn, and of its scenes after."""

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from raresight.generators.base import Generator
from raresight.generators.image_file import shape_of
from raresight.generators.real.class_names import confusable
from raresight.generators.real.images import RealImages
from raresight.pipeline.dataset.schema import OPTIONAL, Description, versions
from raresight.pipeline.generation.corruptions import CORRUPTION
from raresight.pipeline.generation.params import GenerateParams, Source
from raresight.pipeline.generation.shards import generator_errors
from raresight.pipeline.runtime.errors import DataError, listing, suggest

if TYPE_CHECKING:
    import pandas

TRIES = "tries"  # the factor of generators that draw until a scene comes out as asked for


def describe_dataset(params: GenerateParams, built: Mapping[str, Generator]) -> Description:
    """The description without its shards; ``built`` has the generator of every source.

    The options of ``params`` are those that the generators have settled.

    Raises DataError where no generator makes the positive class.
    """
    generators = list(built.values())
    classes = tuple(sorted({label for generator in generators for label in generator.classes}))
    if params.positive is not None and params.positive not in classes:
        raise DataError(
            f"generate.positive: no class '{params.positive}'. {suggest(params.positive, classes)}"
        )
    factors = _factor_kinds(built)
    if any(source.has_corruptions for source in params.sources):
        factors[CORRUPTION] = "string"
    libraries = {name for generator in generators for name in generator.libraries}
    machine = {key: value for one in generators for key, value in one.environment().items()}
    return Description(
        classes=classes,
        positive=params.positive,
        image_shape=(*params.shape, 3),
        factors=dict(sorted(factors.items())),
        outcomes=tuple(sorted({name for one in generators for name in one.outcomes})),
        sources=tuple(
            {
                "name": source.id_prefix,
                **_source_as_json(source),
                **built[source.id_prefix].about(),
            }
            for source in params.sources
        ),
        seed=params.seed,
        columns=tuple(
            name for name in OPTIONAL if any(name in one.kept_columns for one in generators)
        ),
        versions={**versions("raresight", "pyarrow", *sorted(libraries)), **machine},
    )


def settled(params: GenerateParams, built: Mapping[str, Generator]) -> GenerateParams:
    """``params`` with the options that the images decided, such as a range in numbers."""
    sources = [
        source.model_copy(update={"options": built[source.id_prefix].settled()})
        for source in params.sources
    ]
    return params.model_copy(update={"sources": sources})


def about_sizes(params: GenerateParams, built: Mapping[str, Generator]) -> Iterator[str]:
    """A line for each source that was read in: how large its images are, and become."""
    for name, generator in built.items():
        if not isinstance(generator, RealImages):
            continue
        sizes, (height, width) = generator.sizes, params.shape
        own = f"{sizes.typical[1]} x {sizes.typical[0]}"
        if sizes.smallest != sizes.largest:
            ends = [f"{one[1]} x {one[0]}" for one in (sizes.smallest, sizes.largest)]
            own = f"{ends[0]} to {ends[1]} (typically {own})"
        suggested = sizes.suggested
        advice = ""
        if shape_of(suggested) != params.shape:
            told = suggested if isinstance(suggested, int) else list(suggested)
            advice = f"; `image_size: {told}` would suit them"
        yield (
            f"{name}: {sizes.count} images of {own} pixels become {height} x {width} "
            f"({generator.config.fit}){advice}"
        )


def _factor_kinds(built: Mapping[str, Generator]) -> dict[str, str]:
    """``float`` or ``string`` of each factor; DataError where two sources differ in that."""
    first: dict[str, str] = {}
    kinds: dict[str, str] = {}
    for source, generator in built.items():
        for name, (kind, _) in generator.kept_factors.items():
            if kinds.setdefault(name, kind) != kind:
                raise DataError(
                    f"factor '{name}' is {kinds[name]} in source '{first[name]}' and {kind} in "
                    f"source '{source}': give one of them another name, or values of one kind."
                )
            first.setdefault(name, source)
    return kinds


def refuse_confusable(generators: Iterable[Generator]) -> None:
    """DataError where a person would take two classes for the same, or cannot read one's name."""
    with generator_errors():
        names = [label for generator in generators for label in generator.classes]
    if problems := confusable(names):
        raise DataError(f"classes that would be taken for one another:\n{listing(problems)}")


def _source_as_json(source: Source) -> dict[str, Any]:
    """With its splits and corruptions only where there are any."""
    optional = ("splits", "origin", "label_noise", "outliers")
    unused = {name for name in optional if getattr(source, name) is None}
    return source.model_dump(mode="json", exclude={"name", *unused})


def acceptance(tries: "pandas.Series", labels: np.ndarray) -> dict[str, dict[str, float]]:
    """By class, how many of the scenes that were drawn came out as asked for.

    ``tries`` (n,) is how many each image took, NaN for those that no such generator made.
    """
    groups = tries.groupby(labels)
    return {
        str(label): {"accepted": int(n), "drawn": int(total), "rate": n / total}
        for label, n, total in zip(groups.groups, groups.count(), groups.sum(), strict=True)
        if total
    }
