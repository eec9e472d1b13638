"""The parts of the page, each against what can be worked out by hand or by a property."""

import io
import json
import re
from base64 import b64decode
from xml.etree import ElementTree

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from pydantic import Field

from raresight.pipeline.core.params import Section, parse
from raresight.pipeline.evaluation.metrics.registry import shown
from raresight.pipeline.report import page
from raresight.pipeline.report.about import asked, balance
from raresight.pipeline.report.charts.draw import PREVALENCES, draw_plane, draw_prevalences
from raresight.pipeline.report.charts.painters import Line, Plane
from raresight.pipeline.report.images import mistakes
from raresight.pipeline.report.images.pictures import outline, picture
from raresight.pipeline.report.judgement import baselines, slices
from raresight.pipeline.report.judgement.operating import operating_points
from raresight.pipeline.wording import numbers

SCORES = st.lists(st.sampled_from([0.0, 1e-9, 0.1, 0.25, 0.2500001, 0.7, 1.0]), min_size=2)


@given(SCORES, st.data(), st.sampled_from([0.0, 0.2, 0.25, 0.9, 1.0, 1.5]))
@settings(max_examples=60)
def test_every_stop_says_what_its_own_threshold_finds(scores, data, chosen):
    scores = np.array(scores)
    flags = st.lists(st.booleans(), min_size=len(scores), max_size=len(scores))
    positive = np.array(data.draw(flags))
    stops = operating_points(scores, positive, chosen=chosen)
    assert stops.thresholds[0].startswith("above")
    assert (stops.tp[0], stops.fp[0]) == (0, 0)
    assert (stops.tp[-1], stops.fp[-1]) == (positive.sum(), (~positive).sum())
    for text, tp, fp in list(zip(stops.thresholds, stops.tp, stops.fp, strict=True))[1:]:
        above = scores >= float(text)
        assert (tp, fp) == ((above & positive).sum(), (above & ~positive).sum())
    at = stops.chosen
    above = scores >= chosen
    assert stops.tp[at] == (above & positive).sum()
    assert stops.fp[at] == (above & ~positive).sum()


def test_many_scores_become_few_stops_that_keep_every_hit_and_the_first_alarms():
    rng = np.random.default_rng(0)
    scores = rng.random(50_000)
    positive = np.zeros(50_000, bool)
    positive[:30] = True
    stops = operating_points(scores, positive, chosen=0.5)
    assert len(stops.tp) <= 402
    assert set(stops.tp) == set(range(31))
    assert set(range(10)) <= set(stops.fp)
    assert max(len(text) for text in stops.thresholds) < 12


def test_an_outline_runs_along_the_edges_of_the_mask():
    mask = np.zeros((4, 5), np.uint8)
    mask[1:3, 2] = 1
    # A bar of two pixels: above and below one edge each, left and right one stroke of two.
    assert outline(mask) == "M2 1h1M2 3h1M2 1v2M3 1v2"
    assert outline(np.zeros((4, 5))) == ""
    assert outline(np.ones((2, 3))) == "M0 0h3M0 2h3M0 0v2M3 0v2"


@pytest.mark.parametrize("channels", [1, 3])
def test_a_picture_holds_the_very_pixels(channels):
    pixels = np.random.default_rng(1).integers(0, 256, (7, 9, channels), np.uint8)
    drawn = picture(pixels)
    assert (drawn.width, drawn.height, drawn.outline) == (9, 7, "")
    kind, data = drawn.source.split(",")
    assert kind == "data:image/png;base64"
    read = np.asarray(Image.open(io.BytesIO(b64decode(data))))
    assert (read == np.broadcast_to(pixels, (7, 9, 3))).all()


def test_large_pictures_are_reduced():
    drawn = picture(np.full((600, 300, 3), 100, np.uint8))
    assert drawn.source.startswith("data:image/webp;")
    image = Image.open(io.BytesIO(b64decode(drawn.source.split(",")[1])))
    assert image.size == (128, 256)
    assert np.abs(np.asarray(image.convert("RGB")).astype(int) - 100).max() <= 3
    assert (drawn.width, drawn.height) == (300, 600)


def draw(name="<b>", x=(0, 0.5, 1)) -> str:
    line = Line(name, "model", np.array(x), np.array([1, 0.5, 0]))
    plane = Plane(x="recall", y="precision", lines=(line,), title='a "b" <c>', level=0.1)
    return draw_plane(plane, name="chart")


