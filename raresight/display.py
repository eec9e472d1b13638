"""How results show themselves: in a terminal, with print, and in a notebook."""

import io
from abc import ABC, abstractmethod

from rich.console import Console, RenderableType


class Shown(ABC):
    """Base of results that show themselves as the terminal's tables."""

    @abstractmethod
    def __rich__(self) -> RenderableType:
        """What a terminal shows."""

    def __str__(self) -> str:
        return self._rendered().export_text()

    def _repr_html_(self) -> str:
        return self._rendered().export_html(inline_styles=True, code_format="<pre>{code}</pre>")

    def _rendered(self) -> Console:
        console = Console(width=100, file=io.StringIO(), record=True)
        console.print(self)
        return console
