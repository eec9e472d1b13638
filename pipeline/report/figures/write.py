"""The pictures beside the page: what `dvc plots` shows of the stages whose outputs are data alone.

They are drawn here and not by the stages they are about, so that another look redraws no image.
"""

from collections.abc import Sequence
from pathlib import Path

from raresight.pipeline.cleaning.table import Finding
from raresight.pipeline.dataset.reader import Dataset
from raresight.pipeline.report.figures.cleaning_sheet import write_cleaning_sheet
from raresight.pipeline.report.figures.contact_sheet import write_sheet
from raresight.pipeline.report.figures.enlarged_sheet import write_enlarged_sheet
from raresight.pipeline.report.figures.split_counts import draw_counts
from raresight.pipeline.report.images.made import Enlarged
from raresight.pipeline.splitting.counts import Counts


def write_figures(
    folder: Path,
    originals: Dataset,
    copies: Dataset,
    *,
    counts: Counts,
    findings: Sequence[Finding],
    made: Enlarged | None,
) -> None:
    """Write ``generated.png``, ``augmented.png``, ``cleaning.png`` and ``enlarged.png`` (contact
    sheets) and ``splits.png``.

    ``counts`` is that of the split's summary.json: images by split, class and kind; ``findings``
    are the training images that look wrong, and ``made`` what ``enlarge`` wrote.
    """
    folder.mkdir()
    write_sheet(originals, folder / "generated.png")
    write_sheet(copies, folder / "augmented.png")
    write_cleaning_sheet(originals, findings, folder / "cleaning.png")
    write_enlarged_sheet(originals, made, folder / "enlarged.png")
    draw_counts(counts, folder / "splits.png")
