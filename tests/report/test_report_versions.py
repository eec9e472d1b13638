"""Two versions on one page: the workspace against a commit of a repository of simulated answers."""

import json
import re

import pyarrow as pa
import pytest
from browser import CHROMIUM, chromium
from program import invoke
from versions import make_repository

from raresight.pipeline.commands.compare import run as compare
from raresight.pipeline.wording.comparison import answers
from raresight.pipeline.wording.numbers import number


@pytest.fixture(scope="module")
def repository(tmp_path_factory):
    return make_repository(tmp_path_factory.mktemp("versions"))


@pytest.fixture
def page(repository, monkeypatch, tmp_path):
    monkeypatch.chdir(repository.folder)
    out = tmp_path / "below" / "against.html"
    result = invoke("report", "--against", "weak", "--out", out)
    assert result.exit_code == 0, result.output
    assert f"Open {out} in a browser." in result.stderr
    return out


def confusion(folder, threshold):
    with pa.OSFile(str(folder / "data/evaluation/predictions/test.arrow")) as file:
        table = pa.ipc.open_file(file).read_all()
    called = table["score.rare"].to_numpy() >= threshold
    actual = table["label"].to_numpy() == "rare"
    return int((called & actual).sum()), int((called & ~actual).sum())


def test_the_page_has_compares_verdict_what_differs_and_both_panels(repository, page):
    text = page.read_text()
    report = compare(
        repository.folder / "params.yaml", repository.folder / "data", old="weak", new="workspace"
    )
    for answer in answers(report):
        assert f"{answer.word}</strong>: {answer.more}" in text
    for one in report.comparison.differences:
        assert f">{number(one.old)}</td>" in text
        assert f">{number(one.new)}</td>" in text
    assert re.search(r"<code>train\.skill</code></th><td[^>]*>1\.5</td><td[^>]*>3\.5</td>", text)
    assert "train.luck" not in text
    commit = repository.run("git", "rev-parse", "--short=7", "weak").strip()
    assert f"<code>{commit}</code>" in text
    assert len(set(re.findall(r"has results <code>([0-9a-f]{12})</code>", text))) == 2
    data = json.loads(re.search(r'id="new-panel-data">(.*?)</script>', text, re.DOTALL)[1])
    stop = data["chosen"]
    assert (data["tp"][stop], data["fp"][stop]) == confusion(repository.folder, 0.6)
    ids = re.findall(r' id="([^"]+)"', text)
    assert len(ids) == len(set(ids))


@pytest.mark.skipif(CHROMIUM is None, reason="no chromium here")
def test_both_panels_share_the_prevalence_and_keep_their_thresholds(page):
    shown = "['old-', 'new-'].map(n => document.getElementById(n + '{}').textContent)"
    with chromium() as browser:
        for width in (390, 1440):
            browser.resize(width)
            browser.open(page)
            assert browser.evaluate("document.documentElement.scrollWidth") == width
        before = browser.evaluate(shown.format("threshold-text"))
        assert before[0] != before[1] or before == ["0.6", "0.6"]
        browser.evaluate("document.getElementById('old-typed').focus()")
        browser.call("Input.insertText", text="1 in 5,000")
        browser.press("Enter")
        assert browser.evaluate(shown.format("prevalence-text")) == ["1 in 5,000 · 0.02 %"] * 2
        browser.evaluate("document.getElementById('new-threshold').focus()")
        browser.press("End")
        after = browser.evaluate(shown.format("threshold-text"))
        assert after[0] == before[0]
        assert after[1].startswith("above")
        assert browser.complaints == []


def test_what_is_missing_is_said(repository, monkeypatch, tmp_path):
    monkeypatch.chdir(repository.folder)
    out = tmp_path / "page.html"
    cases = [
        (("--against", "weak"), 2, "say with --out"),
        (("--out", out), 2, "for the page of --against only"),
        (("--against", "nothing", "--out", out), 2, "nothing"),
        (("--against", "empty", "--out", out), 66, "empty has no data/evaluation/results.json"),
    ]
    for options, code, said in cases:
        result = invoke("report", *options)
        assert (result.exit_code, said in result.stderr) == (code, True), result.stderr
    assert not out.exists()
