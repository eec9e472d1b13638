"""``enlarge.method: {name: flow}``: fit, draw, and keep what shows its label."""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from torch import nn

from raresight import pipeline
from raresight.pipeline.cleaning.statistics import statistics
from raresight.pipeline.core.files import content_digest
from raresight.pipeline.core.provenance import digests
from raresight.pipeline.dataset.reader import Dataset
from raresight.pipeline.enlarging.checks import standardized
from raresight.pipeline.enlarging.composites import contrast
from raresight.pipeline.enlarging.flow.drawing import draw
from raresight.pipeline.enlarging.flow.fitting import FlowTrainer
from raresight.pipeline.enlarging.flow.images import Learned, learned
from raresight.pipeline.enlarging.flow.library import diffusers, require_diffusers
from raresight.pipeline.enlarging.judging import MadeImages, refuse_collapsed
from raresight.pipeline.enlarging.making import TRIES, least_contrast
from raresight.pipeline.enlarging.methods import Flow
from raresight.pipeline.enlarging.wanted import KEPT, Made, Produced, Wanted
from raresight.pipeline.models import device as devices
from raresight.pipeline.runtime.errors import listing
from raresight.pipeline.runtime.processes import stop_when_it_suits
from raresight.pipeline.runtime.progress import bar, say, track
from raresight.pipeline.training.runtime import resume
from raresight.pipeline.training.runtime.memory import shortage_explained
from raresight.pipeline.training.runtime.paths import RESUME

# What the weights depend on: a fit that was stopped outlives a reworded message.
_CODE = ("core", "dataset", "enlarging/flow", "models", "training")


def generated(wanted: Wanted, params: Flow) -> Iterator[Produced]:
    """One net for all classes, fitted or taken from where it was stopped; then images of each."""
    require_diffusers()
    device = devices.resolve(wanted.device)
    devices.prepare(device, wanted.train.threads)
    images = learned(wanted, all_classes=params.learn_from == "all")
    trainer = FlowTrainer(images, params, wanted.train, seed=wanted.seed, device=device)
    net = _fitted(trainer, wanted, images)
    facts = {
        "steps": trainer.step,
        "loss": trainer.loss,
        "parameters": sum(one.numel() for one in trainer.net.parameters()),
        "learned_from": len(images.every),
    }
    for label, each in wanted.classes.items():
        parents = images.rows[label]
        total, target = len(parents) * each, images.data.classes.index(label)
        begun = time.perf_counter()
        kept = _kept(trainer, net, target, label, total, Limits.of(images, parents), wanted.seed)
        spent = (time.perf_counter() - begun) / total
        say(f"enlarge: {total:,} images of '{label}' were drawn, in {spent:.3f} s each")
        yield Produced(
            label=label,
            asked=total,
            made=_with_parents(kept, images.data, parents, label),
            parents=parents,
            facts={"flow": facts},
        )


def _fitted(trainer: FlowTrainer, wanted: Wanted, images: Learned) -> nn.Module:
    """Take the steps that are left, and keep them."""
    folder, key = wanted.folder / RESUME / KEPT, _key(trainer, wanted, images)
    _resume(trainer, folder, key)
    begun, before = time.perf_counter(), trainer.step
    with (
        stop_when_it_suits() as told,
        shortage_explained(
            trainer.params.batch_size,
            trainer.device,
            trainer.attempt,
            key="enlarge.method.batch_size",
            smaller="a smaller enlarge.method.size",
        ),
        bar() as progress,
    ):
        task = progress.add_task("flow", total=trainer.params.steps, completed=before)
        net = trainer.fit(
            lambda: progress.advance(task),
            keep=lambda state: resume.save(folder, state, key),
            stop_requested=told,
        )
    if taken := trainer.step - before:
        spent = time.perf_counter() - begun
        say(
            f"enlarge: flow, {taken:,} steps in {spent:,.0f} s ({spent / taken:.3f} s each), "
            f"loss {trainer.loss:.3f}"
        )
    return net


