"""The page in a real Chromium serves everybody: any width and theme, keys, fingers, paper."""

import base64
import re

import pytest

SIZES = [(1280, False), (1280, True), (390, False), (390, True)]


def test_it_opens_without_network_and_without_complaint(browser, rare, alike):
    for project in (rare, alike):
        browser.requests.clear()
        browser.resize(1280)
        browser.open(project.page)
        assert {address.split(":")[0] for address in browser.requests} <= {"file", "data"}
        assert [a for a in browser.requests if a.startswith("file")] == [project.page.as_uri()]
    assert browser.complaints == []


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
    for dark in (False, True):
        browser.resize(width, dark=dark)
        browser.open(request.getfixturevalue(project).page)
        assert browser.violations() == []


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
