"""The page as text: whole, self-contained, escaped, and the same from the same inputs."""

import hashlib
import html
import itertools
import json
import re
import shutil
from html.parser import HTMLParser

import numpy as np
import pyarrow as pa
import pytest
from imports import ROOT
from program import invoke
from ruamel.yaml import YAML
from sklearn.metrics import confusion_matrix

from benchmarks.torture.damaging import fit
from raresight.pipeline.core.files import manifest_problems
from raresight.pipeline.evaluation.metrics.registry import METRICS, shown
from raresight.pipeline.runtime.errors import DataError, InputMissing
from raresight.pipeline.stages import report
from raresight.pipeline.wording.glossary import TERMS
from raresight.pipeline.wording.numbers import number, share

VOID = {"meta", "link", "img", "input", "br"}
RARE = "rare <b>&amp;</b>"


class Page(HTMLParser):
    """Elements and texts of a page; fails on tags that do not match."""

    def __init__(self, text: str):
        super().__init__()
        self.open, self.elements, self.text = [], [], []
        self.feed(text)
        assert self.open == []

    def handle_starttag(self, tag, attributes):
        self.elements.append((tag, dict(attributes)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        self.elements.append((tag, dict(attributes)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open[-1:] not in (["style"], ["script"]):
            self.text.append(data)

    def attributes(self, name: str) -> list[str]:
        return [found[name] for _, found in self.elements if name in found]


@pytest.fixture(params=["rare", "alike"])
def page(request) -> Page:
    return Page(request.getfixturevalue(request.param).page.read_text())


def test_the_output_is_whole(rare):
    assert manifest_problems(rare.page.parent) == []


def test_nothing_is_fetched(page):
    targets = page.attributes("src") + page.attributes("href")
    assert all(target.startswith(("#", "data:")) for target in targets)
    assert not [tag for tag, _ in page.elements if tag in ("iframe", "object", "base")]


def test_ids_are_unique_and_links_lead_somewhere(page):
    ids = page.attributes("id")
    assert len(ids) == len(set(ids))
    referred = [target[1:] for target in page.attributes("href") if target.startswith("#")]
    for name in ("for", "aria-labelledby", "aria-describedby"):
        referred += " ".join(page.attributes(name)).split()
    referred += re.findall(r"url\(#([^)]+)\)", " ".join(page.attributes("clip-path")))
    assert set(referred) <= set(ids)


def test_headings_go_down_one_level_at_a_time(page):
    levels = [int(tag[1]) for tag, _ in page.elements if re.fullmatch(r"h[1-6]", tag)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(next <= level + 1 for level, next in itertools.pairwise(levels))


def test_names_are_escaped_wherever_they_stand(rare):
    text = rare.page.read_text()
    assert "<b>&amp;" not in text
    assert "test <i>" not in text
    assert RARE in " ".join(Page(text).text)


def test_same_inputs_same_bytes(rare):
    before = rare.page.read_bytes()
    report.run(rare.params, rare.data)
    assert rare.page.read_bytes() == before


def test_every_part_of_the_story_is_told(rare):
    page = Page(rare.page.read_text())
    titles = {found.get("id") for tag, found in page.elements if tag == "section"}
    assert titles >= {"verdict", "sliders", "comparison", "curves", "mistakes", "images"}
    assert titles >= {"learning", "origin"}
    text = " ".join(page.text)
    metrics = json.loads((rare.data / "evaluation/results.json").read_text())
    assert f"Accuracy {metrics['test']['accuracy']:.3f}" in text
    assert "deployment_prevalence" in text
    assert "9.9" in text
    assert "Diagnosis: not converged" in text
    assert "Training loss is 60 % of the constant-prediction loss and still falling" in text
    assert "train longer: raise train.epochs" in text
    assert "Trained 2 times from other seeds" in text


def test_the_page_has_its_own_title_and_notes_and_a_name_for_its_inputs(rare, tmp_path):
    yaml = YAML()
    document, text = yaml.load(rare.params), rare.page.read_text()
    assert f"<h1>{html.escape(document['report']['title'])}</h1>" in text
    page = " ".join(Page(text).text)
    assert "Finding" in page
    for paragraph in ("Ask Ada.\nBefore noon.", "Not for <u>use</u>."):
        assert f"<p>{html.escape(paragraph)}</p>" in text
    (name,) = set(re.findall(r"inputs <code>([0-9a-f]{12})</code>", text))
    data = tmp_path / "data"
    shutil.copytree(rare.data, data)
    other = tmp_path / "params.yaml"

    def named() -> str:
        yaml.dump(document, other)
        return re.search(r"inputs <code>(\w+)</code>", report.run(other, data).read_text())[1]

    document["report"] |= {"title": None, "notes": None, "mistakes": 1}
    assert named() == name
    document["train"]["epochs"] += 1
    assert named() != name
    document["train"]["epochs"] -= 1
    judged = data / "evaluation" / "results.json"
    judged.write_text(judged.read_text() + "\n")
    with pytest.raises(DataError, match=r"results\.json is not what was written"):
        named()
    fit(judged, data)
    assert named() != name
    # dvc.lock lists results.json by its MD5, by which the page's commit is found.
    assert hashlib.md5(judged.read_bytes()).hexdigest() in (data / "report/index.html").read_text()


def test_every_term_of_the_templates_has_a_meaning():
    folder = ROOT / "pipeline/report/template"
    used = re.findall(r'term\("(\w+)"', "".join(f.read_text() for f in folder.rglob("*.html")))
    assert len(set(used)) > 8
    assert set(used) <= set(TERMS)
    assert set(METRICS) <= set(TERMS)


def test_where_images_were_files_predictions_and_mistakes_name_them(rare, alike):
    table = predictions(alike.data)
    files = dict(zip(table["id"].to_pylist(), table["file"].to_pylist(), strict=True))
    assert all(re.fullmatch(rf"[abc]/{id}\.png", file) for id, file in files.items())
    shown = re.findall(r'class="file">(.*?)</span><code>(.*?)</code>', alike.page.read_text())
    assert len(shown) > 12
    assert all(files[id] == file for file, id in shown)
    assert "file" not in predictions(rare.data).column_names


def test_the_page_shows_what_copies_make_of_the_answers(rare, alike):
    checked = json.loads((rare.data / "evaluation/results.json").read_text())["augmentation_check"]
    text = rare.page.read_text()
    assert "Do the copies tell the class?" in text
    assert f"<td>{checked['other_classes']['images']:,}</td>" in text
    assert "Do the copies tell the class?" not in alike.page.read_text()


def test_the_page_shows_whether_the_model_looks_at_the_object(rare, alike):
    found = json.loads((rare.data / "evaluation/results.json").read_text())["object_removed"]
    text = Page(rare.page.read_text()).text
    whole = " ".join(text)
    assert "Does it look at the object?" in whole
    assert f"{RARE}, the object filled by its surroundings" in text
    assert f"{number(found['after'])} " in whole
    assert "Does it look at the object?" not in alike.page.read_text()


def predictions(data):
    with pa.OSFile(str(data / "evaluation/predictions/test.arrow")) as file:
        return pa.ipc.open_file(file).read_all()


def test_embedded_stops_are_the_confusions_of_the_test_scores(rare):
    found = re.search(r'id="panel-data">(.*?)</script>', rare.page.read_text(), re.DOTALL)
    data = json.loads(found[1])
    table = predictions(rare.data)
    actual = table["label"].to_numpy() == RARE
    scores = table[f"score.{RARE}"].to_numpy()
    assert (data["positives"], data["negatives"]) == (actual.sum(), (~actual).sum())
    stops = zip(data["thresholds"], data["tp"], data["fp"], strict=True)
    assert next(stops)[1:] == (0, 0)
    for threshold, tp, fp in stops:
        called = scores >= float(threshold)
        (_, false), (_, true) = confusion_matrix(actual, called, labels=[False, True])
        assert (tp, fp) == (true, false)
    metrics = json.loads((rare.data / "evaluation/results.json").read_text())
    called = scores >= metrics["threshold"]["model"]
    assert data["tp"][data["chosen"]] == (called & actual).sum()
    assert data["fp"][data["chosen"]] == (called & ~actual).sum()


def test_the_surest_mistakes_are_shown_in_order_and_what_was_nearly_one(rare):
    table = predictions(rare.data)
    metrics = json.loads((rare.data / "evaluation/results.json").read_text())
    scores = table[f"score.{RARE}"].to_numpy()
    actual = table["label"].to_numpy() == RARE
    called = scores >= metrics["threshold"]["model"]
    ids = table["id"].to_numpy()
    alarms, misses = called & ~actual, ~called & actual
    assert alarms.any()
    assert misses.any()
    expected = [*ids[alarms][np.argsort(-scores[alarms], kind="stable")][:12]]
    expected += [*ids[misses][np.argsort(scores[misses], kind="stable")][:12]]
    nearest = np.argsort(np.where(actual, scores, 1 - scores), kind="stable")
    right = nearest[(called == actual)[nearest]]
    six = {*right[actual[right]][:6], *right[~actual[right]][:6]}  # of each class
    assert len(six) == 12
    expected += [ids[row] for row in right if row in six]
    assert re.findall(r"<code>(noise-\d+)</code>", rare.page.read_text()) == expected


def test_without_a_positive_class_the_page_says_what_it_can(alike):
    page = Page(alike.page.read_text())
    assert "threshold" not in page.attributes("id")
    text = " ".join(page.text)
    assert "Macro F1" in text
    assert "No class was named positive" in text
    assert "No copies were asked for" in text


def test_a_missing_input_is_named_with_the_stage_that_makes_it(rare, tmp_path):
    shutil.copytree(rare.data, tmp_path / "data")
    shutil.rmtree(tmp_path / "data" / "model")
    with pytest.raises(InputMissing, match="raresight train"):
        report.run(rare.params, tmp_path / "data")
    page = tmp_path / "data" / "report" / "index.html"
    assert page.read_bytes() == rare.page.read_bytes()


def test_the_command_names_the_file_to_open(rare):
    result = invoke("--params", rare.params, "--data", rare.data, "report")
    assert result.exit_code == 0, result.output
    assert f"Open {rare.page} in a browser." in result.stderr


def test_every_training_is_on_the_page_with_its_seed(rare):
    metrics = json.loads((rare.data / "evaluation" / "results.json").read_text())
    text = re.sub(r"\s+", " ", " ".join(Page(rare.page.read_text()).text))
    found = metrics["by_seed"]["test"]
    names = shown("seeds", positive=True)
    rows = {"mean": [found[name]["mean"] for name in names]}
    rows["spread"] = [found[name]["spread"] for name in names]
    for training, seed in metrics["by_seed"]["seeds"].items():
        rows[str(seed)] = [found[name]["values"][training] for name in names]
    assert set(rows) == {"mean", "spread", "1", "5711"}
    for title, values in rows.items():
        assert " ".join([title, *map(number, values)]) in text


def test_the_table_has_every_deployment_prevalence(rare):
    metrics = json.loads((rare.data / "evaluation" / "results.json").read_text())
    text = re.sub(r"\s+", " ", " ".join(Page(rare.page.read_text()).text))
    table = text[text.index("The same as a table") :]
    assert len(metrics["deployment_at"]) == 2
    for place in metrics["deployment_at"].values():
        assert f"where {share(place['prevalence'])} are" in table
        for name in ("accuracy", "precision", "f1"):
            assert number(place["model"][name]) in table
