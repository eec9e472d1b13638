"""A small project in which every stage before the report has left its outputs."""

import json
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pyarrow as pa
import pytest
from browser import CHROMIUM, chromium
from full_params import full_params
from ruamel.yaml import YAML

from raresight.pipeline.core.files import stage_outputs
from raresight.pipeline.dataset.schema import Description, Rows
from raresight.pipeline.dataset.writer import shard_name, write_shard
from raresight.pipeline.stages import evaluate, report, split

SIDE, COUNT, EVERY = 16, 480, 6
RARE, COMMON = "rare <b>&amp;</b>", 'common "x"'
TITLE, NOTES = "Night <i>shift</i>", "Ask Ada.\nBefore noon.\n\nNot for <u>use</u>.\n"


@dataclass(frozen=True)
class Project:
    params: Path
    data: Path

    @property
    def page(self) -> Path:
        return self.data / "report" / "index.html"


class CentreScorer:
    """Scores the k-th class by how bright the k-th part of an image's middle rows is.

    Further trainings look at fewer of the rows.
    """

    def __init__(self, classes: Sequence[str], training: int = 1):
        self.classes, self.last = tuple(classes), 11 - training

    num_features = 3

    def features(self, images, rows) -> np.ndarray:
        """The color of an image."""
        return images[rows].mean(axis=(1, 2))

    def scores(self, images, rows) -> np.ndarray:
        parts = np.array_split(
            images[rows][:, 6 : self.last].astype(float), len(self.classes), axis=2
        )
        bright = np.stack([part.mean(axis=(1, 2, 3)) for part in parts], axis=1) / 12
        powers = np.exp(bright - bright.max(axis=1, keepdims=True))
        return powers / powers.sum(axis=1, keepdims=True)


def draw(labels: Sequence[str], classes: Sequence[str]) -> np.ndarray:
    """Noise, brighter where the label's place in the middle rows is."""
    images = np.random.default_rng(5).integers(40, 170, (len(labels), SIDE, SIDE, 3), np.uint8)
    places = np.array_split(np.arange(SIDE), len(classes))
    for image, label in zip(images, labels, strict=True):
        place = places[classes.index(label)]
        image[6:10, place[0] : place[-1] + 1] += 7
    return images


def description(
    classes: Sequence[str], positive: str | None, masks: bool, files: bool
) -> Description:
    return Description(
        classes=tuple(classes),
        positive=positive,
        image_shape=(SIDE, SIDE, 3),
        columns=("mask",) if masks else (),
        factors={"size": "float", **({"file": "string"} if files else {})},
        sources=({"name": "noise", "generator": "test <i>"},),
        seed=1,
        versions={"numpy": "9.9"},
    )


def rows(ids, sources, labels, images, masks, variant, *, files=False, groups=None) -> Rows:
    named = {"file": [f"{label}/{id}.png" for id, label in zip(ids, labels, strict=True)]}
    return Rows(
        ids=ids,
        source_ids=sources,
        groups=groups,
        origin="synthetic",
        labels=labels,
        true_labels=labels,
        variants=[variant] * len(ids),
        images=images,
        columns={} if masks is None else {"mask": masks},
        factors={"size": [float(k) for k in range(len(ids))], **(named if files else {})},
    )


def write_datasets(
    data: Path, labels, classes, positive, *, masks: bool, copies: bool, groups=None
) -> None:
    files = positive is None  # as if these had been read from files
    about = description(classes, positive, masks, files)
    images = draw(labels, classes)
    ids = [f"noise-{k:04d}" for k in range(len(labels))]
    marks = None
    if masks:
        marks = np.zeros(images.shape[:3], np.uint8)
        marks[[label == positive for label in labels], 5:9, 3:8] = 1
    with stage_outputs(data / "generated", data / "augmented") as (generated, augmented):
        originals = rows(ids, ids, labels, images, marks, 0, files=files, groups=groups)
        shard = write_shard(generated / shard_name(0), originals, about, source="noise")
        replace(about, shards=(shard,)).write(generated)
        shards, chosen = (), [k for k, label in enumerate(labels) if label == positive]
        if copies:
            made = rows(
                [f"{ids[k]}+1" for k in chosen],
                [ids[k] for k in chosen],
                [labels[k] for k in chosen],
                np.ascontiguousarray(images[chosen][:, ::-1]),
                None if marks is None else np.ascontiguousarray(marks[chosen][:, ::-1]),
                1,
            )
            shards = (write_shard(augmented / shard_name(0), made, about, source="noise"),)
        replace(about, shards=shards).write(augmented)
        tally = {"asked": len(chosen), "made": len(chosen), "redrawn": 0, "dropped": 0}
        recipe = {"copies": {positive: 1}, "spatial": [{"name": "HorizontalFlip"}]}
        found = {"copies": {positive: tally | {"unchecked": 0}} if copies else {}}
        found["recipe"] = recipe if copies else {}
        (augmented / "report.json").write_text(json.dumps(found))


