"""The ``card`` section of params.yaml: what only a person knows."""

from raresight.pipeline.core.params import Section


class CardParams(Section):
    """What the cards of the model and of the dataset say that no file knows.

    ``name`` of the model; ``purpose`` (what it is for, and for whom) and ``not_for`` (what it must
    not be used for); ``license`` of the model and ``data_license`` of the images, as the hub spells
    them (mit, cc-by-4.0); ``contact``; ``citation``. Only the cards change with them: no stage but
    report reads this section, which may be left out.
    """

    name: str | None = None
    purpose: str | None = None
    not_for: str | None = None
    license: str | None = None
    data_license: str | None = None
    contact: str | None = None
    citation: str | None = None
