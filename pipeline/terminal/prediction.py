"""What was predicted, in a few lines."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from raresight.pipeline.commands.predict import Summary, unreadable_lines
from raresight.pipeline.core.words import counted


def render(summary: Summary) -> str:
    """How many images got each answer, and what is to be looked at."""
    answers = ", ".join(f"{count:,} {label}" for label, count in summary.answers.items())
    lines = [f"predict: {counted(summary.images, 'image')}: {answers}"]
    if summary.threshold is not None:
        lines[0] += f" (threshold {summary.threshold:.4g})"
    if summary.unlike:
        by = ", ".join(f"{count:,} by {name}" for name, count in summary.unlike_by.items())
        are = "is" if summary.unlike == 1 else "are"
        lines.append(
            f"{summary.unlike:,} {are} unlike the training images ({by}): do not trust the answers"
        )
    if summary.passed_over:
        lines.append(
            "passed over "
            + counted(summary.passed_over, "file that is no image", "files that are no images")
        )
    if summary.unreadable:
        lines.append(f"left out {counted(len(summary.unreadable), 'file')} that cannot be read:")
        lines.append(unreadable_lines(summary))
    if summary.out != "-":
        lines.append(f"wrote {summary.out}")
    return "\n".join(lines)


def render_export(card: Mapping[str, Any], out: Path) -> str:
    """What was written, and how it was checked."""
    if "checked" not in card:
        return f"wrote {out}"
    checked = card["checked"]
    return (
        f"checked on {counted(checked['images'], 'image')}: differs by at most "
        f"{checked['largest_difference']:.2g}, no answer differs\nwrote {out} and {out.name}.json"
    )