def _key(trainer: FlowTrainer, wanted: Wanted, images: Learned) -> dict[str, Any]:
    """All that must be the same for a checkpoint to lead to the weights it would have."""
    root, data, rows = Path(pipeline.__file__).parent, images.data, images.every
    train = wanted.train
    return {
        "code": digests(root, *(root / name for name in _CODE)),
        "diffusers": diffusers().__version__,
        "method": trainer.params.model_dump(mode="json"),
        "seed": wanted.seed,
        "classes": sorted(images.rows),
        "moves": train.batch_augment.model_dump(mode="json"),
        "images": content_digest("\n".join(data.ids[rows].tolist()).encode()),
        "shards": [one.sha256 for one in data.description.shards],
        "machine": devices.fingerprint(trainer.device, bfloat16=trainer.bfloat16),
    }


def _resume(trainer: FlowTrainer, folder: Path, key: dict[str, Any]) -> None:
    kept = resume.load(folder)
    if kept is None:
        return
    state, then = kept
    reasons = [*resume.differences(then, key)]
    if reasons:
        say(
            f"enlarge: the flow in {folder} is of other params, images or code, and starts from "
            f"the beginning:\n{listing(reasons, 5)}"
        )
        return
    trainer.load_state(state)
    say(f"enlarge: flow resumed from step {trainer.step:,} ({folder})")


@dataclass(frozen=True, kw_only=True)
class Limits:
    """What an image has to be to show its label: ``contrast`` is the least of its mask against the
    ring around it, ``area`` the least and the most of its pixels. None without masks."""

    contrast: float
    area: tuple[int, int]

    @classmethod
    def of(cls, images: Learned, rows: np.ndarray) -> "Limits | None":
        """Those of the originals at ``rows``: the contrast of all but 5 %, and every area."""
        masks = images.data.masks
        if not images.masked or masks is None:
            return None
        areas = [int(np.count_nonzero(masks[row])) for row in rows.tolist()]
        return cls(contrast=least_contrast(images.data, rows), area=(min(areas), max(areas)))

    def hold(self, image: np.ndarray, mask: np.ndarray) -> bool:
        least, most = self.area
        fits = least <= int(np.count_nonzero(mask)) <= most
        return fits and contrast(image, mask) >= self.contrast


Drawn = tuple[np.ndarray, np.ndarray | None]  # an image and its mask


def _kept(
    trainer: FlowTrainer,
    net: nn.Module,
    target: int,
    label: str,
    count: int,
    limits: Limits | None,
    seed: int,
) -> dict[int, Drawn]:
    """By number from 0 to ``count``, the images that show their label, in three tries at most."""
    kept, missing = dict[int, Drawn](), list(range(count))
    for attempt in range(1, TRIES + 1):
        names = [f"{label} {number} {attempt}" for number in missing]
        parts = draw(trainer, net, target, names, seed=seed)
        shown = track(parts, total=len(names), description="enlarge", images=len)
        drawn = np.concatenate(list(shown)) if names else None
        if drawn is None:
            break
        if attempt == 1:
            refuse_collapsed(_all(label, drawn))
        for number, one in zip(missing, drawn, strict=True):
            image, mask = (one, None) if limits is None else (one[..., :-1], one[..., -1] > 127)
            if limits is None or (mask is not None and limits.hold(image, mask)):
                kept[number] = image, None if mask is None else mask.astype(np.uint8)
        missing = [number for number in missing if number not in kept]
    return dict(sorted(kept.items()))


def _all(label: str, drawn: np.ndarray) -> MadeImages:
    none = [None] * len(drawn)
    return MadeImages(
        label=label, maker="enlarge.method 'flow'", ids=[""] * len(drawn), images=drawn, masks=none
    )


def _with_parents(
    kept: dict[int, Drawn], data: Dataset, parents: np.ndarray, label: str
) -> list[Made]:
    """Each with the training original that it is nearest to in cheap statistics: with that one it
    is left out of a fold, should it repeat it. It is made from all of them."""
    from sklearn.neighbors import NearestNeighbors

    if not kept:
        return []
    known = statistics(data.images[row] for row in parents.tolist())
    known, mine = standardized(known, statistics(image for image, _ in kept.values()))
    near = NearestNeighbors(n_neighbors=1, n_jobs=1).fit(known)
    found = parents[near.kneighbors(mine, return_distance=False)[:, 0]].tolist()
    return [
        Made(
            id=f"flow~{label}~{number + 1}",
            number=number // len(parents) + 1,
            parent=parent,
            ground=None,
            image=image,
            mask=mask,
        )
        for (number, (image, mask)), parent in zip(kept.items(), found, strict=True)
    ]
