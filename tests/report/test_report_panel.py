"""The page's panel in a real Chromium: the sliders are moved, and every number is checked."""

import json
import time

import interval_settings
import numpy as np
import pytest
from sklearn import metrics

from raresight.pipeline.evaluation.prevalence import reweight_to_prevalence


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
