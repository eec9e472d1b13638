"""What people point at and open in the page, in a real Chromium: charts, mistakes, terms."""

import re

import pytest
from sklearn import metrics

from raresight.pipeline.wording.glossary import explained, factor_key


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


def test_images_are_filtered_by_a_cell_sorted_and_enlarged(browser, alike):
    browser.resize(1280)
    browser.open(alike.page)
    everything = pictures(browser)
    cells = browser.evaluate(
        "[...document.querySelectorAll('.confusion button')]"
        ".map(e => [e.parentElement.dataset.cell, Number(e.textContent)])"
    )
    for place, (cell, images) in enumerate(cells):
        browser.evaluate(f"document.querySelectorAll('.confusion button')[{place}].click()")
        some = pictures(browser)
        assert 0 < len(some) <= images
        actual, predicted = cell.split("-")
        # Right answers are shown when a number of them is pressed, and only then.
        assert set(some).isdisjoint(everything) == (actual == predicted)
        shares = browser.evaluate("[...document.querySelectorAll('.kind:not([hidden])')].length")
        assert shares == 1
    assert {f"{k}-{k}" for k in range(3)} < {cell for cell, _ in cells}
    assert f"{len(some)} shown" in browser.evaluate("filtered.textContent")
    browser.evaluate("unfilter.click()")
    assert pictures(browser) == everything
    browser.evaluate("sort.value = 'name'; sort.dispatchEvent(new Event('change'))")
    files = browser.evaluate(
        "[...document.querySelectorAll('.gallery .file')].filter(e => e.checkVisibility())"
        ".map(e => e.textContent)"
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
