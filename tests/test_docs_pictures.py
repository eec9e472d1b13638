"""Every contact sheet of the documentation is made by docs/sheets.py, and shown somewhere."""

import importlib.util

import pytest
from imports import ROOT
from PIL import Image

_SPEC = importlib.util.spec_from_file_location("sheets", ROOT / "docs/sheets.py")
sheets = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(sheets)


def test_each_sheet_is_made_by_the_command():
    there = {f"sheets/{path.name}" for path in (ROOT / "docs/sheets").iterdir()}
    assert there <= set(sheets.PICTURES)


@pytest.mark.parametrize("name", sheets.PICTURES)
def test_a_picture_is_of_a_scenario_and_shown_in_a_page(name):
    assert (ROOT / f"params/{sheets.PICTURES[name].scenario}.yaml").is_file()
    pages = [*(ROOT / "docs").glob("*.md"), ROOT / "README.md"]
    assert any(f"{name})" in page.read_text() for page in pages)
    with Image.open(ROOT / "docs" / name) as picture:
        assert picture.format == "JPEG"


def test_a_sheet_shows_as_many_images_a_class_as_asked_for(tmp_path, monkeypatch):
    monkeypatch.setattr(sheets, "write_sheet", lambda made, path, per_class: shown.append(made))
    shown = []
    sheets.draw(sheets.Picture(scenario="inspection", each=2, side=16), tmp_path / "sheet.jpg")
    assert sorted(shown[0].labels.tolist()) == ["defective"] * 2 + ["sound"] * 2
    assert shown[0].image_shape == (16, 16, 3)
