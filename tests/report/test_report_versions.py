"""Two versions on one page: the workspace against a commit of a repository of simulated answers."""

import json
import re
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest
from browser import CHROMIUM, chromium
from program import invoke
from versions import make_repository

from raresight.pipeline.commands.compare import run as compare
from raresight.pipeline.comparison.report import compare_versions
from raresight.pipeline.comparison.sides import answers as answers_of
from raresight.pipeline.comparison.sides import common_task, settings_of
from raresight.pipeline.comparison.versions import read_version
from raresight.pipeline.dataset.reader import Dataset
from raresight.pipeline.report.versions.page import Judged, versions_page
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


@pytest.mark.skipif(CHROMIUM is None, reason="no chromium here")
def test_axe_finds_nothing(page):
    with chromium() as browser:
        for width in (390, 768, 1440):
            for dark in (False, True):
                browser.resize(width, dark=dark)
                browser.open(page)
                assert browser.violations() == []


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


def test_images_that_one_version_alone_gets_wrong_are_shown(rare):
    now = read_version("workspace", rare.params, rare.data)
    task = common_task(now, now)
    ids, own = now.test.ids, now.test.scores[:, task.positive_index]
    strict = float(np.quantile(own[now.test.labels == task.positive_index], 0.75))
    before = with_threshold(now, strict)
    sides = [
        Judged(
            name=name,
            commit="",
            version=version,
            outcome=answers_of(version.test, version.trainings[0].threshold, task),
        )
        for name, version in (("HEAD", before), ("workspace", now))
    ]
    text = versions_page(
        compare_versions(before, now, on="test", shared=False),
        *sides,
        settings=settings_of(now).intervals,
        ids=ids,
        pictures=Dataset(rare.data / "generated"),
        most=100,
    )
    wrong = [side.outcome.predicted != side.outcome.targets for side in sides]
    regressed, fixed = ids[wrong[1] & ~wrong[0]], ids[wrong[0] & ~wrong[1]]
    assert len(regressed)
    assert len(fixed)
    shown = re.findall(r"<code>(noise-\d+)</code>", text)
    assert sorted(shown[: len(regressed)]) == sorted(regressed)
    assert sorted(shown[len(regressed) :]) == sorted(fixed)


def with_threshold(version, threshold):
    """The same model, which decides otherwise."""
    trainings = (replace(version.trainings[0], threshold=threshold), *version.trainings[1:])
    told = {**version.results["threshold"], "model": threshold}
    results = {**version.results, "threshold": told}
    return replace(version, name="HEAD", trainings=trainings, results=results)
