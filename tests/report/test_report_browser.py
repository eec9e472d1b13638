"""The page in a real Chromium: the sliders are moved, the numbers checked, and people served."""

import base64
import json
import os
import re
import time
from pathlib import Path

import interval_settings
import numpy as np
import pyarrow as pa
import pytest
from browser import CHROMIUM, chromium
from sklearn import metrics

from raresight.pipeline.evaluation.prevalence import reweight_to_prevalence
from raresight.pipeline.wording.glossary import explained, factor_key

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
        "[...document.querySelectorAll('a, button, input, select, summary, [tabindex=\"0\"]')]"
        ".filter(e => e.checkVisibility()).map((e, i) => { e.dataset.nth = i; return i })"
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
        "[...document.querySelectorAll('nav a, button, input, select, .switch, summary')]"
        ".filter(e => e.checkVisibility() && !e.closest('.switch input'))"
        ".map(e => [e.outerHTML, e.getBoundingClientRect()])"
        ".filter(([, box]) => box.width < 24 || box.height < 24)"
    )
    assert small == []


def test_without_a_script_the_panel_shows_the_same_numbers(browser, rare):
    texts = """[...document.querySelectorAll("#panel .value, #panel .between, #panel .never, "
        + "#panel .matrix b, #says, #counted, #of-predicted, #prevalence-text, #threshold-text")]
        .map(e => e.textContent)"""
    drawn = "[...document.querySelectorAll('#predicted i')].map(e => e.className)"
    places = """[...document.querySelectorAll("#panel .dot, #panel .range, #panel .tick")]
        .map(e => [e.hidden, Math.round(10 * parseFloat(e.style.left))])"""
    found = []
    browser.resize(1280)
    for disabled in (False, True):
        browser.call("Emulation.setScriptExecutionDisabled", value=disabled)
        browser.call("Page.navigate", url=rare.page.absolute().as_uri())
        while browser.evaluate("document.readyState") != "complete":
            time.sleep(0.05)
        found.append([browser.evaluate(script) for script in (texts, drawn, places)])
    browser.call("Emulation.setScriptExecutionDisabled", value=False)
    assert len(found[0][0]) > 20
    assert found[0] == found[1]


@pytest.mark.parametrize(
    ("text", "prevalence"),
    [
        ("1 in 347", 1 / 347),
        ("3/1000", 0.003),
        ("1 in 10,000", 1e-4),
        ("0.3 %", 0.003),
        ("0,3%", 0.003),
        ("2e-3", 2e-3),
    ],
)
def test_a_prevalence_can_be_typed(page, test_set, text, prevalence):
    page.evaluate("document.getElementById('typed').focus()")
    page.call("Input.insertText", text=text)
    page.press("Enter")
    found = shown(page)
    assert found["prevalence"] == pytest.approx(prevalence)
    check(found, test_set)


def test_what_is_no_share_is_said_and_changes_nothing(page):
    before = shown(page)
    for text in ("often", "7", "0", "-1"):
        page.evaluate("document.getElementById('typed').value = ''")
        page.evaluate("document.getElementById('typed').focus()")
        page.call("Input.insertText", text=text)
        page.press("Enter")
        said = page.evaluate("document.getElementById('typed-help').textContent")
        assert "1 in 1,000,000 and 1 in 2" in said
        assert page.evaluate("document.getElementById('typed').ariaInvalid") == "true"
    assert shown(page) == before


def pointed(page, selector: str, x: float, y: float) -> str:
    """What the page says where the pointer is: at shares of the element's width and height."""
    page.evaluate(f"document.querySelector('{selector}').scrollIntoView({{block: 'center'}})")
    box = page.evaluate(f"document.querySelector('{selector}').getBoundingClientRect().toJSON()")
    place = {"x": box["x"] + x * box["width"], "y": box["y"] + y * box["height"]}
    page.call("Input.dispatchMouseEvent", type="mouseMoved", **place)
    return page.evaluate("document.getElementById('tip').hidden ? '' : tip.textContent")


def test_charts_say_their_values_to_pointer_and_keys(page, test_set):
    said = pointed(page, "#curves .chart", 0.5, 0.5)
    name, recall, precision, threshold = re.fullmatch(
        r"(.+?)recall (\S+), precision (\S+), threshold (\S+)", said
    ).groups()
    if name == "model":
        actual, scores = test_set
        called = scores >= float(threshold)
        assert metrics.recall_score(actual, called) == pytest.approx(float(recall), abs=0.05)
        assert metrics.precision_score(actual, called) == pytest.approx(float(precision), abs=0.05)
    live = pointed(page, "#panel .chart", 0.9, 0.5)
    assert re.match(r"1 in \S+recall \S+, precision \S+, F1 \S+, accuracy", live)
    page.evaluate("document.querySelector('#learning .chart').focus()")
    page.press("ArrowRight")
    first = page.evaluate("tip.textContent")
    page.press("ArrowRight")
    assert first.startswith("trainingepoch 1, training 1.000")
    assert page.evaluate("tip.textContent").startswith("trainingepoch 2")
    page.press("ArrowDown")
    assert page.evaluate("tip.textContent").startswith("validationepoch 2")


