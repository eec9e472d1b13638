"""The project as DVC runs it: a fresh clone, made small, from `dvc repro` to a second machine."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from clone import Clone
from full_params import full_params
from imports import ROOT
from program import alive, wait_for
from rewording import reword
from ruamel.yaml import YAML

from raresight.pipeline.evaluation.decisions.kept import model_files
from raresight.pipeline.prediction.model_folder import open_model_folder
from raresight.pipeline.stages.table import OPTIONAL_SECTIONS, STAGES, section_models

OUTPUTS = [path for stage in STAGES.values() for path in stage.outputs]


def shrink(path: Path) -> None:
    """Params for a run of seconds: 300 tiny images, twice one epoch of a tiny model."""
    yaml = YAML()
    params = full_params(path)
    params["generate"]["image_size"] = 16
    params["generate"]["sources"][0].update(count=300, prevalence={"mitotic": 0.2})
    params["augment"]["copies"] = {"mitotic": 1}
    params["train"].update(epochs=1, batch_size=32, num_seeds=2)
    params["train"]["model"].update(width=4, blocks=[1])
    params["train"]["schedule"]["warmup"]["epochs"] = 0.5
    params["evaluate"]["num_bootstrap"] = 100
    yaml.dump(params, path)


@pytest.fixture(scope="module")
def fresh(tmp_path_factory):
    """A clone in which nothing has run yet: every file that Git knows or would add."""
    clone = Clone(tmp_path_factory.mktemp("clone"))
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    for name in filter(None, listed.split("\0")):
        # The package's two folders are links to those of the repository: they stay links.
        exists = (ROOT / name).is_file() or (ROOT / name).is_symlink()
        if exists and not name.startswith(("data/training", "data/evaluation")):
            (clone.folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, clone.folder / name, follow_symlinks=False)
    (clone.folder / "dvc.lock").unlink(missing_ok=True)
    clone.run("git", "init", "-q", "-b", "main")
    shrink(clone.folder / "params.yaml")
    clone.commit()
    return clone


@pytest.fixture(scope="module")
def reproduced(fresh):
    """The clone after its first `dvc repro`, committed."""
    log = fresh.dvc("repro")
    assert log.count("Running stage") == len(STAGES)
    fresh.commit()
    return fresh


def test_one_command_makes_every_output_and_prints_the_verdict(reproduced):
    for name in OUTPUTS:
        assert (reproduced.folder / "data" / name / "manifest.json").is_file()
    text = reproduced.run(sys.executable, "-m", "raresight", "evaluate", "--show")
    for word in ("accuracy", "precision", "recall", "F1", "always 'normal'", "deployment"):
        assert word in text
    assert "DIFFERS" not in reproduced.run(sys.executable, "-m", "raresight", "verify")


def test_a_registered_version_brings_the_model_and_its_decision(reproduced, tmp_path):
    """As docs/cards.md has it, for somebody who has nothing but the repository."""
    reproduced.run("gto", "register", "classifier", "--version", "v1.0.0")
    repository, version = str(reproduced.folder), ("--rev", "v1.0.0")
    place = ("--out", str(tmp_path / "model"))
    reproduced.dvc("artifacts", "get", repository, "classifier", *version, *place)
    version, place = ("--rev", "classifier@v1.0.0"), ("--out", str(tmp_path / "decision"))
    reproduced.dvc("get", repository, "data/decision", *version, *place)
    opened = open_model_folder(tmp_path / "model", need_decision=True)
    assert opened.decision is not None
    assert opened.decision.model == model_files(reproduced.folder / "data" / "model")


def test_git_is_left_with_the_lock_and_the_metrics_alone(reproduced):
    changed = reproduced.run("git", "show", "--name-only", "--format=", "HEAD").split()
    kept = {
        f"data/{path}" for stage in STAGES.values() for path in (*stage.results, *stage.metrics)
    }
    assert set(changed) == {"dvc.lock", *kept}
    assert reproduced.run("git", "status", "--porcelain") == ""


def test_a_second_run_does_nothing(reproduced):
    before = (reproduced.folder / "dvc.lock").read_bytes()
    log = reproduced.dvc("repro")
    assert "Running stage" not in log
    assert "up to date" in log
    assert (reproduced.folder / "dvc.lock").read_bytes() == before


def test_metrics_can_be_shown(reproduced):
    shown = json.loads(reproduced.dvc("metrics", "show", "--json"))
    files = {Path(name).as_posix(): entry["data"] for name, entry in shown[""]["data"].items()}
    test = files["data/evaluation/metrics.json"]
    written = json.loads((reproduced.folder / "data/evaluation/results.json").read_text())["test"]
    for short, name in (("ap", "average_precision"), ("recall", "recall"), ("f1", "f1")):
        assert test[short] == written[name]  # DVC passes over what is undefined
    assert 0 <= written["accuracy_low"] <= test["accuracy"] <= written["accuracy_high"] <= 1
    assert files["data/training/metrics.json"]["best_epoch"] == 1


def test_every_plot_can_be_shown(reproduced):
    declared = YAML(typ="safe").load(reproduced.folder / "dvc.yaml")["plots"]
    names = {name for plot in declared for name in ([plot] if isinstance(plot, str) else plot)}
    shown = json.loads(reproduced.dvc("plots", "show", "--json"))["data"]
    assert set(shown) == names
    assert all(drawn for drawn in shown.values())
    reproduced.dvc("plots", "show", "--out", "shown")
    page = (reproduced.folder / "shown/index.html").read_text()
    assert [name for name in names if Path(name).name not in page] == []
    shutil.rmtree(reproduced.folder / "shown")
    shutil.rmtree(reproduced.folder / "dvc_plots", ignore_errors=True)


def everything(clone) -> dict[str, bytes]:
    """Every file that the stages left."""
    return {
        path.relative_to(clone.folder).as_posix(): path.read_bytes()
        for stage in STAGES.values()
        for output in (*stage.outputs, *stage.results, *stage.metrics)
        for path in sorted((clone.folder / "data").glob(f"{output}*"))
        for path in ([path] if path.is_file() else path.rglob("*.*"))
    }


def test_a_mistake_in_any_section_leaves_every_result_of_before(reproduced):
    before, params = everything(reproduced), reproduced.folder / "params.yaml"
    right = params.read_text()
    sections = [*section_models(), *OPTIONAL_SECTIONS]
    for name in sections:
        document = YAML(typ="safe").load(right)
        document.setdefault(name, {})["typo"] = 1
        YAML().dump(document, params.with_name(f"{name}.wrong"))
    script = (
        "import sys, shutil; from dvc.cli import main\n"
        "for name in sys.argv[1:]:\n"
        "    shutil.copy(f'{name}.wrong', 'params.yaml'); print('exit', main(['repro']))"
    )
    said = reproduced.call(sys.executable, "-c", script, *sections)
    assert said.stdout.count("exit 255") == len(sections)
    for name in sections:
        assert f"{name}.typo: unknown key" in said.stderr
        params.with_name(f"{name}.wrong").unlink()
    found = everything(reproduced)
    assert {path for path in before if path not in found} <= {
        "data/checked/checked.txt", "data/checked/manifest.json"
    }  # fmt: skip
    assert all(found[path] == before[path] for path in found)
    params.write_text(right)
    assert "Running stage" not in reproduced.dvc("repro")
    assert everything(reproduced) == before


def test_what_a_failed_stage_has_lost_comes_back_with_the_commit_before(reproduced):
    before, params = everything(reproduced), reproduced.folder / "params.yaml"
    document = YAML(typ="safe").load(params)
    document["train"]["epochs"] = 3
    YAML().dump(document, params)
    reproduced.environment["RARESIGHT_DEVICE"] = "cuda:99"  # refused when the stage has begun
    failed = reproduced.call(sys.executable, "-m", "dvc", "repro")
    del reproduced.environment["RARESIGHT_DEVICE"]
    assert failed.returncode == 255
    assert "cuda:99" in failed.stderr
    assert not (reproduced.folder / "data/training/metrics.json").exists()  # DVC's doing
    reproduced.run("git", "checkout", "-q", ".")
    reproduced.dvc("checkout")
    assert everything(reproduced) == before
    assert "Running stage" not in reproduced.dvc("repro")
    assert reproduced.run("git", "status", "--porcelain") == ""


@pytest.fixture(scope="module")
def longer(reproduced):
    """What DVC said of the experiment `longer`, and how its metrics differ; all is as before."""
    log = reproduced.dvc("exp", "run", "-n", "longer", "-S", "train.epochs=2")
    diff = json.loads(reproduced.dvc("metrics", "diff", "--all", "--json"))
    reproduced.run("git", "checkout", "-q", ".")
    reproduced.dvc("checkout")
    return log, diff


def test_an_experiment_reruns_only_what_its_param_decides(longer):
    log, diff = longer
    ran = [line for line in log.splitlines() if line.startswith("Running stage")]
    # clean and enlarge train by the section train; switched off, they have nothing to do.
    named = ("check", "clean", "enlarge", "train", "evaluate", "report")
    assert ran == [f"Running stage '{name}':" for name in named]
    trained = diff["data/training/metrics.json"]["train_loss"]
    assert trained["new"] != trained["old"]  # one epoch more


def test_recipes_are_compared_by_the_test_metrics_of_every_training(reproduced, longer):
    command = (sys.executable, "-m", "raresight", "--json", "compare", "HEAD", "longer")
    report = json.loads(reproduced.run(*command))
    assert (report["about"], report["num_seeds"]) == ("recipes", [2, 2])
    assert report["params"] == {"train.epochs": [1, 2]}
    told = json.loads((reproduced.folder / "data/evaluation/results.json").read_text())
    shift = longer[1]["data/evaluation/metrics.json"]["accuracy"]
    found = {one["name"]: one for one in report["comparison"]["differences"]}
    assert set(found) == {"average_precision", "f1", "precision", "recall", "roc_auc", "accuracy"}
    for name, one in found.items():
        assert one["old"] == told["by_seed"]["test"][name]["mean"]
        assert one["models"] is None
    assert told["test"]["accuracy"] == shift.get("old", shift["new"])


def test_data_travels_and_nothing_runs_on_the_other_machine(reproduced, tmp_path):
    reproduced.dvc("remote", "add", "-f", "-d", "store", str(tmp_path / "store"))
    reproduced.dvc("push")
    reproduced.commit()
    other = Clone(tmp_path / "other")
    reproduced.run("git", "clone", "-q", str(reproduced.folder), str(other.folder))
    other.dvc("pull")
    for name in OUTPUTS:
        pulled = other.folder / "data" / name / "manifest.json"
        assert (
            pulled.read_bytes()
            == (reproduced.folder / "data" / name / "manifest.json").read_bytes()
        )
    assert "Running stage" not in other.dvc("repro")
    assert other.run("git", "status", "--porcelain") == ""


@pytest.fixture(scope="module")
def plain(reproduced):
    """What `evaluate --show` prints."""
    return reproduced.run(sys.executable, "-m", "raresight", "evaluate", "--show")


@pytest.fixture(scope="module")
def reworded(reproduced, plain):
    """The clone with other words wherever people are spoken to, and another look of the pictures;
    all is as before at the end."""
    rooms = ("runtime", "wording", "cli", "terminal", "report")
    files = [path for room in rooms for path in (reproduced.folder / "pipeline" / room).rglob("*")]
    counts = {path: reword(path) for path in files if path.suffix == ".py"}
    changed = {path.relative_to(reproduced.folder).as_posix() for path, n in counts.items() if n}
    for name in (
        "runtime/errors",
        "runtime/progress",
        "runtime/cluster",
        "report/figures/contact_sheet",
    ):
        assert f"pipeline/{name}.py" in changed
    yield reproduced
    reproduced.run("git", "checkout", "-q", ".")


def test_words_and_pictures_make_no_stage_stale_but_the_report(reworded):
    # The check reads the messages of the page's params, too; it writes the same, and so runs alone.
    assert set(json.loads(reworded.dvc("status", "--json"))) == {"check", "report"}


def test_no_byte_of_a_data_output_depends_on_words(plain, reworded):
    names = [name for name in STAGES if name != "report"]
    script = (
        "from raresight.pipeline.cli import cli\n"
        f"for name in {names}: cli(['--data', 'anew', name], standalone_mode=False)"
    )
    said = reworded.call(sys.executable, "-W", "ignore", "-c", script)
    assert said.returncode == 0, said.stderr
    verdict = reworded.run(sys.executable, "-m", "raresight", "evaluate", "--show")
    assert said.stdout.replace("anew/", "data/") == verdict  # the other words were really used
    assert verdict != plain
    again = {name: read_outputs(reworded.folder / "anew", name) for name in names}
    before = {name: read_outputs(reworded.folder / "data", name) for name in names}
    shutil.rmtree(reworded.folder / "anew")
    assert all(before.values())
    assert again == before


def read_outputs(data: Path, name: str) -> dict[str, bytes]:
    """Every file that a stage left, but for what is time: images a second, and sums of it."""
    stage = STAGES[name]
    found = [data / path for path in (*stage.results, *stage.metrics)]
    found += [path for output in stage.outputs for path in (data / output).rglob("*.*")]
    return {
        path.relative_to(data).as_posix(): without_time(path)
        for path in found
        if not (path.name == "manifest.json" and path.parent.name == "curves")
    }


def without_time(path: Path) -> bytes:
    if path.parent.name != "curves" or path.suffix != ".tsv":
        return path.read_bytes()
    rows = [line.split("\t") for line in path.read_text().splitlines()]
    timed = rows[0].index("images_per_second")
    return "\n".join("\t".join(row[:timed] + row[timed + 1 :]) for row in rows).encode()


def descendants(pid: int) -> list[int]:
    listed = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [found for child in map(int, listed) for found in (child, *descendants(child))]


@pytest.mark.parametrize("shell", ["/bin/sh", "/bin/bash"])  # one may stay in between, or not
def test_a_killed_dvc_leaves_no_stage_behind(reproduced, shell):
    yaml, path = YAML(), reproduced.folder / "params.yaml"
    params = full_params(path)
    params["generate"]["sources"][0]["count"] = 2_000_000
    yaml.dump(params, path)
    command = [sys.executable, "-m", "dvc", "repro"]
    with subprocess.Popen(
        command,
        cwd=reproduced.folder,
        env={**reproduced.environment, "SHELL": shell},
        stdout=subprocess.DEVNULL,
    ) as dvc:
        assert wait_for((reproduced.folder / "data/.generated.new").is_dir)
        stages = [pid for pid in descendants(dvc.pid) if alive(pid)]
        assert stages
        dvc.kill()
    assert wait_for(lambda: not any(map(alive, stages)))
    assert not (reproduced.folder / "data/.generated.new").exists()
