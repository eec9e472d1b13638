"""Which sources of images a training names, and whether they are there."""

from pathlib import Path

import numpy as np

from raresight.pipeline.dataset.reader import Dataset
from raresight.pipeline.runtime.errors import ParamsError, suggest
from raresight.pipeline.training.params import TrainParams


def in_first_phase(params: TrainParams, names: np.ndarray) -> np.ndarray:
    """Whether images of the sources ``names``, str (n,), are for ``pretrain`` alone, bool (n,)."""
    first = () if params.pretrain is None else params.pretrain.sources
    found: np.ndarray = np.isin(names, list(first))
    return found


def check_sources(
    params_file: Path, params: TrainParams, originals: Dataset, rows: np.ndarray
) -> None:
    """Refuse (ParamsError) what cannot be learned of the ``rows`` of the originals that train has:
    sources that are not there, and phases without images.
    """
    known = [source["name"] for source in originals.description.sources]
    names = originals.source_names[rows]
    there = set(names.tolist())
    asked = {f"source_weights.{name}": name for name in params.source_weights or {}}
    if params.pretrain is not None:
        asked |= {f"pretrain.sources[{k}]": name for k, name in enumerate(params.pretrain.sources)}
    for key, name in asked.items():
        if name not in known:
            told = f"no source '{name}'. {suggest(name, known)}"
        elif name not in there:
            told = f"source '{name}' has no images in train. Name another, or change its splits."
        else:
            continue
        raise ParamsError(f"{params_file}: train.{key}: {told}")
    if params.pretrain is not None and (why := _phases(originals, params, rows)):
        raise ParamsError(f"{params_file}: train.pretrain.sources: {why}")


def _phases(originals: Dataset, params: TrainParams, rows: np.ndarray) -> str | None:
    """Why the two phases are none."""
    first = in_first_phase(params, originals.source_names[rows])
    classes = np.array(originals.classes)
    early, late = (np.unique(originals.targets[rows[part]]) for part in (first, ~first))
    if not len(late):
        return (
            "every source is named, so that nothing is left to go on with. Leave out the one that "
            "is like the images to be judged."
        )
    if len(early) < 2:
        return (
            f"their images in train are all of '{classes[early[0]]}': there is nothing to tell "
            "apart. Name sources that have other classes, too."
        )
    if len(forgotten := np.setdiff1d(early, late)):
        missing = ", ".join(f"'{name}'" for name in classes[forgotten])
        return (
            f"no other source has images of {missing} in train, and what is not shown any more is "
            "forgotten. Use train.source_weights, which show the sources together."
        )
    return None
