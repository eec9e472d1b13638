"""What was found of the pixels that mistakes came from, in a few words."""

from raresight.pipeline.commands.explain import Summary
from raresight.pipeline.wording.numbers import share


def render(found: Summary) -> str:
    """What was drawn, and how much of it lies on the objects."""
    drawn = [f"{found.drawn[kind]} of {made:,} {kind}" for kind, made in found.made.items()]
    lines = [f"wrote {found.out}: {', '.join(drawn)}"]
    if found.in_mask is not None and found.mask is not None:
        lines.append(
            f"{share(found.in_mask)} of what speaks for the class lies on the objects, which fill "
            f"{share(found.mask)} of these images"
        )
    return "\n".join(lines)
