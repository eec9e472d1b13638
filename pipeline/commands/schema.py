"""schema: the JSON Schema of params.yaml, from which editors complete and check it."""

import difflib
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from pydantic import create_model

from raresight.pipeline.core.params import Section
from raresight.pipeline.stages.table import optional_models, section_models


def run() -> dict[str, Any]:
    """The schema of the whole file: a stage's section is required, if empty."""
    models: dict[str, Any] = {name: (model, ...) for name, model in section_models().items()}
    models |= {name: (model, model()) for name, model in optional_models().items()}
    document = create_model("Params", __base__=Section, **models)
    return document.model_json_schema() | {"title": "Raresight's params.yaml"}


def keys_like(option: str, *, section: str, options: Iterable[str] = ()) -> list[str]:
    """The keys of params.yaml that a command-line option may mean, as ``train.epochs``.

    Those whose end it is; else, where none of the command's own ``options`` is spelled like it,
    those whose last part is spelled most alike. Where ``section`` has one, its keys alone.
    """
    document = run()
    keys = list(dict.fromkeys(_keys(document, document)))
    wanted = _plain(option.lstrip("-"))
    found = [key for key in keys if f"_{_plain(key)}".endswith(f"_{wanted}")]
    plain = {_plain(one.lstrip("-")) for one in options}
    if not found and not difflib.get_close_matches(wanted, plain, cutoff=0.8):
        last = {key: _plain(key.rpartition(".")[2]) for key in keys}
        near = difflib.get_close_matches(wanted, set(last.values()), n=1, cutoff=0.8)
        found = [key for key in keys if last[key] in near]
    here = [key for key in found if key.startswith(f"{section}.")]
    return sorted(here or found, key=lambda key: key.count("."))


def _plain(name: str) -> str:
    return name.lower().replace("-", "_").replace(".", "_")


def _keys(node: Mapping[str, Any], document: Mapping[str, Any], path: str = "") -> Iterator[str]:
    """The dotted keys below a schema, every branch of a union; lists have none."""
    if "$ref" in node:
        node = document["$defs"][node["$ref"].rpartition("/")[2]]
    for branch in node.get("anyOf", ()):
        yield from _keys(branch, document, path)
    for name, inner in node.get("properties", {}).items():
        key = f"{path}.{name}" if path else name
        if path:
            yield key
        yield from _keys(inner, document, key)
