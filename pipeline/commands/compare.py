"""compare: two versions on the same test images, and whether their difference means anything."""

from pathlib import Path

from raresight.pipeline.comparison.report import Report, compare_versions
from raresight.pipeline.comparison.sides import MODELS
from raresight.pipeline.comparison.verdicts import Difference
from raresight.pipeline.comparison.versions import read_version
from raresight.pipeline.evaluation.metrics.registry import METRICS, shown
from raresight.pipeline.evaluation.uncertainty.multiple_tests import holm
from raresight.pipeline.runtime.errors import ParamsError, RaresightError, listing, suggest


def run(
    params_file: Path,
    data: Path,
    *,
    old: str,
    new: str,
    on: str = "test",
    shared: bool = False,
    primary: str | None = None,
) -> Report:
    """Compare the versions ``old`` and ``new``, whose names are revisions or ``workspace``.

    ``on`` names the images: ``test`` or ``perturbed``; ``primary`` the metric that the verdict
    rests on (None: average precision). Raises DataError when the versions were
    judged on different images, unless ``shared`` asks for those that both have.
    """
    before, after = (read_version(name, params_file, data, test=on) for name in (old, new))
    return compare_versions(before, after, on=on, shared=shared, primary=primary)


def compared_metrics() -> tuple[str, ...]:
    """The metrics that versions are compared by, with a positive class or without one."""
    both = [*shown("compare", positive=True), *shown("compare", positive=False)]
    return tuple(dict.fromkeys(both))


def fail_if_worse(report: Report, metrics: tuple[str, ...]) -> None:
    """Raise RaresightError (exit 1) where the new version is worse in one of ``metrics``.

    That is the recipe where trainings tell, and else the model: a check in CI is of what would be
    used, and a model that is surely worse on these images fails it, be it bad luck or not. The
    metrics named are one family of tests of their own (Holm): versions that do not differ fail the
    check, by chance alone, no more often than the level says, however many are named.
    """
    found = {difference.name: difference for difference in report.comparison.differences}
    for name in metrics:
        if name not in found:
            raise ParamsError(f"--fail-if-worse: no metric '{name}'. {suggest(name, found)}")
    asked = [found[name] for name in dict.fromkeys(metrics)]
    adjusted = holm([1.0 if one.p is None else one.p for one in asked])
    worse = [
        f"{one.name}: {one.old:.4g} in {report.old}, {one.new:.4g} in {report.new} (p = {p:.2g})"
        for one, p in zip(asked, adjusted, strict=True)
        if p < 1 - report.confidence and _goes_down(one)
    ]
    if worse:
        what = "The model of " if report.about == MODELS else ""
        raise RaresightError(f"{what}{report.new} is worse than {report.old}:\n{listing(worse)}")


def _goes_down(found: Difference) -> bool:
    if found.difference is None:
        return False
    return (found.difference < 0) == METRICS[found.name].higher_is_better