def write_training(data: Path, classes: Sequence[str], positive: str | None) -> None:
    targets = (data / "model", data / "training" / "curves", data / "training" / "results.json")
    with stage_outputs(*targets) as (model, curves, metrics):
        shares = {label: 1 / len(classes) for label in classes}
        card = {"model": {"name": "small_resnet"}, "class_shares": shares, "score_prior": shares}
        about = Description.read(data / "generated")
        card |= {"classes": list(classes), "positive": positive, "image_shape": about.image_shape}
        (model / "replicate-2").mkdir()
        for folder, seed in ((model, 1), (model / "replicate-2", 5711)):
            (folder / "model.json").write_text(json.dumps(card | {"seed": seed}))
        (model / "fingerprint.json").write_text(json.dumps({"device": "cpu", "threads": 2}))
        names = ("epoch", "train_loss", "val_loss", "val_average_precision", "val_f1")
        lines = [[*names, "learning_rate"]]
        lines += [[k, 1 / k, 1.2 / k, k / 4, k / 5, 0.002 / k] for k in (1, 2, 3)]
        (curves / "curves.tsv").write_text("\n".join("\t".join(map(str, line)) for line in lines))
        numbers = {"best_epoch": 3, "epochs": 3, "images": 240, "val_average_precision": 0.75}
        losses = {"train_loss": 0.3, "val_loss": 0.4}
        losses |= {"train_loss_ratio": 0.6, "val_loss_ratio": 0.8}
        said = {"cause": "not_converged"}
        said["numbers"] = {"fall_per_epoch": 0.041, "epochs": 3, **losses}
        spread = {"mean": 0.7, "spread": 0.02, "values": {"1": 0.75, "2": 0.65}}
        numbers |= {"diagnosis": said, "by_seed": {"val_average_precision": spread}}
        metrics.write_text(json.dumps(numbers))


@pytest.fixture(scope="session")
def make_project(tmp_path_factory):
    def make(
        classes: Sequence[str] = (COMMON, RARE),
        positive: str | None = RARE,
        *,
        masks: bool = True,
        copies: bool = True,
        patients: int | None = None,
    ) -> Project:
        folder = tmp_path_factory.mktemp("reported")
        data, params = folder / "data", folder / "params.yaml"
        yaml = YAML()
        document = full_params()
        document["report"].update(title=TITLE, notes=NOTES)
        document["evaluate"].update(
            num_bootstrap=100, perturb=[], deployment_prevalence=[1e-4, 0.01]
        )
        yaml.dump(document, params)
        common = [label for label in classes if label != positive]
        labels = [
            positive if positive and k % EVERY == 0 else common[k % len(common)]
            for k in range(COUNT)
        ]
        groups = None
        if patients:  # of each class so many, with images alike many
            groups = [f"{label} {k % patients}" for k, label in enumerate(labels)]
        told = {"masks": masks, "copies": copies, "groups": groups}
        write_datasets(data, labels, sorted(classes), positive, **told)
        split.run(params, data)
        write_training(data, sorted(classes), positive)
        with pytest.MonkeyPatch.context() as patch:
            models = SimpleNamespace(
                load_model=lambda folder, _: CentreScorer(
                    sorted(classes), int(folder.name.partition("-")[2] or 1)
                ),
                replicate_folders=lambda model: [model, model / "replicate-2"],
            )
            patch.setitem(sys.modules, "raresight.pipeline.models.checkpoint", models)
            evaluate.run(params, data)
        report.run(params, data)
        return Project(params, data)

    return make


@pytest.fixture(scope="session")
def rare(make_project) -> Project:
    """One class in six is rare; names that must be escaped, masks, copies."""
    return make_project()


@pytest.fixture(scope="session")
def alike(make_project) -> Project:
    """Three classes, none of which is the positive one; no masks, no copies."""
    return make_project(("a", "b", "c"), None, masks=False, copies=False)


@pytest.fixture(scope="session")
def browser():
    if CHROMIUM is None:
        reason = "no chromium here: apt-get install chromium"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    with chromium() as found:
        yield found


@pytest.fixture
def page(browser, rare):
    browser.resize(1280)
    browser.open(rare.page)
    return browser


@pytest.fixture(scope="session")
def test_set(rare):
    """Whether each test image is positive, and its score: bool (n,) and float (n,)."""
    with pa.OSFile(str(rare.data / "evaluation/predictions/test.arrow")) as file:
        table = pa.ipc.open_file(file).read_all()
    return table["label"].to_numpy() == RARE, table[f"score.{RARE}"].to_numpy()
