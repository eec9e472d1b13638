"""Small datasets for the stages to work on."""

import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import judged
import numpy as np
import pytest

from raresight.pipeline.core.files import stage_outputs
from raresight.pipeline.dataset.schema import Description, Rows
from raresight.pipeline.dataset.writer import shard_name, write_shard

SIDE = 16


@dataclass(frozen=True, kw_only=True)
class Part:
    """One source of a dataset: its labels in row order, and (if known) where the label is.

    ``groups`` names what each image belongs to, itself if None, and ``given`` the split it has.
    ``masked`` draws a 4x4 square of mask in the middle of every image of the classes it names.
    """

    name: str
    labels: Sequence[str]
    splits: Sequence[str] | None = None
    origin: str = "synthetic"
    masked: Sequence[str] | None = ()
    groups: Sequence[str] | None = None
    given: Sequence[str | None] | None = None


def _rows(part: Part) -> Rows:
    count = len(part.labels)
    ids = [f"{part.name}-{k:04d}" for k in range(count)]
    images = np.stack([_image(name) for name in ids])
    masks = None
    if part.masked is not None:
        masks = np.zeros((count, SIDE, SIDE), np.uint8)
        masks[[label in part.masked for label in part.labels], 6:10, 6:10] = 1
    return Rows(
        ids=ids,
        source_ids=ids,
        groups=part.groups,
        origin=part.origin,
        labels=list(part.labels),
        true_labels=list(part.labels),
        variants=[0] * count,
        images=images,
        columns={
            **({} if masks is None else {"mask": masks}),
            **({} if part.given is None else {"given_split": part.given}),
        },
        factors={
            "size": [float(k) for k in range(count)],
            "tint": ["red" if k % 2 else None for k in range(count)],
        },
    )


def _image(name: str) -> np.ndarray:
    """Noise that depends on the id alone."""
    stream = np.random.default_rng(list(name.encode()))
    return stream.integers(0, 256, (SIDE, SIDE, 3), np.uint8)


@pytest.fixture
def write_generated(tmp_path: Path) -> Callable[..., Path]:
    """Write ``data/generated`` from parts, as the generate stage would; returns the data folder."""

    def write(*parts: Part, edit: Callable[[Rows], Rows] = lambda rows: rows) -> Path:
        description = Description(
            classes=tuple(sorted({label for part in parts for label in part.labels})),
            positive=None,
            image_shape=(SIDE, SIDE, 3),
            columns=tuple(
                column
                for column, field in (("mask", "masked"), ("given_split", "given"))
                if any(getattr(part, field) is not None for part in parts)
            ),
            factors={"size": "float", "tint": "string"},
            sources=tuple(
                {"name": part.name, "splits": part.splits, "generator": "test"} for part in parts
            ),
            seed=1,
            versions={},
        )
        with stage_outputs(tmp_path / "data" / "generated") as (folder,):
            shards = []
            for number, part in enumerate(parts):
                path, rows = folder / shard_name(number), edit(_rows(part))
                shards.append(write_shard(path, rows, description, source=part.name))
            replace(description, shards=tuple(shards)).write(folder)
        return tmp_path / "data"

    return write


@pytest.fixture
def part() -> type[Part]:
    return Part


@pytest.fixture
def use_scorer(monkeypatch) -> Callable[..., None]:
    """Put scorers in the place of the trained models, so that no test waits for torch."""

    def use(*scorers: object) -> None:
        places = range(len(scorers))
        module = SimpleNamespace(
            load_model=lambda folder, device: scorers[int(folder.name.partition("-")[2] or 1) - 1],
            replicate_folders=lambda model: [
                model / f"replicate-{k + 1}" if k else model for k in places
            ],
        )
        monkeypatch.setitem(sys.modules, "raresight.pipeline.models.checkpoint", module)

    return use


@pytest.fixture
def judged_project(tmp_path, use_scorer) -> Callable[..., tuple[Path, Path]]:
    """A project whose earlier stages have run: the paths of its params file and its data."""

    def make(
        *,
        positive: str | None = "rare",
        perturb: str = judged.NOISE,
        seeds: tuple[int, ...] = (1,),
        groups: list[str] = judged.IDS,
        augment: Mapping[str, Any] | None = None,
        **inputs: Any,
    ) -> tuple[Path, Path]:
        use_scorer(judged.SquareScorer(), *map(judged.DullScorer, seeds[1:]))
        data, params = tmp_path / "data", tmp_path / "params.yaml"
        params.write_text(judged.PARAMS.format(perturb=perturb))
        judged.write_inputs(data, positive, seeds=seeds, groups=groups, augment=augment, **inputs)
        return params, data

    return make
