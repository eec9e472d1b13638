"""The page's section of training images that look wrong, and their contact sheet."""

import shutil
from dataclasses import replace

import pytest
from PIL import Image

from raresight.pipeline.cleaning.table import Cleaning, Finding, write_cleaning
from raresight.pipeline.core.files import stage_outputs
from raresight.pipeline.dataset.reader import Dataset
from raresight.pipeline.report.figures.cleaning_sheet import write_cleaning_sheet
from raresight.pipeline.stages import report


@pytest.fixture
def findings(rare):
    data = Dataset(rare.data / "generated")
    other = {label: data.classes[1 - k] for k, label in enumerate(data.classes)}
    return [
        Finding(
            id=id, file="", label=label, suggested=other[label], why="label", score=0.9,
            rank=number, decision="drop" if number < 3 else "review",
        )
        for number, (id, label) in enumerate(
            zip(data.ids[:30].tolist(), data.labels[:30].tolist(), strict=True), 1
        )
    ]  # fmt: skip


def test_the_page_shows_them_and_what_becomes_of_them(rare, findings, tmp_path):
    assert 'id="cleaning"' not in rare.page.read_text()
    shutil.copytree(rare.data, tmp_path / "data")
    label = {"wrong": 4, "recall": 0.75, "good_thrown": 0.02, "hidden": 0, "hidden_found": None}
    summary = {"splits": "-", "images": 240, "folds": 3, "epochs": 7}
    summary["planted"] = {"labels": {"<rare>": label}}
    with stage_outputs(tmp_path / "data/cleaning") as (folder,):
        write_cleaning(folder, Cleaning(findings=findings, summary=summary))
    page = report.run(rare.params, tmp_path / "data").read_text()
    start = page.index('<section id="cleaning"')
    section = page[start : page.index("</section>", start)]
    assert "30 of 240 training images look wrong, and 2 of them were not learned from" in section
    assert section.count("not learned from</span>") == 2
    assert section.count("<li>") == 24
    assert "The first 24" in section
    assert "3 that were trained for 7 epochs" in section
    assert "labelled &#39;&lt;rare&gt;&#39;" in section
    assert "75" in section
    with Image.open(tmp_path / "data/report/figures/cleaning.png") as sheet:
        few = sheet.size
    # Another inputs' name, and a longer sheet for more of them.
    assert page != rare.page.read_text()
    data = Dataset(rare.data / "generated")
    more = [replace(one, rank=one.rank) for one in findings * 2]
    write_cleaning_sheet(data, more, tmp_path / "more.png")
    write_cleaning_sheet(data, [], tmp_path / "none.png")
    sizes = []
    for name in ("more", "none"):
        with Image.open(tmp_path / f"{name}.png") as sheet:
            sizes.append(sheet.size)
    assert sizes[1][1] < few[1] < sizes[0][1]
    assert {size[0] for size in sizes} == {few[0]}