def test_a_chart_is_well_formed_themed_named_and_repeatable():
    text = draw()
    assert text == draw()
    root = ElementTree.fromstring(text)
    assert root.get("role") == "img"
    assert root.get("aria-label") == 'a "b" <c>'
    assert "<b>" in "".join(root.itertext())
    assert not re.search(r"#[0-9a-f]{6}\b", text), "a colour that no theme can change"
    assert "font-family" not in text
    assert "<style" not in text
    assert {e.get("id").split("-")[0] for e in root.iter() if e.get("id")} <= {"chart"}


def test_the_frame_of_the_live_chart_lies_where_it_says():
    names = shown("sliders", positive=True)
    over = np.geomspace(*PREVALENCES, 5)
    lines = {name: np.linspace(0, 1, 5) for name in names}
    text, place = draw_prevalences(title="t", over=over, lines=lines, at=0.01)
    root = ElementTree.fromstring(text)
    _, _, width, height = map(float, root.get("viewBox").split())
    assert 0 < place["left"] < place["right"] < width
    assert 0 < place["top"] < place["bottom"] < height
    # At first the cursor stands at 1 in 100; the axis is logarithmic.
    path = next(e for e in root.iter() if e.get("id") == "live-cursor")[0].get("d")
    low, high = np.log10(PREVALENCES)
    x = place["left"] + (place["right"] - place["left"]) * (-2 - low) / (high - low)
    assert float(path.split()[1]) == pytest.approx(x, abs=0.02)
    drawn = {element.get("id"): element for element in root.iter()}
    assert {f"live-{name}" for name in names} <= set(drawn)
    # The page's script draws on in the same frame: a line from 0 to 1 ends near its corners.
    first, *_, last = re.findall(r"[ML]\s*(\S+) (\S+)", drawn["live-recall"][0].get("d"))
    assert [float(v) for v in first] == pytest.approx([place["left"], place["bottom"]], abs=0.02)
    top = place["bottom"] - (place["bottom"] - place["top"]) / 1.02
    assert [float(v) for v in last] == pytest.approx([place["right"], top], abs=0.02)


def test_the_surest_mistakes_come_first():
    scores = np.array([[0.9, 0.1], [0.2, 0.8], [0.45, 0.55], [0.7, 0.3], [0.4, 0.6]])
    targets, predicted = np.array([0, 0, 0, 1, 1]), np.array([0, 1, 1, 0, 1])
    found = mistakes.surest(scores, targets, predicted, positive=1)
    assert [column.tolist() for column in found["fp"]] == [[1, 2], [0.8, 0.55]]
    assert [column.tolist() for column in found["fn"]] == [[3], [0.3]]
    (rows, values) = mistakes.surest(scores, targets, predicted, positive=None)["wrong"]
    assert (rows.tolist(), values.tolist()) == ([1, 3, 2], [0.8, 0.7, 0.55])


def test_of_right_answers_those_nearest_to_a_mistake_come_first():
    scores = np.array([[0.9, 0.1], [0.2, 0.8], [0.65, 0.35], [0.4, 0.6]])
    targets = np.array([0, 1, 0, 0])
    found = mistakes.least_sure(scores, targets, np.array([0, 1, 0, 1]), positive=1)
    assert found.tolist() == [2, 1, 0]  # scores of class 1: 0.35, 0.8 (0.2 from 1), 0.1
    found = mistakes.least_sure(scores, targets, targets, positive=None)
    assert found.tolist() == [3, 2, 1, 0]  # 0.4, 0.65, 0.8, 0.9


def test_confused_pairs_are_listed_by_how_often():
    counts = np.array([[5, 1, 0], [3, 5, 1], [0, 0, 5]])
    assert mistakes.confused(counts, "abc") == (
        ("b", "a", 3, "1-0"),
        ("a", "b", 1, "0-1"),
        ("b", "c", 1, "1-2"),
    )


def test_no_cell_of_mistakes_is_left_out_for_anothers_sake():
    cells = np.array([3, 3, 3, 1, 3, 2, 1])
    assert mistakes.some_of_each(cells, 3).tolist() == [0, 3, 5]
    assert mistakes.some_of_each(cells, 5).tolist() == [0, 1, 3, 5, 6]
    assert mistakes.some_of_each(cells, 99).tolist() == list(range(7))


