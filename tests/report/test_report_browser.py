"""The page in a real Chromium: the sliders are moved, the numbers checked, and people served."""

import json
import os

import interval_settings
import numpy as np
import pyarrow as pa
import pytest
from browser import CHROMIUM, chromium
from sklearn import metrics

from raresight.pipeline.evaluation.prevalence import reweight_to_prevalence

SIZES = [(1280, False), (1280, True), (390, False), (390, True)]
RARE = "rare <b>&amp;</b>"


@pytest.fixture(scope="module")
def browser():
    if CHROMIUM is None:
        reason = "no chromium here: apt-get install chromium"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    with chromium() as found:
        yield found


@pytest.fixture
def page(browser, rare):
    browser.resize(1280)
    browser.open(rare.page)
    return browser


@pytest.fixture(scope="module")
def test_set(rare):
    """Whether each test image is positive, and its score: bool (n,) and float (n,)."""
    with pa.OSFile(str(rare.data / "evaluation/predictions/test.arrow")) as file:
        table = pa.ipc.open_file(file).read_all()
    return table["label"].to_numpy() == RARE, table[f"score.{RARE}"].to_numpy()


def shown(page) -> dict:
    """Everything that the sliders move, as numbers."""
    return page.evaluate(
        """(() => {
        const value = (e) => (e.dataset.value === "" ? null : Number(e.dataset.value));
        const found = {
            threshold: document.getElementById("threshold-text").textContent,
            prevalence: value(document.getElementById("prevalence")),
        };
        for (const row of document.querySelectorAll("[data-metric]")) {
            const name = row.dataset.metric, bar = row.querySelector(".range");
            const ends = [bar.dataset.low, bar.dataset.high].map(Number);
            found[name] = value(row.querySelector(".value"));
            found[name + "_text"] = row.querySelector(".value").textContent;
            found[name + "_ends"] = bar.hidden ? null : ends;
            found[name + "_never"] = row.querySelector(".never").textContent;
        }
        for (const cell of ["tp", "fn", "fp", "tn"])
            found[cell] = value(document.getElementById("cell-" + cell));
        return found;
        })()"""
    )


def expected(actual, called, prevalence) -> dict:
    """scikit-learn's figures, the test images weighted to another prevalence."""
    weights = np.where(actual, prevalence / actual.sum(), (1 - prevalence) / (~actual).sum())
    given = {"y_true": actual, "y_pred": called, "sample_weight": weights}
    (tn, fp), (fn, tp) = 1e6 * metrics.confusion_matrix(**given)
    return {
        "accuracy": metrics.accuracy_score(**given),
        "precision": metrics.precision_score(**given, zero_division=0) if called.any() else None,
        "recall": metrics.recall_score(**given),
        "f1": metrics.f1_score(**given, zero_division=0),
        **{"tp": tp, "fn": fn, "fp": fp, "tn": tn},
    }


def check(found, test_set):
    actual, scores = test_set
    if found["threshold"].startswith("above "):
        called = np.zeros(len(scores), bool)
    else:
        called = scores >= float(found["threshold"])
    prevalence = found["prevalence"]
    for name, value in expected(actual, called, prevalence).items():
        assert found[name] == (None if value is None else pytest.approx(value, rel=1e-6, abs=1e-9))
    intervals = reweight_to_prevalence(
        metrics.confusion_matrix(actual, called),
        prevalence=prevalence,
        positive="rare",
        settings=interval_settings.settings(),
    )
    for name in ("accuracy", "precision", "recall", "f1"):
        if found[name] is not None:
            ends = intervals[name].interval
            assert found[f"{name}_ends"] == pytest.approx(ends, rel=1e-4, abs=1e-6)
    # What a person reads is the same number, rounded; and the rule that never raises an alarm.
    assert float(found["accuracy_text"]) == pytest.approx(found["accuracy"], abs=6e-4)
    assert float(found["accuracy_never"]) == pytest.approx(1 - prevalence, abs=6e-4)


