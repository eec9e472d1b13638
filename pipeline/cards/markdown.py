"""Cards as text: front matter, headings, tables."""

from collections.abc import Iterable, Mapping, Sequence
from io import StringIO
from typing import Any

from ruamel.yaml import YAML

NOT_STATED = "Not stated: write `card.{key}` in params.yaml."


def document(front_matter: Mapping[str, Any], title: str, parts: Iterable[str]) -> str:
    """A card: the facts that programs read, then what people read; empty parts are left out."""
    text = StringIO()
    yaml = YAML(typ="rt")
    yaml.width = 4096
    yaml.dump(dict(front_matter), text)
    body = "\n\n".join(part.strip() for part in (f"# {_escaped(title)}", *parts) if part.strip())
    return f"---\n{text.getvalue()}---\n\n{body}\n"


def section(title: str, *paragraphs: str) -> str:
    """A heading with what there is to say, names from the data escaped; empty without any."""
    return _headed(title, *map(_escaped, paragraphs))


def stated(title: str, text: str | None, key: str) -> str:
    """A heading with what a person wrote, in Markdown, or with where to write it."""
    return _headed(title, text or NOT_STATED.format(key=key))


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;")


def _headed(title: str, *paragraphs: str) -> str:
    told = [one for one in paragraphs if one]
    return "\n\n".join([f"## {title}", *told]) if told else ""


def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table of texts; a pipe in one is escaped."""
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join(f"| {' | '.join(map(_cell, line))} |" for line in lines)


def items(texts: Iterable[str]) -> str:
    """A list of points."""
    return "\n".join(f"- {text}" for text in texts)


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")
