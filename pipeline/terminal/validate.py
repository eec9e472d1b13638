"""What params.yaml will run, a row a stage."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from raresight.pipeline.augmentation.params import AugmentParams, Step
from raresight.pipeline.evaluation.params import EvaluateParams, PrecisionTarget, RecallTarget
from raresight.pipeline.generation.params import GenerateParams, Source
from raresight.pipeline.splitting.params import SplitParams
from raresight.pipeline.terminal.tables import PlainTable, titled_table
from raresight.pipeline.training.params import TrainParams

if TYPE_CHECKING:
    from raresight.pipeline.cards.params import CardParams
    from raresight.pipeline.cleaning.params import CleanParams
    from raresight.pipeline.enlarging.params import EnlargeParams
    from raresight.pipeline.report.params import ReportParams


def render(sections: Mapping[str, Any]) -> PlainTable:
    """What will run, a row a stage, as a rich table."""
    table = titled_table("")
    table.add_column("stage", style="cyan", no_wrap=True)
    table.add_column("will")
    for name, section in sections.items():
        if describe := _DESCRIPTIONS.get(name):
            table.add_row(name, "\n".join(describe(section)))
        else:
            table.add_row(name, ", ".join(f"{key} {value}" for key, value in section))
    return table


def _generate(params: GenerateParams) -> Iterator[str]:
    for source in params.sources:
        yield f"{_amount(source)} from {source.generator}{_splits_of(source)}"
    yield f"at {params.shape[0]} x {params.shape[1]} pixels, seed {params.seed}"
    if params.positive is not None:
        yield f"the rare class: {params.positive}"


def _splits_of(source: Source) -> str:
    if source.splits is None:
        return ""
    if isinstance(source.splits, list):
        return f" (for {' and '.join(source.splits)} alone)"
    return f" ({', '.join(f'{name} {share:.0%}' for name, share in source.splits.items())})"


def _amount(source: Source) -> str:
    if source.counts is not None:
        return ", ".join(f"{count:,} {label}" for label, count in source.counts.items())
    if source.count is None:
        return "every image"
    if source.prevalence is None:
        return f"{source.count:,} images (natural shares)"
    shares = ", ".join(f"{share:.4g} {label}" for label, share in source.prevalence.items())
    return f"{source.count:,} images ({shares})"


def _augment(params: AugmentParams) -> Iterator[str]:
    copies = [f"{count} of each {label}" for label, count in params.copies.items() if count]
    yield f"copies: {', '.join(copies) or 'none'}"
    if copies:
        yield f"by {_step_names([*params.spatial, *params.pixel])}"


def _split(params: SplitParams) -> Iterator[str]:
    yield ", ".join(f"{name} {ratio:.0%}" for name, ratio in params.ratios.model_dump().items())


def _clean(params: "CleanParams") -> Iterator[str]:
    if params.labels is not None:
        yield f"labels that {params.folds} folds contradict: {_TREATMENTS[params.labels]}"
    if params.outliers is not None:
        yield f"outliers: {_TREATMENTS[params.outliers]}"
    if params.decisions is not None:
        yield f"decisions of {params.decisions}"
    elif params.labels is params.outliers is None:
        yield "look for nothing"


def _enlarge(params: "EnlargeParams") -> Iterator[str]:
    if not params.classes:
        yield "make nothing"
    for label, count in params.classes.items():
        yield f"{count} of each {label}, by {params.method.name}"
    if params.classes and params.share == "sweep":
        yield "keep as many of them as validation says are surely better than none"


def _card(params: "CardParams") -> Iterator[str]:
    told = [name.replace("_", " ") for name, value in params if value]
    yield f"say {', '.join(told)}" if told else "say nothing that only a person knows"


def _train(params: TrainParams) -> Iterator[str]:
    yield f"{params.model.name} for at most {params.epochs} epochs"
    if params.pretrain is not None:
        first = ", ".join(params.pretrain.sources)
        yield f"after {params.pretrain.epochs} epochs on the images of {first} alone"


def _evaluate(params: EvaluateParams) -> Iterator[str]:
    rule, target = params.threshold.name.replace("_", " "), ""
    if isinstance(params.threshold, RecallTarget | PrecisionTarget):
        target = f" {params.threshold.target:g}"
    yield f"threshold: {rule}{target}, chosen on validation"
    yield f"{params.confidence_level:.0%} intervals from {params.num_bootstrap:,} bootstrap samples"
    yield f"deployment prevalence {', '.join(f'{share:g}' for share in params.prevalences)}"
    yield f"perturbed by {_step_names(params.perturb)}"


def _report(params: "ReportParams") -> Iterator[str]:
    yield f"one page, with {params.images_per_class} images of each class"
    yield f"and up to {params.mistakes} mistakes of each kind"


def _step_names(steps: Sequence[Step]) -> str:
    return ", ".join(step.name for step in steps) or "nothing"


_TREATMENTS = {"advise": "list them", "drop": "do not learn from them"}
_DESCRIPTIONS: Mapping[str, Callable[[Any], Iterator[str]]] = {
    "generate": _generate,
    "augment": _augment,
    "split": _split,
    "clean": _clean,
    "enlarge": _enlarge,
    "train": _train,
    "evaluate": _evaluate,
    "report": _report,
    "card": _card,
}