def test_it_opens_without_network_and_without_complaint(browser, rare, alike):
    for project in (rare, alike):
        browser.requests.clear()
        browser.resize(1280)
        browser.open(project.page)
        assert {address.split(":")[0] for address in browser.requests} <= {"file", "data"}
        assert [a for a in browser.requests if a.startswith("file")] == [project.page.as_uri()]
    assert browser.complaints == []


def test_it_begins_at_the_chosen_threshold_and_the_test_sets_prevalence(page, rare, test_set):
    found = shown(page)
    check(found, test_set)
    judged = json.loads((rare.data / "evaluation/results.json").read_text())["test"]
    for name in ("accuracy", "precision", "recall", "f1"):
        assert found[name] == pytest.approx(judged[name])


@pytest.mark.parametrize(
    ("slider", "keys"),
    [
        ("threshold", ["ArrowRight", "ArrowLeft", "ArrowLeft", "PageUp", "Home", "End"]),
        ("prevalence", ["ArrowLeft", "ArrowLeft", "PageDown", "Home", "End"]),
    ],
)
def test_keys_move_the_sliders_and_all_numbers_with_them(page, slider, keys, test_set):
    page.evaluate(f"document.getElementById('{slider}').focus()")
    before = shown(page)
    for key in keys:
        page.press(key)
        found = shown(page)
        assert found[slider] != before[slider]
        check(found, test_set)
        before = found


def test_the_pointer_moves_the_sliders_too(page, test_set):
    for slider, share in (("threshold", 0.7), ("prevalence", 0.2)):
        before = shown(page)
        page.evaluate(f"document.getElementById('{slider}').scrollIntoView({{block: 'center'}})")
        box = page.evaluate(f"document.getElementById('{slider}').getBoundingClientRect().toJSON()")
        x, y = box["x"] + share * box["width"], box["y"] + box["height"] / 2
        for kind in ("mousePressed", "mouseReleased"):
            page.call("Input.dispatchMouseEvent", type=kind, x=x, y=y, button="left", clickCount=1)
        found = shown(page)
        assert found[slider] != before[slider]
        check(found, test_set)


def test_accuracy_stays_while_precision_falls(page, test_set):
    page.evaluate("document.querySelectorAll('.preset')[1].focus()")
    page.press("Enter")
    found = shown(page)
    assert found["prevalence"] == 1e-4  # evaluate.deployment_prevalence
    check(found, test_set)
    actual, scores = test_set
    called = scores >= float(found["threshold"])
    s, c = called[actual].mean(), (~called[~actual]).mean()
    p = 1e-4
    assert found["precision"] == pytest.approx(s * p / (s * p + (1 - c) * (1 - p)))
    assert found["precision"] < 0.05 < 0.9 < found["accuracy"]
    assert found["accuracy_never"] == "0.9999"


def test_the_reset_button_returns_to_the_chosen_threshold(page):
    before = shown(page)
    page.evaluate("document.getElementById('threshold').focus()")
    page.press("ArrowRight", 4)
    page.evaluate("document.getElementById('reset').focus()")
    page.press("Enter")
    assert shown(page) == before


@pytest.mark.parametrize("project", ["rare", "alike"])
@pytest.mark.parametrize("width", [360, 390, 768, 1280])
def test_nothing_sticks_out_sideways(browser, project, width, request):
    browser.resize(width)
    browser.open(request.getfixturevalue(project).page)
    assert browser.evaluate("document.documentElement.scrollWidth") == width


