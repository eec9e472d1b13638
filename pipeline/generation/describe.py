"""What is known of the dataset to be before an image is drawn, and of its scenes after."""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from raresight.generators.base import Generator
from raresight.generators.real.class_names import confusable
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

    Raises DataError where no generator makes the positive class.
    """
    generators = list(built.values())
    classes = tuple(sorted({label for generator in generators for label in generator.classes}))
    if params.positive is not None and params.positive not in classes:
        raise DataError(
            f"generate.positive: no class '{params.positive}'. {suggest(params.positive, classes)}"
        )
    factors = {name: kind for one in generators for name, (kind, _) in one.kept_factors.items()}
    if any(source.has_corruptions for source in params.sources):
        factors[CORRUPTION] = "string"
    libraries = {name for generator in generators for name in generator.libraries}
    machine = {key: value for one in generators for key, value in one.environment().items()}
    return Description(
        classes=classes,
        positive=params.positive,
        image_shape=(params.image_size, params.image_size, 3),
        factors=dict(sorted(factors.items())),
        outcomes=tuple(sorted({name for one in generators for name in one.outcomes})),
        sources=tuple(
            {"name": source.id_prefix, **_source_as_json(source)} for source in params.sources
        ),
        seed=params.seed,
        columns=tuple(
            name for name in OPTIONAL if any(name in one.kept_columns for one in generators)
        ),
        versions={**versions("raresight", "pyarrow", *sorted(libraries)), **machine},
    )


def refuse_confusable(generators: Iterable[Generator]) -> None:
    """DataError where a person would take two classes for the same, or cannot read one's name."""
    with generator_errors():
        names = [label for generator in generators for label in generator.classes]
    if problems := confusable(names):
        raise DataError(f"classes that would be taken for one another:\n{listing(problems)}")


def _source_as_json(source: Source) -> dict[str, Any]:
    """With its splits and corruptions only where there are any."""
    unused = {n for n in ("splits", "label_noise", "outliers") if getattr(source, n) is None}
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
