"""A project with a model that evaluate has judged, small enough for a test."""

from dataclasses import dataclass
from pathlib import Path

import judged
from PIL import Image
from toy_training import train_params

from raresight.pipeline.core.files import stage_outputs
from raresight.pipeline.models import checkpoint
from raresight.pipeline.models.classifier import build
from raresight.pipeline.stages import evaluate


@dataclass(frozen=True)
class Project:
    """``params`` and ``data`` as the stages leave them, and the images of the dataset as files."""

    folder: Path

    @property
    def params(self) -> Path:
        return self.folder / "params.yaml"

    @property
    def data(self) -> Path:
        return self.folder / "data"

    @property
    def model(self) -> Path:
        return self.data / "model"

    @property
    def photos(self) -> Path:
        return self.folder / "photos"

    @property
    def options(self) -> tuple:
        return "--params", self.params, "--data", self.data


def write_model(folder: Path, *, positive: str | None = "rare", seed: int = 1) -> None:
    """A small network as train would leave it; its weights are random ones."""
    model = train_params(model={"width": 4, "blocks": [1]}).model
    shares = {"common": 0.75, "rare": 0.25}
    network = build(
        model, classes=2, mean=[110] * 3, std=[30] * 3, seed=seed, shape=(judged.SIDE,) * 2
    )
    card = checkpoint.ModelCard(
        model=model.model_dump(mode="json"),
        classes=("common", "rare"),
        positive=positive,
        image_shape=(judged.SIDE, judged.SIDE, 3),
        mean=(110.0,) * 3,
        std=(30.0,) * 3,
        class_shares=shares,
        score_prior=shares,
        loss="cross_entropy",
        cosine_scale=None,
        seed=seed,
        epoch=1,
        val_average_precision=0.5,
    )
    with stage_outputs(folder) as (new,):
        checkpoint.save(new, network.state_dict(), card)


def make_project(
    folder: Path, positive: str | None = "rare", rule: str = "{name: max_f1}"
) -> Project:
    project = Project(folder)
    text = judged.PARAMS.format(perturb="[]").replace("{name: max_f1}", rule)
    project.params.write_text(text)
    judged.write_inputs(project.data, positive)
    write_model(project.model, positive=positive)
    evaluate.run(project.params, project.data, device="cpu")
    project.photos.mkdir()
    for name, pixels in zip(judged.IDS, judged.draw_images(), strict=True):
        Image.fromarray(pixels).save(project.photos / f"{name}.png")
    return project
