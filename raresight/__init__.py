"""Images of rare classes: drawn or read, trained on, and judged honestly.

What notebooks and other programs need of Raresight; everything else may change between versions.

>>> import raresight
>>> found = raresight.evaluate(labels, scores, positive="ill", prevalence=1e-4)
>>> found.values["recall"], found.intervals["recall"], found.verdict
>>> raresight.compare(labels, old_scores, new_scores, positive="ill")
>>> raresight.plan(recall=0.9, prevalence=1e-4)
>>> data = raresight.open_dataset("data/generated")
>>> model = raresight.load_model("data/model")
>>> model.predict(data.images[:8])
>>> model.apply(model.read(["photo.jpg"]), prevalence=1e-4).answers

Importing it loads no library: each name brings what it needs when it is first used.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from raresight.comparing import ScoreComparison, compare
    from raresight.evaluating import Evaluation, evaluate
    from raresight.generators.base import Generator, Options, Record, Sample
    from raresight.generators.image_file import read_image
    from raresight.modeling import Model, load_model, open_dataset
    from raresight.pipeline import __version__
    from raresight.pipeline.commands.plan import Plan
    from raresight.pipeline.dataset.reader import Dataset
    from raresight.pipeline.prediction.predictor import Applied
    from raresight.pipeline.runtime.errors import RaresightError
    from raresight.planning import plan

__all__ = [
    "Applied",
    "Dataset",
    "Evaluation",
    "Generator",
    "Model",
    "Options",
    "Plan",
    "RaresightError",
    "Record",
    "Sample",
    "ScoreComparison",
    "__version__",
    "compare",
    "evaluate",
    "load_model",
    "open_dataset",
    "plan",
    "read_image",
]

_WHERE = {
    "Applied": "raresight.pipeline.prediction.predictor",
    "Dataset": "raresight.pipeline.dataset.reader",
    "Evaluation": "raresight.evaluating",
    "Generator": "raresight.generators.base",
    "Model": "raresight.modeling",
    "Options": "raresight.generators.base",
    "Plan": "raresight.pipeline.commands.plan",
    "RaresightError": "raresight.pipeline.runtime.errors",
    "Record": "raresight.generators.base",
    "Sample": "raresight.generators.base",
    "ScoreComparison": "raresight.comparing",
    "__version__": "raresight.pipeline",
    "compare": "raresight.comparing",
    "evaluate": "raresight.evaluating",
    "load_model": "raresight.modeling",
    "open_dataset": "raresight.modeling",
    "plan": "raresight.planning",
    "read_image": "raresight.generators.image_file",
}


def __getattr__(name: str) -> Any:
    if name not in _WHERE:
        raise AttributeError(f"module 'raresight' has no attribute '{name}'")
    return getattr(import_module(_WHERE[name]), name)


def __dir__() -> list[str]:
    return __all__
