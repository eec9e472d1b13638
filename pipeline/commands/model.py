"""model: the network of params.yaml in numbers, before anything is trained."""

from pathlib import Path

from raresight.pipeline.core.params import Section, check_sections, refuse
from raresight.pipeline.generation.params import GenerateParams
from raresight.pipeline.models.classifier import build
from raresight.pipeline.training.params import TrainParams
from raresight.pipeline.tuning.model_summary import ModelSummary, summarize


def run(params_file: Path) -> ModelSummary:
    """Layers, parameters, multiply-accumulates and activation memory for one image."""
    models: dict[str, type[Section]] = {"generate": GenerateParams, "train": TrainParams}
    sections, problems = check_sections(params_file, models, only=True)
    refuse(params_file, problems)
    generate, params = sections["generate"], sections["train"]
    shape = generate.shape
    classes = {label for source in generate.sources for label in source.build(shape).classes}
    model = build(
        params.model,
        classes=len(classes),
        mean=[0.0] * 3,
        std=[1.0] * 3,
        seed=0,
        shape=shape,
        fetch=False,
        cosine_scale=params.loss.implied.cosine_scale,
    )
    return summarize(model, params.model.name, shape)
