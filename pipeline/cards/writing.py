"""Cards as files."""

from pathlib import Path

from raresight.pipeline.cards.dataset_card import dataset_card
from raresight.pipeline.cards.facts import ModelFacts
from raresight.pipeline.cards.model_card import model_card
from raresight.pipeline.cards.params import CardParams

MODEL_CARD, DATASET_CARD = "MODEL_CARD.md", "DATASET_CARD.md"


def write_cards(folder: Path, card: CardParams, facts: ModelFacts) -> None:
    """The card of a model, and that of the dataset where it is known."""
    (folder / MODEL_CARD).write_text(model_card(card, facts), encoding="utf-8", newline="\n")
    if facts.dataset is not None:
        text = dataset_card(card, facts.dataset)
        (folder / DATASET_CARD).write_text(text, encoding="utf-8", newline="\n")
