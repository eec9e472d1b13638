"""The page as text: the template, filled."""

import functools
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from raresight.pipeline.evaluation.metrics.registry import METRICS, shown
from raresight.pipeline.report.charts.draw import LOOKS
from raresight.pipeline.wording.diagnosis import describe
from raresight.pipeline.wording.glossary import explained
from raresight.pipeline.wording.numbers import count, figure, interval, number, share

if TYPE_CHECKING:
    from jinja2 import Environment
    from markupsafe import Markup

_OPEN, _CLOSE = "\N{LEFT SINGLE QUOTATION MARK}", "\N{RIGHT SINGLE QUOTATION MARK}"
_TEMPLATES = Path(__file__).parent / "template"
_STYLES = ("theme.css", "page.css", "panel.css", "narrow.css", "print.css")
_SCRIPTS = ("panel.js", "gallery.js", "page.js")


def render(sections: Mapping[str, Any]) -> str:
    """The whole page. A section that is None, or empty, is left out or says why it is missing.

    Names and paths from the data are escaped; style and script stand in the page itself.
    """
    return fill("page.html", sections)


def fill(template: str, sections: Mapping[str, Any]) -> str:
    """A page from its template; ``sections["factors"]`` are those that it can explain."""
    used: dict[str, None] = {}  # the terms that the page refers to, explained at its end
    terms = explained(sections["factors"])

    def explain(key: str | None = None) -> Any:
        if key is None:
            return [(name, terms[name]) for name in terms if name in used]
        if key in terms:
            used[key] = None
        return key in terms

    page = _environment().get_template(template)
    return page.render({**sections, "explain": explain, "explained": explain})


@functools.cache
def _environment() -> "Environment":
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(_TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "number": number,
        "count": count,
        "share": share,
        "curly": _curly,
        "code": _code,
        "described": lambda diagnosis: describe(diagnosis["cause"], diagnosis["numbers"]),
    }
    environment.filters["figure"] = figure
    environment.filters["interval"] = lambda row, name, kind="number": interval(
        row, name, {"number": number, "count": count}[kind]
    )
    environment.globals |= {"METRICS": METRICS, "shown": shown, "looks": len(LOOKS)}
    environment.globals["style"] = lambda: _assets(_STYLES)
    environment.globals["script"] = lambda: _assets(_SCRIPTS)
    environment.globals["titles"] = {
        name: METRICS[name].label for name in shown("sliders", positive=True)
    }
    return environment


def _assets(names: Iterable[str]) -> "Markup":
    """Files of the page's own, as they are."""
    from markupsafe import Markup

    files = (_TEMPLATES / "assets" / name for name in names)
    return Markup("\n".join(file.read_text(encoding="utf-8") for file in files))


def _curly(text: str) -> "Markup":
    """As :func:`_code`, with typographic quotes, and intervals that stand back in one piece."""
    from markupsafe import Markup

    text = re.sub(r"'([^']*)'", f"{_OPEN}\\1{_CLOSE}", text)
    return Markup(re.sub(r"\[[^]]*\]", r'<span class="between">\g<0></span>', str(_code(text))))


def _code(text: str) -> "Markup":
    """Escaped, and what stands in backticks as code."""
    from markupsafe import Markup, escape

    return Markup(re.sub(r"`([^`]*)`", r"<code>\1</code>", str(escape(text))))
