"""compare in a real repository: Git has the params, DVC the predictions, a remote the old ones."""

import json
import shutil

import numpy as np
import pytest
from clone import Clone
from program import invoke
from sklearn.metrics import average_precision_score
from versions import begin, make

from raresight.pipeline.comparison import sides
from raresight.pipeline.core.files import write_json
from raresight.pipeline.core.provenance import MANIFEST, sealed, sha256
from raresight.pipeline.evaluation.decisions.predictions import Task
from raresight.pipeline.evaluation.predictions_table import PredictionsTable


@pytest.fixture(scope="module")
def repository(tmp_path_factory):
    """Versions: `empty` never ran, `weak` is in the remote alone, `strong` in the cache as well.

    The experiment `again` is `strong` with another seed; `thrice` and `thrice-again` are the same
    two, trained three times each, and `weak-thrice` is `weak` so; the workspace is `strong`.
    """
    clone = begin(tmp_path_factory.mktemp("project"))
    make(clone, "empty", 1.5, run=False)
    make(clone, "weak", 1.5)
    store = tmp_path_factory.mktemp("store")
    clone.dvc("remote", "add", "-q", "-d", "store", str(store))  # later than the version it keeps
    clone.dvc("push", "-q")
    shutil.rmtree(clone.folder / ".dvc/cache")
    make(clone, "strong", 3.5)
    clone.dvc("exp", "run", "-q", "-n", "again", "-S", "train.seed=2")
    for name, seed, skill in (("thrice", 1, 3.5), ("thrice-again", 2, 3.5), ("weak-thrice", 3, 1)):
        changes = [f"train.{key}" for key in ("num_seeds=3", f"seed={seed}", f"skill={skill}")]
        options = [part for change in changes for part in ("-S", change)]
        clone.dvc("exp", "run", "-q", "-n", name, *options)
    clone.run("git", "checkout", "-q", ".")
    clone.dvc("checkout", "-q")
    return clone


@pytest.fixture
def compare(repository, monkeypatch):
    """Calls the command in the repository; returns what it prints, or its last words."""
    monkeypatch.setenv("COLUMNS", "100")

    def run(*arguments, code=0, options=(), folder=repository.folder):
        monkeypatch.chdir(folder)
        done = invoke(*options, "compare", *arguments)
        assert done.exit_code == code, done.stderr
        return done.stderr if code else done.stdout

    return run


@pytest.fixture
def as_json(compare):
    return lambda *arguments: json.loads(compare(*arguments, options=["--json"]))


def by_name(report):
    return {found["name"]: found for found in report["comparison"]["differences"]}


def test_a_version_that_is_in_the_remote_alone_is_read_from_there(as_json, repository):
    before = repository.run("git", "status", "--porcelain")
    report = as_json("weak", "strong")
    assert report["params"] == {"train.skill": [1.5, 3.5]}
    assert report["counts"] == {"common": 400, "rare": 40}
    leading = report["comparison"]["differences"][0]
    assert (leading["name"], leading["models"]) == ("average_precision", "better")
    assert repository.run("git", "status", "--porcelain") == before


def test_an_experiment_has_a_name_and_another_seed_settles_nothing(as_json):
    report = as_json("strong", "again")
    assert report["params"] == {"train.seed": [1, 2]}
    assert {found["verdict"] for found in by_name(report).values()} == {"unknown"}


def test_the_verdict_on_recipes_rests_on_the_trainings_of_both(as_json):
    report = as_json("weak-thrice", "thrice")
    assert (report["about"], report["num_seeds"]) == ("recipes", [3, 3])
    leading = report["comparison"]["differences"][0]
    assert (leading["verdict"], leading["models"]) == ("better", None)
    alike = as_json("thrice", "thrice-again")
    assert alike["params"] == {"train.seed": [1, 2]}
    assert {found["verdict"] for found in by_name(alike).values()} == {"inconclusive"}
    assert "the recipe is the same" in " ".join(alike["notes"])


