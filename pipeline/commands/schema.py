"""schema: the JSON Schema of params.yaml, from which editors complete and check it."""

from typing import Any

from pydantic import create_model

from raresight.pipeline.core.params import Section
from raresight.pipeline.stages.table import optional_models, section_models


def run() -> dict[str, Any]:
    """The schema of the whole file: a stage's section is required, if empty."""
    models: dict[str, Any] = {name: (model, ...) for name, model in section_models().items()}
    models |= {name: (model, model()) for name, model in optional_models().items()}
    document = create_model("Params", __base__=Section, **models)
    return document.model_json_schema() | {"title": "Raresight's params.yaml"}
