"""Names of classes that a person could not tell apart, or could not read."""

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable

# Letters of other scripts that look like Latin ones; the rest of Unicode's list is rarer in names.
_LOOKALIKES = str.maketrans("аеорсухіјѕкмтнвԁɡοαρνιυ", "aeopcyxijskmthbdgoapviu")


_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


def unprintable(names: Iterable[str | None]) -> list[str]:
    """A sentence for each name with a line break, an escape, or what turns the direction of text:
    it would be obeyed, by a terminal or a table, wherever it is shown."""
    found = dict.fromkeys(name for name in names if name is not None and _CONTROL.search(name))
    return [
        f"{name!r} ({', '.join(f'U+{ord(c):04X}' for c in sorted(set(_CONTROL.findall(name))))})"
        for name in found
    ]


def confusable(names: Iterable[str]) -> list[str]:
    """A sentence for each set of names that look alike, and each with characters unseen."""
    alike: dict[str, list[str]] = defaultdict(list)
    problems = []
    for name in sorted(set(names)):
        if unseen := sorted({c for c in name if unicodedata.category(c) in ("Cc", "Cf")}):
            codes = ", ".join(f"U+{ord(c):04X}" for c in unseen)
            problems.append(f"{name!r} has characters that nobody sees ({codes})")
        else:
            alike[_look(name)].append(name)
    problems += [
        f"{' and '.join(map(repr, several))} look the same"
        for several in alike.values()
        if len(several) > 1
    ]
    return problems


def _look(name: str) -> str:
    """What of a name catches the eye: neither case nor accents' encoding nor the kind of space."""
    plain = unicodedata.normalize("NFKC", name).casefold().translate(_LOOKALIKES)
    return re.sub(r"[\s_-]+", " ", plain).strip()
