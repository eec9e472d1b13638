"""Text from outside that nobody's terminal obeys."""

import re

# All of C0 and C1, but for line breaks and tabs, which messages have of their own.
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")


def visible(text: str) -> str:
    """``text`` with its control characters as ``\\x1b`` and the like."""
    return _CONTROL.sub(lambda found: f"\\x{ord(found[0]):02x}", text)
