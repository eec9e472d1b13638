"""A loss and a model of another package: the loss that CONTRIBUTING.md shows, taken from there."""

import re
import sys

import loss_contract
import model_contract
import pytest
from entry_point import install
from imports import ROOT
from toy_training import train_params, trainer

from raresight.pipeline.core.params import NestedProblems, load_section
from raresight.pipeline.core.registry import BadEntryPoint
from raresight.pipeline.models.params import MODELS
from raresight.pipeline.runtime.errors import ParamsError
from raresight.pipeline.training.job import foreign_code
from raresight.pipeline.training.optim.losses import LOSSES
from raresight.pipeline.training.params import TrainParams

PAGE = (ROOT / "CONTRIBUTING.md").read_text().split("## How to add a loss")[1]
LOSS = re.search(r"```python\n(.*?)```", PAGE, flags=re.DOTALL).group(1)
POINTS = re.search(r"```ini\n(.*?)```", PAGE, flags=re.DOTALL).group(1)
MODEL = '''
from typing import Literal

from torch import nn

from raresight.pipeline.models.params import Model


class Tiny(Model):
    """Four filters, and the mean of each map."""

    name: Literal["tiny"] = "tiny"
    filters: int = 4

    def network(self, *, classes: int, shape: tuple[int, int], fetch: bool) -> nn.Module:
        return nn.Sequential(
            nn.Conv2d(3, self.filters, 5, 2, 2), nn.BatchNorm2d(self.filters), nn.ReLU(),
            nn.AdaptiveMaxPool2d(1), nn.Flatten(), nn.Linear(self.filters, classes),
        )


class Silent(Model):
    """It has no network."""

NUMBER = 7
'''


@pytest.fixture
def site(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "losses_of_contributing.py").write_text(LOSS)
    (tmp_path / "models_of_a_test.py").write_text(MODEL)
    yield tmp_path
    for name in ("losses_of_contributing", "models_of_a_test"):
        sys.modules.pop(name, None)


@pytest.fixture
def packages(site):
    group, name, value = re.fullmatch(r"raresight\.(\w+) =\s+(\w+) = (\S+)\s*", POINTS).groups()
    value = value.replace("mypackage.losses", "losses_of_contributing")
    install(site, "mypackage", **{group: {name: value}})
    install(site, "nets", models={"tiny": "models_of_a_test:Tiny"})


@pytest.mark.parametrize("check", loss_contract.CHECKS, ids=lambda check: check.__name__)
def test_the_documented_loss_keeps_the_contract(packages, check):
    check("poly")


@pytest.mark.parametrize("check", model_contract.CHECKS, ids=lambda check: check.__name__)
def test_a_model_of_another_package_keeps_the_contract(packages, check):
    check({"name": "tiny"})


def test_both_train_together(packages):
    loss = {"name": "poly", "epsilon": 2.0, "class_weights": {"name": "inverse"}}
    history = trainer(model={"name": "tiny"}, loss=loss, epochs=4).fit()
    assert history.epochs[-1].train_loss < history.epochs[0].train_loss


def test_they_are_listed_unloaded_after_those_built_in(packages):
    assert list(LOSSES) == [*LOSSES.built_in, "poly"]
    assert list(MODELS) == [*MODELS.built_in, "tiny"]
    assert len(LOSSES) == len(LOSSES.built_in) + 1
    assert "tiny" in MODELS
    assert not {"losses_of_contributing", "models_of_a_test"} & set(sys.modules)


def test_their_code_is_part_of_what_a_kept_training_is_of(packages, site):
    params = train_params(model={"name": "tiny"}, loss={"name": "poly"})
    before = foreign_code(params)
    assert set(before) == {"losses_of_contributing", "models_of_a_test"}
    path = site / "losses_of_contributing.py"
    path.write_text(path.read_text() + "\n# another version\n")
    after = foreign_code(params)
    assert [name for name in before if before[name] != after[name]] == ["losses_of_contributing"]
    assert foreign_code(train_params()) == {}


def test_their_keys_are_checked_as_all_others_are(packages, tmp_path):
    file = tmp_path / "params.yaml"
    file.write_text("train: {loss: {name: poly, epsilon: 99}, model: {name: tiny, filter: 3}}\n")
    with pytest.raises(ParamsError) as refused:
        load_section(file, "train", TrainParams)
    assert "train.loss.epsilon: input should be less than or equal to 10" in str(refused.value)
    assert "train.model.filter: unknown key" in str(refused.value)
    assert "'filters'" in str(refused.value)


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("no_such_module:Tiny", r"model 'odd' of the package odd .*cannot be imported: No module"),
        ("models_of_a_test:Large", "cannot be imported: .*Large"),
        ("models_of_a_test:NUMBER", r"no subclass of raresight\.pipeline\.models\.params\.Model"),
        ("models_of_a_test:Silent", "does not define: network"),
    ],
)
def test_a_broken_one_is_told_by_its_package(site, tmp_path, value, message):
    install(site, "odd", models={"odd": value})
    with pytest.raises(BadEntryPoint, match=message):
        MODELS["odd"]
    file = tmp_path / "params.yaml"
    file.write_text("train: {model: {name: odd}}\n")
    with pytest.raises(ParamsError, match=rf"train\.model: .*{message}"):
        load_section(file, "train", TrainParams)


def test_two_packages_that_offer_one_name_are_both_named(packages, site):
    install(site, "others", losses={"poly": "elsewhere:Poly"})
    with pytest.raises(BadEntryPoint, match=r"offered more than once: .*mypackage.*, .*others"):
        LOSSES["poly"]


def test_nobody_replaces_what_is_built_in(site):
    install(site, "bold", losses={"focal": "losses_of_contributing:Poly"})
    assert list(LOSSES) == list(LOSSES.built_in)
    assert LOSSES["focal"] is LOSSES.built_in["focal"]


def test_an_unknown_name_names_the_nearest(packages):
    with pytest.raises(NestedProblems, match="Did you mean 'poly'"):
        train_params(loss={"name": "polly"})