def pictures(page) -> list[str]:
    return page.evaluate(
        "[...document.querySelectorAll('.gallery > li')].filter(e => e.checkVisibility())"
        ".map(e => e.querySelector('code').textContent)"
    )


def test_mistakes_are_filtered_by_a_cell_sorted_and_enlarged(browser, alike):
    browser.resize(1280)
    browser.open(alike.page)
    everything = pictures(browser)
    cells = browser.evaluate(
        "[...document.querySelectorAll('.confusion button')]"
        ".map(e => [e.parentElement.dataset.cell, Number(e.textContent)])"
    )
    assert not {f"{k}-{k}" for k in range(3)} & {cell for cell, _ in cells}
    browser.evaluate("document.querySelector('.confusion button').click()")
    some = pictures(browser)
    assert 0 < len(some) <= cells[0][1]
    assert set(some) < set(everything)
    assert f"{len(some)} shown" in browser.evaluate("filtered.textContent")
    browser.evaluate("unfilter.click()")
    assert pictures(browser) == everything
    browser.evaluate("sort.value = 'name'; sort.dispatchEvent(new Event('change'))")
    files = browser.evaluate(
        "[...document.querySelectorAll('.gallery .file')].map(e => e.textContent)"
    )
    assert files == sorted(files)
    assert all(re.fullmatch(r"[abc]/noise-\d+\.png", file) for file in files)
    browser.evaluate("document.querySelector('.enlarge').click()")
    facts = "document.getElementById('viewer-facts').textContent"
    assert browser.evaluate("viewer.open")
    assert files[0] in browser.evaluate(facts)
    assert "size" in browser.evaluate(facts)
    browser.evaluate("document.getElementById('viewer-next').click()")
    assert files[1] in browser.evaluate(facts)
    assert browser.evaluate("document.querySelector('#viewer img').clientWidth") > 300
    browser.evaluate("document.getElementById('viewer-close').click()")
    assert not browser.evaluate("viewer.open")


def test_terms_explain_themselves_and_the_contents_stay_in_sight(page):
    page.evaluate("document.querySelector('.term').click()")
    opened = "document.querySelector(':popover-open')?.textContent ?? ''"
    assert "share of the positives that are found" in page.evaluate(opened).lower()
    name = page.evaluate(
        "(() => { const e = document.querySelector('#slices .bars .term'); e.click();"
        " return e.textContent })()"
    )
    assert explained({})[factor_key(name)].text in page.evaluate(opened)
    page.evaluate("document.querySelector('#origin').scrollIntoView()")
    box = page.evaluate("document.querySelector('.contents').getBoundingClientRect().toJSON()")
    assert box["top"] == pytest.approx(0, abs=1)
    page.evaluate("new Promise(r => requestAnimationFrame(() => requestAnimationFrame(r)))")
    assert page.evaluate("document.querySelector('.contents [aria-current]').hash") == "#origin"


@pytest.mark.parametrize("project", ["rare", "alike"])
def test_a_phone_shows_whole_tables_on_few_screens(browser, project, request):
    browser.resize(390, 844)
    browser.open(request.getfixturevalue(project).page)
    assert browser.evaluate("document.documentElement.scrollHeight") < 14 * 844
    browser.evaluate("document.querySelectorAll('details').forEach(e => e.open = true)")
    cut = browser.evaluate(
        "[...document.querySelectorAll('.scroll, table')]"
        ".filter(e => e.scrollWidth > e.clientWidth + 1 || e.getBoundingClientRect().right > 390)"
        ".map(e => e.outerHTML.slice(0, 120))"
    )
    assert cut == []


@pytest.mark.parametrize("project", ["rare", "alike"])
@pytest.mark.parametrize("width", [390, 768, 1440])
def test_axe_finds_nothing(browser, project, width, request):
    axe = Path(pytest.importorskip("axe_core_python").__file__).with_name("axe.min.js").read_text()
    for dark in (False, True):
        browser.resize(width, dark=dark)
        browser.open(request.getfixturevalue(project).page)
        browser.evaluate(f"{axe}; 0")
        found = browser.evaluate(
            "axe.run().then(found => found.violations.map(one => [one.id, one.nodes[0].html]))"
        )
        assert found == []


def test_it_prints_on_white_with_everything_open(page):
    page.evaluate("document.querySelectorAll('details').forEach(e => e.removeAttribute('open'))")
    page.call("Emulation.setEmulatedMedia", media="print")
    ground = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert ground == "rgb(255, 255, 255)"
    assert page.evaluate("document.querySelector('nav').getClientRects().length") == 0
    printed = page.call("Page.printToPDF", printBackground=True)["data"]
    page.call("Emulation.setEmulatedMedia", media="")
    pages = len(re.findall(rb"/Type\s*/Page\b", base64.b64decode(printed)))
    assert 3 <= pages <= 9
