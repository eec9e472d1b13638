"""report --against: another version and the workspace on one page."""

from pathlib import Path

import numpy as np

from raresight.pipeline.comparison.report import compare_versions
from raresight.pipeline.comparison.revisions import commit_of
from raresight.pipeline.comparison.sides import answers, common_task, same_images, settings_of
from raresight.pipeline.comparison.versions import WORKSPACE, Version, read_version
from raresight.pipeline.core.files import MANIFEST
from raresight.pipeline.core.params import load_section
from raresight.pipeline.dataset.reader import Dataset
from raresight.pipeline.evaluation.decisions.predictions import Task
from raresight.pipeline.prediction.table import written_whole
from raresight.pipeline.report.params import ReportParams
from raresight.pipeline.report.versions.page import Judged, versions_page


def run(params_file: Path, data: Path, *, against: str, out: Path, shared: bool = False) -> Path:
    """Write the page of the workspace beside the version ``against`` to ``out``; return that.

    Raises DataError where the two were judged on different images, unless ``shared`` asks for those
    that both have.
    """
    old, new = (read_version(name, params_file, data) for name in (against, WORKSPACE))
    rows, _ = same_images(old, new, shared=shared)
    report = compare_versions(old, new, on="test", shared=shared)
    task = common_task(old, new)
    ids = new.test.take(rows[1]).ids
    params = ReportParams()
    if "report" in new.params:
        params = load_section(params_file, "report", ReportParams)
    text = versions_page(
        report,
        _judged(old, rows[0], task),
        _judged(new, rows[1], task),
        settings=settings_of(new).intervals,
        ids=ids,
        pictures=_pictures(data / "generated", ids),
        title=params.title,
        most=params.mistakes,
    )
    with written_whole(out) as file:
        file.write(text.encode())
    return out


def _judged(version: Version, rows: np.ndarray, task: Task) -> Judged:
    training = version.trainings[0]
    return Judged(
        name=version.name,
        commit="" if version.name == WORKSPACE else commit_of(version.name),
        version=version,
        outcome=answers(training.test.take(rows), training.threshold, task),
    )


def _pictures(folder: Path, ids: np.ndarray) -> Dataset | None:
    """The workspace's images, where they are here and hold all of ``ids``."""
    if not (folder / MANIFEST).is_file():
        return None
    data = Dataset(folder)
    return data if np.isin(ids.astype(str), data.ids.astype(str)).all() else None