def test_a_chart_says_where_its_points_are_and_what_they_are_worth():
    x, y = np.array([0.25, 0.5, 1.0]), np.array([1.0, np.nan, 0.001])
    line = Line("<b>", "model", x, y, np.array([0.9, 0.5, np.nan]))
    plane = Plane(x="recall", y="precision", lines=(line,), title="t")
    root = ElementTree.fromstring(draw_plane(plane, name="chart"))
    (told,) = json.loads(root.get("data-hover"))
    assert (told["name"], told["fields"]) == ("<b>", ["recall", "precision", "threshold"])
    assert [row[2:] for row in told["at"]] == [
        ["0.250", "1.000", "0.900"],
        ["1.000", "0.001", numbers.DASH],
    ]
    # The points lie on the line that is drawn.
    drawn = " ".join(element.get("d", "") for element in root.iter())
    places = np.array(re.findall(r"[ML]\s*(\S+) (\S+)", drawn), float)
    for px, py, *_ in told["at"]:
        assert np.abs(places - [px, py]).sum(axis=1).min() < 0.2


class Item(Section):
    generator: str
    count: int = 3
    share: dict[str, float] = Field(default_factory=dict)
    unused: str | None = None


class Asked(Section):
    seed: int = 1
    nothing: int | None = None
    on: bool = True
    rate: float = 1e-3
    sources: list[Item]
    inner: Item = Item(generator="inner")


def test_params_become_rows_with_the_defaults_and_what_differs_from_them():
    section = parse(
        Asked, {"rate": 2e-3, "sources": [{"generator": "g", "share": {"a": 0.5}}], "seed": 1}
    )
    found = [(row.key, row.value, row.changed) for row in asked.rows(section)]
    assert found == [
        ("seed", "1", False),
        ("nothing", "none", False),
        ("on", "yes", False),
        ("rate", "0.002", True),
        ("sources 1: g", "count 3, share.a 0.5", True),
        ("inner.generator", "inner", False),
        ("inner.count", "3", False),
        ("inner.share", "none", False),
        ("inner.unused", "none", False),
    ]


def test_balance_before_after_and_as_seen():
    images = {"train": {"a": {"originals": 90, "copies": 0}, "b": {"originals": 10, "copies": 20}}}
    drawn, enlarged, seen = balance.balances(images, {"a": 0.5, "b": 0.5}, ("a", "b"))
    assert [(one.images, one.share) for one in drawn.amounts] == [(90, 0.9), (10, 0.1)]
    assert [(one.images, one.share) for one in enlarged.amounts] == [(90, 0.75), (30, 0.25)]
    assert [(one.images, one.share) for one in seen.amounts] == [(None, 0.5), (None, 0.5)]


def test_a_metric_that_is_undefined_keeps_its_reason():
    row = {"accuracy": 0.5, "accuracy_low": 0.4, "accuracy_high": 0.6}
    bare = {"accuracy": 0.5, "precision": None, "undefined": {"precision": "nothing called"}}
    metrics = {"positive": "p", "test": row, "majority_baseline": {**bare, "answer": "n"}}
    cards = {card.title: card for card in baselines.cards(metrics)}
    accuracy, precision = cards["Accuracy"], cards["Precision"]
    assert [bar.between for bar in accuracy.bars] == [f"0.400{numbers.DASH}0.600", ""]
    assert (precision.bars[1].text, precision.bars[1].reason) == (numbers.DASH, "nothing called")


def test_slices_keep_their_order_and_say_which_are_significantly_worse():
    row = {"metric": "recall", "low": "0.1", "high": "0.5", "correct": "1", "images": "5"}
    rows = [
        {**row, "factor": "label_pixels", "part": "1 to 2", "value": "0.2", "p_adjusted": "0.01"},
        {**row, "factor": "size", "part": "3", "value": "0.3", "p_adjusted": ""},
        {**row, "factor": "blur", "part": "4", "value": "", "p_adjusted": "1"},
    ]
    found = slices.worst(rows, confidence=0.95)["recall"]
    assert [(one.factor, one.significant) for one in found] == [
        ("label pixels", True),
        ("size", False),
    ]
    assert len(slices.worst(rows * 9, confidence=0.95)["recall"]) == 8


def test_a_sentence_on_the_page_has_its_keys_as_code_and_its_intervals_apart():
    text = page._curly("<b> has recall 0.5 [0.1-0.9]: `train.folds: 5` helps")
    assert str(text) == (
        "&lt;b&gt; has recall 0.5 "
        '<span class="between">[0.1-0.9]</span>: <code>train.folds: 5</code> helps'
    )


def test_patients_too_few_for_an_interval_have_a_page(make_project):
    """All positives in test are of one patient: no interval, and nothing ends for want of one."""
    project = make_project(("healthy", "ill"), "ill", masks=False, copies=False, patients=13)
    groups = json.loads((project.data / "evaluation/results.json").read_text())["groups"]["test"]
    assert groups["per_class"]["ill"] == 1
    text = project.page.read_text()
    assert "of 1 group:" in text
    assert "1 groups" not in text
