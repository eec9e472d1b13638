"""How a number of things is said."""


def counted(number: float, noun: str, plural: str | None = None) -> str:
    """``1 group``, ``1,200 groups``: a noun with how many of it there are.

    ``number`` is a whole one; ``plural`` is the noun with an s where nothing else is given.
    """
    return f"{number:,.0f} {noun if number == 1 else plural or noun + 's'}"