def test_values_are_means_over_the_trainings(as_json):
    report = as_json("thrice", "thrice-again")
    for side, seed in {"old": 1, "new": 2}.items():
        targets = np.repeat([0, 1], [400, 40])
        found = []
        for number in (1, 2, 3):
            skill = 3.5 + 0.3 * np.random.default_rng([seed, number]).normal()
            own = np.random.default_rng([1, seed, number]).normal(size=440)
            image = np.random.default_rng(1).normal(size=440)
            found.append(average_precision_score(targets, skill * targets + image + own / 2))
        assert by_name(report)["average_precision"][side] == pytest.approx(np.mean(found))


def test_the_trainings_of_one_version_do_not_tell_of_the_other(as_json, compare):
    report = as_json("weak", "thrice")
    assert (report["about"], report["num_seeds"]) == ("models", [1, 3])
    assert {found["verdict"] for found in by_name(report).values()} == {"unknown"}
    assert "weak was trained once" in " ".join(compare("weak", "thrice").split())
    # The first of the three is what `strong` is.
    assert report["comparison"] == as_json("weak", "strong")["comparison"]


def test_a_training_each_says_nothing_of_the_recipes(as_json, compare):
    report = as_json("weak", "strong")
    assert report["about"] == "models"
    assert {found["verdict"] for found in by_name(report).values()} == {"unknown"}
    told = " ".join(compare("weak", "strong").split())
    assert "weak and strong were trained once" in told
    assert "set train.num_seeds to 3 or more" in told


def test_the_primary_metric_can_be_chosen(as_json, compare):
    usual, chosen = as_json("weak", "strong"), as_json("weak", "strong", "--primary", "recall")
    assert usual["comparison"]["differences"][0]["name"] == "average_precision"
    first = chosen["comparison"]["differences"][0]
    assert (first["name"], first["p_adjusted"]) == ("recall", first["p"])
    assert "by recall" in compare("weak", "strong", "--primary", "recall")
    assert "not compared by 'ap'" in compare("weak", "strong", "--primary", "ap", code=2)


def test_another_rule_for_the_same_models_needs_no_trainings(compare, as_json, repository):
    path = repository.folder / "data/evaluation/results.json"
    manifest = path.parent / "predictions" / MANIFEST
    before = path.read_text(), manifest.read_text()
    try:
        path.write_text(before[0].replace("0.6", "0.2"))
        assert "not the one that was written with the predictions" in compare(code=65)
        known = {name: part for name, part in json.loads(before[1]).items() if name != "sha256"}
        write_json(manifest, sealed(known | {"made_with": {"../results.json": sha256(path)}}))
        report = as_json()
    finally:
        path.write_text(before[0])
        manifest.write_text(before[1])
    assert report["about"] == "decisions"
    recall = by_name(report)["recall"]
    assert recall["new"] > recall["old"]
    assert recall["models"] is None


def test_without_arguments_the_workspace_is_compared_with_head(as_json):
    report = as_json()
    assert (report["old"], report["new"], report["params"]) == ("HEAD", "workspace", {})
    assert {found["verdict"] for found in by_name(report).values()} == {"identical"}


def test_the_table_and_the_markdown_say_the_same(compare, as_json):
    text, marked = compare("weak"), compare("weak", "--md")
    report = as_json("weak")
    assert text.lstrip().startswith("workspace against weak, by average precision (")
    assert marked.startswith("**workspace against weak, by average precision (")
    assert "- these two models: **better**" in marked
    assert "- the recipes: **unknown**" in marked
    assert "| `train.skill` | `1.5` | `3.5` |" in marked
    assert "| these models | sample size needed |" in marked
    for found in by_name(report).values():
        if found["new"] < 0.999:
            assert f"{found['new']:.3f}" in text
            assert f"{found['new']:.3f}" in marked


