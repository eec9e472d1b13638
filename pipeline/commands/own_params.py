"""params.yaml for somebody's images: short, and nothing assumed of them."""

from collections.abc import Mapping
from io import StringIO
from typing import Any

from ruamel.yaml import YAML

from raresight.pipeline.commands.own_images import Found
from raresight.pipeline.runtime.errors import ParamsError, suggest

_FEW = 2000  # images, below which smaller batches and more epochs are asked for
_NOTES = {
    "image_size": "Side of the images in pixels, or [height, width]; yours are about {size}.",
    "deployment_prevalence": "The share of '{positive}' where the model will be used: set it.",
    "keep": "Where each group is: in Git, so that none moves. `raresight split --keep` adds new.",
    "incomplete_classes": "Too few to be in every split, so learned from and not judged: {few}.",
}


def choose_positive(found: Found, positive: str | None) -> str | None:
    """The class that the results are about: the rarer of two where none is named."""
    counts = found.counts
    if positive is not None and positive not in counts:
        raise ParamsError(f"--positive: no class '{positive}'. {suggest(positive, counts)}")
    if positive is None and len(counts) == 2:
        return min(counts, key=lambda label: (counts[label], label))
    return positive


def params_text(
    found: Found, *, path: str, ledger: str, positive: str | None, few: Mapping[str, Any]
) -> str:
    """The whole file; the images lie in ``path``, ``few`` are the classes that miss a split."""
    counts, size = found.counts, found.sizes.suggested
    width, height = found.sizes.typical
    options = {"path": path, **found.options}
    split = {"keep": ledger}
    if few:
        split["incomplete_classes"] = "allow"
    evaluate = {}
    if positive is not None:
        evaluate["deployment_prevalence"] = float(f"{counts[positive] / counts.total():.3g}")
    document = {
        "generate": {
            "image_size": size if isinstance(size, int) else list(size),
            "positive": positive,
            "sources": [{"generator": found.generator, "options": options}],
        },
        "augment": {},
        "split": split,
        "clean": {},
        "enlarge": {},
        "train": {"epochs": 40, "batch_size": 32} if counts.total() < _FEW else {},
        "evaluate": evaluate,
        "report": {},
    }
    return _with_notes(
        document, size=f"{height} x {width}", positive=positive, few=", ".join(sorted(few))
    )


def _with_notes(document: Mapping[str, Any], **known: Any) -> str:
    out = StringIO()
    yaml = YAML()
    yaml.default_flow_style = False
    yaml.dump(dict(document), out)
    lines = []
    for line in out.getvalue().splitlines():
        key = line.strip().partition(":")[0]
        if key in _NOTES:
            indent = line[: len(line) - len(line.lstrip())]
            lines.append(f"{indent}# {_NOTES[key].format(**known)}")
        lines.append(line)
    return "\n".join(lines) + "\n"
