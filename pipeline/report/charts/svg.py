"""Matplotlib figures as SVG that belongs to the page: its colors, its fonts, no ids of its own."""

import io
import json
import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree

from raresight.pipeline.report.charts.look import Palette

if TYPE_CHECKING:
    from matplotlib.figure import Figure

# Colors that nothing else uses, and the custom properties of the style sheet that take their
# place: one drawing serves light, dark and print.
PAGE = Palette(*(f"#0000{k:02d}" for k in range(1, 10)))
_PROPERTIES = {
    PAGE.ink: "--ink",
    PAGE.muted: "--muted",
    PAGE.rule: "--rule",
    PAGE.model: "--model",
    PAGE.accent: "--accent",
    PAGE.right: "--right",
    PAGE.wrong: "--wrong",
    PAGE.other: "--other",
    PAGE.ground: "--card",
}
_SVG, _XLINK = "http://www.w3.org/2000/svg", "http://www.w3.org/1999/xlink"


def inline(
    figure: "Figure", *, name: str, title: str, hover: Sequence[Mapping[str, Any]] = ()
) -> str:
    """The figure as an ``<svg>`` element that can stand in an HTML page.

    ``name`` is unique on the page; ``title`` is what a screen reader says in its place. Artists
    with a gid keep it as their id. ``hover`` is what ``hover_data`` gives: the
    page's script reads the values from it. Same figure, same text.
    """
    buffer = io.StringIO()
    figure.savefig(buffer, format="svg", metadata=dict.fromkeys(("Creator", "Date", "Format")))
    root = ElementTree.fromstring(buffer.getvalue())
    ids = _new_ids(root, figure, name)
    _clean(root, ids)
    box = root.get("viewBox", "")
    root.attrib.clear()
    root.attrib.update({"viewBox": box, "role": "img", "aria-label": title, "class": "chart"})
    if hover:
        root.set("data-hover", json.dumps(hover, ensure_ascii=False, separators=(",", ":")))
    ElementTree.register_namespace("", _SVG)
    text = ElementTree.tostring(root, encoding="unicode").replace(f' xmlns="{_SVG}"', "")
    return re.sub(r">\s*\n\s*<", "><", text)


def _new_ids(root: ElementTree.Element, figure: "Figure", name: str) -> dict[str, str]:
    """Ids that are referred to become unique on the page; those of our own artists stay."""
    text = ElementTree.tostring(root, encoding="unicode")
    used = re.findall(r"""(?:url\(#|href="#)([^)"]+)""", text)
    ids = {old: f"{name}-{number}" for number, old in enumerate(dict.fromkeys(used))}
    named = [artist.get_gid() for artist in figure.findobj()]
    return ids | {gid: gid for gid in named if gid is not None}


def _clean(element: ElementTree.Element, ids: Mapping[str, str]) -> None:
    """Take away what means nothing on the page, here and below; the page styles all charts."""
    for child in list(element):
        _clean(child, ids)
        if child.tag.rpartition("}")[2] in ("metadata", "style") or _is_empty(child):
            element.remove(child)
    attributes = element.attrib
    identifier = ids.get(attributes.pop("id", ""))
    target = attributes.pop(f"{{{_XLINK}}}href", None)
    for key, value in list(attributes.items()):
        attributes[key] = _shorter(value)
    if identifier:
        attributes["id"] = identifier
    if target is not None:
        attributes["href"] = f"#{ids[target[1:]]}"
    if clip := attributes.get("clip-path"):
        attributes["clip-path"] = f"url(#{ids[clip[5:-1]]})"
    if attributes.get("transform", "").startswith("rotate(-0 "):
        del attributes["transform"]


def _is_empty(element: ElementTree.Element) -> bool:
    return element.tag.endswith(("}g", "}defs")) and not len(element)


def _shorter(value: str) -> str:
    """Coordinates to a hundredth of a pixel, fonts left to the page, colors as properties."""
    value = re.sub(r"-?\d+\.\d{3,}", lambda number: f"{float(number[0]):.2f}", value)
    value = re.sub(r"font-family: [^;]*;", "", value)
    for color, property in _PROPERTIES.items():
        value = value.replace(color, f"var({property})")
    return re.sub(r"\s+", " ", value).strip()
