"""Cards: what the files know and what a person stated, as Hugging Face reads it."""

import json
from dataclasses import replace

import pytest

from raresight.pipeline.cards.dataset_card import dataset_card
from raresight.pipeline.cards.facts import DatasetFacts, ModelFacts
from raresight.pipeline.cards.model_card import model_card
from raresight.pipeline.cards.params import CardParams
from raresight.pipeline.dataset.reader import Dataset
from raresight.pipeline.evaluation.decisions.kept import KeptDecision
from raresight.pipeline.wording.numbers import number

hub = pytest.importorskip("huggingface_hub")
STATED = CardParams(
    name="Finder",
    purpose="To look <em>first</em>.",
    not_for="Deciding alone.",
    license="apache-2.0",
    data_license="cc-by-4.0",
    contact="a@example.org",
)


@pytest.fixture(scope="module")
def facts(rare) -> ModelFacts:
    """What is known of the model of a small project, which is a fake."""
    images = json.loads((rare.data / "splits/summary.json").read_text())["images"]
    return ModelFacts(
        model=json.loads((rare.data / "model/model.json").read_text()),
        decision=KeptDecision.read(rare.data / "decision"),
        results=json.loads((rare.data / "evaluation/results.json").read_text()),
        dataset=DatasetFacts.of_summary(Dataset(rare.data / "generated"), images),
    )


def test_report_writes_both_and_the_hub_reads_them(rare):
    results = json.loads((rare.data / "evaluation/results.json").read_text())
    card = hub.ModelCard.load(rare.page.parent / "MODEL_CARD.md")
    found = {
        (one.dataset_name, one.metric_type): one.metric_value for one in card.data.eval_results
    }
    for metric in ("precision", "recall", "f1", "accuracy", "average_precision"):
        assert found["test set", metric] == results["test"][metric]
    there = f"test set, at a prevalence of {results['deployment']['prevalence']:g}"
    assert found[there, "recall"] == results["deployment"]["model"]["recall"]
    assert "Not stated: write `card.purpose` in params.yaml." in card.text
    data = hub.DatasetCard.load(rare.page.parent / "DATASET_CARD.md")
    assert data.data.task_categories == ["image-classification"]
    assert data.data.size_categories == ["n<1K"]


def test_a_model_card_says_what_is_known_and_what_was_stated(facts):
    text = model_card(STATED, facts)
    results, decision = facts.results, facts.decision
    card = hub.ModelCard(text)
    assert card.data.license == "apache-2.0"
    assert card.data.model_name == "Finder"
    recall, low = number(results["test"]["recall"]), number(results["test"]["recall_low"])
    assert f"recall {recall} [{low}" in text
    assert "To look <em>first</em>." in text  # a person's own Markdown
    assert "rare &lt;b>" in text  # a name from the data
    assert "<b>" not in text
    for part in (
        "Deciding alone.",
        "a@example.org",
        f"from a score of {decision.threshold:.6g} on",
        "with the object filled by its surroundings",
        "flags an image as `unlike` by pixels and features",
        "Besides, it learned from",
        "It was trained and tested on drawn images",
    ):
        assert part in text, part
    assert "pretrained" not in text
    assert model_card(STATED, facts) == text
    first = {"sources": ["drawn"], "epochs": 3, "images": 1200}
    text = model_card(STATED, replace(facts, model={**facts.model, "pretrain": first}))
    assert "pretrained for 3 epochs on 1,200 images of 'drawn', and then" in text


def test_a_card_of_a_model_alone_says_so(facts):
    text = model_card(CardParams(), replace(facts, decision=None, results=None, dataset=None))
    assert "It has not been judged" in text
    assert "Shares of the classes that it was trained on" in text
    assert hub.ModelCard(text).data.eval_results is None


def test_a_dataset_card_counts_the_images_of_each_split(facts):
    text = dataset_card(STATED, facts.dataset, opened_by="`load_dataset`")
    assert hub.DatasetCard(text).data.license == "cc-by-4.0"
    for split, classes in facts.dataset.originals.items():
        assert f"| {split} | {' | '.join(str(n) for n in classes.values())} |" in text
    assert "## How to open it\n\n`load_dataset`" in text