def test_a_worse_version_fails_where_that_is_asked_for(compare):
    message = compare("strong", "weak", "--fail-if-worse", "f1", code=1)
    assert "The model of weak is worse than strong:\n  f1: " in message
    message = compare("thrice", "weak-thrice", "--fail-if-worse", "f1", code=1)
    assert "error: weak-thrice is worse than thrice:\n  f1: " in message
    compare("weak", "strong", "--fail-if-worse", "f1")
    compare("weak", "strong", "--fail-if-worse", "f1", "--fail-if-worse", "recall")
    message = compare("strong", "--fail-if-worse", "f11", code=2)
    assert "no metric 'f11'. Did you mean 'f1'?" in message


def test_a_version_that_never_ran_is_named_with_what_to_run(compare):
    message = compare("empty", code=66)
    assert "empty has no data/evaluation/results.json" in message
    assert "git checkout empty && dvc repro evaluate" in message


def test_a_commit_that_is_checked_out_is_not_to_be_checked_out(compare, repository, tmp_path):
    repository.run("git", "clone", "-q", "-b", "empty", ".", str(tmp_path / "fresh"))
    message = compare("HEAD", code=66, folder=tmp_path / "fresh")
    assert "HEAD has no data/evaluation/results.json" in message
    assert "Run `dvc repro evaluate`" in message
    assert "git checkout" not in message


def test_a_revision_that_is_none_is_usage(compare):
    message = compare("weka", code=2)
    assert message.startswith("error: unknown Git revision 'weka'. ")
    assert "dvc exp list" in message


def test_params_changed_after_the_run_are_told(as_json, repository):
    path = repository.folder / "params.yaml"
    before = path.read_text()
    try:
        path.write_text(before.replace("skill: 3.5", "skill: 9.5"))
        report = as_json()
    finally:
        path.write_text(before)
    assert "(train.skill): run `dvc repro`" in report["notes"][0]


@pytest.fixture
def other_images(repository):
    """The workspace judged on other images, until the test is over."""

    def draw(key, value):
        repository.dvc("exp", "run", "-q", "-S", f"generate.{key}={value}")

    yield draw
    repository.run("git", "checkout", "-q", ".")
    repository.dvc("checkout", "-q")


def test_other_pixels_under_the_same_names_are_refused(compare, other_images):
    other_images("brightness", 2)
    message = compare(code=65)
    assert "440 images have the same id but other pixels (test-0, test-1, test-10, ...)" in message


def test_a_smaller_test_set_is_refused_unless_the_shared_images_are_asked_for(
    compare, as_json, other_images
):
    other_images("positives", 30)
    message = compare(code=65)
    assert "10 images are in the old version alone (the first: test-430)" in message
    assert message.rstrip().endswith("--shared.")
    report = as_json("--shared")
    assert report["counts"] == {"common": 400, "rare": 30}
    assert "Compared on the 430 images" in report["notes"][0]


def test_a_version_in_no_cache_and_no_remote_is_told_apart_from_one_that_never_was(
    compare, repository, tmp_path
):
    other = Clone(tmp_path / "other")
    other.environment = repository.environment
    repository.run("git", "clone", "-q", str(repository.folder), str(other.folder))
    other.dvc("remote", "add", "-q", "-f", "-d", "store", str(tmp_path / "nothing"))
    message = compare("weak", "strong", code=66, folder=other.folder)
    assert "predictions/manifest.json of weak is in no cache and no remote" in message
    assert "dvc push" in message


def test_outside_a_project_there_are_no_versions(compare, tmp_path):
    assert "no DVC project here" in compare(code=66, folder=tmp_path)


def test_answers_that_costs_decided_are_taken_as_they_were_given():
    ids = np.array(["x", "y"])
    images = PredictionsTable(
        classes=("a", "b"),
        ids=ids,
        group_names=ids,
        targets=np.array([0, 1]),
        pixels=None,
        scores=np.array([[0.9, 0.1], [0.8, 0.2]]),
        predicted=np.array([0, 1]),
    )
    outcome = sides.answers(images, None, Task(classes=("a", "b"), positive=None))
    assert outcome.predicted.tolist() == [0, 1]
    rare = sides.answers(images, 0.1, Task(classes=("a", "b"), positive="b"))
    assert rare.predicted.tolist() == [1, 1]
