"""inspect: what is in a dataset folder."""

from pathlib import Path

from pipeline.dataset.reader import Dataset
from pipeline.dataset.sheet import write_sheet
from pipeline.dataset.summary import Summary, summarize


def run(folder: Path, *, sheet: Path | None = None) -> Summary:
    """Summarise the dataset; ``sheet`` names the PNG to draw a contact sheet into.

    Raises InputMissing when the folder holds no dataset, DataError when it is damaged.
    """
    dataset = Dataset(folder)
    if sheet is not None:
        write_sheet(dataset, sheet)
    return summarize(dataset)