CONTRAST = """(() => {
const rgb = (text) => {
  const canvas = document.createElement("canvas").getContext("2d", {willReadFrequently: true});
  canvas.fillStyle = text; canvas.fillRect(0, 0, 1, 1);
  return [...canvas.getImageData(0, 0, 1, 1).data];
};
const light = ([r, g, b]) => [r, g, b].map((v) => v / 255)
  .map((v) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4))
  .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
const ground = (e) => {
  for (; e; e = e.parentElement) {
    const colour = rgb(getComputedStyle(e).backgroundColor);
    if (colour[3] === 255) return colour;
  }
  return rgb("Canvas");
};
const found = [];
for (const e of document.querySelectorAll("body *")) {
  const own = [...e.childNodes].some((n) => n.nodeType === 3 && n.textContent.trim());
  if (!own || ["SCRIPT", "STYLE"].includes(e.tagName) || !e.getClientRects().length) continue;
  const style = getComputedStyle(e), size = parseFloat(style.fontSize);
  const text = rgb(e instanceof SVGElement ? style.fill : style.color);
  const [a, b] = [light(text), light(ground(e))].sort((x, y) => y - x);
  const large = size >= 24 || (size >= 18.66 && Number(style.fontWeight) >= 700);
  const ratio = (a + 0.05) / (b + 0.05);
  if (ratio < (large ? 3 : 4.5)) found.push([e.tagName, e.textContent.slice(0, 30), ratio]);
}
return found;
})()"""


@pytest.mark.parametrize(("width", "dark"), SIZES)
def test_every_text_stands_out_from_its_ground(browser, rare, width, dark):
    """WCAG 2.2, 1.4.3: 4.5 to 1, for large text 3 to 1."""
    browser.resize(width, dark=dark)
    browser.open(rare.page)
    assert browser.evaluate(CONTRAST) == []


def test_the_theme_follows_the_reader(browser, rare):
    grounds = []
    for dark in (False, True):
        browser.resize(1280, dark=dark)
        browser.open(rare.page)
        grounds.append(browser.evaluate("getComputedStyle(document.body).backgroundColor"))
    light, dark = (sum(map(int, ground[4:-1].split(","))) for ground in grounds)
    assert light > 600 > 150 > dark


def test_whatever_can_be_used_or_seen_has_a_name(page):
    nodes = page.call("Accessibility.getFullAXTree")["nodes"]
    roles = {"slider", "button", "link", "image", "checkbox", "region"}
    named = [node for node in nodes if node.get("role", {}).get("value") in roles]
    assert {node["role"]["value"] for node in named} >= {"slider", "button", "link", "image"}
    assert [node for node in named if not node["name"]["value"].strip()] == []
    sliders = [node for node in nodes if node.get("role", {}).get("value") == "slider"]
    assert {node["name"]["value"] for node in sliders} == {"Threshold", "Prevalence"}
    said = page.evaluate(
        "[...document.querySelectorAll('input[type=range]')].map(e => e.ariaValueText)"
    )
    assert "1 in 6" in said[0]
    assert "found" in said[1]
    page.evaluate("document.getElementById('prevalence').focus()")
    page.press("Home")
    assert "1 in 1,000,000" in page.evaluate("document.activeElement.ariaValueText")


def test_tab_reaches_everything_that_can_be_used_in_reading_order(page):
    usable = page.evaluate(
        "[...document.querySelectorAll('a, button, input, summary, [tabindex=\"0\"]')]"
        ".filter(e => e.getClientRects().length).map((e, i) => { e.dataset.nth = i; return i })"
    )
    page.evaluate("document.body.focus()")
    reached = []
    for _ in usable:
        page.press("Tab")
        reached.append(int(page.evaluate("document.activeElement.dataset.nth ?? -1")))
    assert reached == usable


def test_fingers_find_their_targets(browser, rare):
    """WCAG 2.2, 2.5.8: at least 24 by 24 pixels."""
    browser.resize(390)
    browser.open(rare.page)
    small = browser.evaluate(
        "[...document.querySelectorAll('nav a, button, input[type=range], .switch, summary')]"
        ".map(e => [e.outerHTML, e.getBoundingClientRect()])"
        ".filter(([, box]) => box.width < 24 || box.height < 24)"
    )
    assert small == []


def test_it_prints_on_white_with_everything_open(page):
    page.evaluate("document.querySelectorAll('details').forEach(e => e.removeAttribute('open'))")
    page.call("Emulation.setEmulatedMedia", media="print")
    ground = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert ground == "rgb(255, 255, 255)"
    assert page.evaluate("document.querySelector('nav').getClientRects().length") == 0
    printed = page.call("Page.printToPDF", printBackground=True)["data"]
    page.call("Emulation.setEmulatedMedia", media="")
    assert len(printed) > 50_000
