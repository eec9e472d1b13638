"""compare: two versions on the same test images, and whether their difference means anything."""

from pathlib import Path

from raresight.pipeline.comparison.report import Report, compare_versions
from raresight.pipeline.comparison.sides import MODELS
from raresight.pipeline.comparison.verdicts import WORSE
from raresight.pipeline.comparison.versions import read_version
from raresight.pipeline.runtime.errors import ParamsError, RaresightError, listing, suggest


def run(
    params_file: Path,
    data: Path,
    *,
    old: str,
    new: str,
    on: str = "test",
    shared: bool = False,
) -> Report:
    """Compare the versions ``old`` and ``new``, whose names are revisions or ``workspace``.

    ``on`` names the images: ``test`` or ``perturbed``. Raises DataError when the versions were
    judged on different images, unless ``shared`` asks for those that both have.
    """
    before, after = (read_version(name, params_file, data, test=on) for name in (old, new))
    return compare_versions(before, after, on=on, shared=shared)


def fail_if_worse(report: Report, metrics: tuple[str, ...]) -> None:
    """Raise RaresightError (exit 1) where the new version is worse in one of ``metrics``.

    That is the recipe where trainings tell, and else the model: a check in CI is of what would be
    used, and a model that is surely worse on these images fails it, be it bad luck or not.
    """
    found = {difference.name: difference for difference in report.comparison.differences}
    for name in metrics:
        if name not in found:
            raise ParamsError(f"--fail-if-worse: no metric '{name}'. {suggest(name, found)}")
    worse = [
        f"{name}: {found[name].old:.4g} in {report.old}, {found[name].new:.4g} in {report.new}"
        for name in metrics
        if found[name].ruling == WORSE
    ]
    if worse:
        what = "The model of " if report.about == MODELS else ""
        raise RaresightError(f"{what}{report.new} is worse than {report.old}:\n{listing(worse)}")
