"""Whether a project was made for the stages that are installed."""

from pathlib import Path

from ruamel.yaml import YAML

from raresight.pipeline.project.template import REVISIONS, revisions
from raresight.pipeline.runtime.errors import ParamsError


def check_revision(params_file: Path, stage: str) -> None:
    """Refuse to run ``stage`` in a project that was made for another revision of it."""
    place = params_file.with_name(REVISIONS)
    if not place.is_file():
        return
    asked = (YAML(typ="safe").load(place) or {}).get(stage)
    now = revisions().get(stage)
    if asked is not None and asked != now:
        raise ParamsError(
            f"{place} says revision {asked} of {stage}, and the raresight that is installed has "
            f"revision {now}, whose results are others. Install the version that made the project, "
            "or run `raresight upgrade` and then `dvc repro`."
        )
