"""model: the network of params.yaml in numbers, before anything is trained."""

from pathlib import Path

from pipeline.core.params import check_sections, refuse
from pipeline.stages.generate_params import GenerateParams
from pipeline.training.models import build
from pipeline.training.params import TrainParams
from pipeline.training.params.loss import cosine_scale
from pipeline.tuning.model_summary import ModelSummary, summarise


def run(params_file: Path) -> ModelSummary:
    """Layers, parameters, multiply-accumulates and activation memory for one image."""
    models = {"generate": GenerateParams, "train": TrainParams}
    sections, problems = check_sections(params_file, models, only=True)
    refuse(params_file, problems)
    generate, params = sections["generate"], sections["train"]
    size = generate.image_size
    classes = {label for source in generate.sources for label in source.build(size).classes}
    model = build(
        params.model,
        classes=len(classes),
        mean=[0.0] * 3,
        std=[1.0] * 3,
        seed=0,
        side=size,
        fetch=False,
        cosine_scale=cosine_scale(params.loss),
    )
    return summarise(model, params.model.name, size)
