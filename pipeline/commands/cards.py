"""What a card tells of a model or a dataset, as far as it lies in the data folder."""

from pathlib import Path

from raresight.pipeline.cards.facts import DatasetFacts, ModelFacts
from raresight.pipeline.cards.params import CardParams
from raresight.pipeline.core.files import MANIFEST
from raresight.pipeline.core.inputs import read_mapping, read_results, understood
from raresight.pipeline.core.params import load_section
from raresight.pipeline.dataset.reader import Dataset
from raresight.pipeline.prediction.model_folder import ModelFolder


def stated(params_file: Path) -> CardParams:
    """The ``card`` section of a params file; nothing is stated where there is no file."""
    if not params_file.is_file():
        return CardParams()
    return load_section(params_file, "card", CardParams, optional=True)


def dataset_facts(data: Path) -> DatasetFacts | None:
    """None where the dataset or its splits are not there."""
    summary = data / "splits" / "summary.json"
    if not summary.is_file() or not (data / "generated" / MANIFEST).is_file():
        return None
    with understood(str(summary), "Run `raresight split` again."):
        return DatasetFacts.of_summary(Dataset(data / "generated"), read_mapping(summary)["images"])


def model_facts(opened: ModelFolder, data: Path) -> ModelFacts:
    """What is known of the model; the project's results only where it is the project's model."""
    own = opened.folder.resolve() == (data / "model").resolve()
    results = data / "evaluation" / "results.json"
    return ModelFacts(
        model=opened.card,
        decision=opened.decision,
        results=read_results(results, "evaluate") if own and results.is_file() else None,
        dataset=dataset_facts(data) if own else None,
    )
