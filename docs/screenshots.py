"""Pictures of the page for the documentation: ``python docs/screenshots.py [PAGE]``.

They are taken by the browser that the tests drive; fonts are those of this machine.
"""

import sys
from pathlib import Path

DOCS = Path(__file__).parent
sys.path.insert(0, str(DOCS.parent / "tests"))

from browser import chromium  # noqa: E402

# name: width, dark, first and last element, the preset of the prevalence that is pressed
PICTURES = {
    "report": (1280, False, ".head", ".moving > .card:nth-child(4)", 0),
    "report_rare": (1280, True, "#sliders", "#panel", 1),
    "report_mistakes": (1280, False, "#slices", "#mistakes", 0),
    "report_phone": (390, True, ".head", ".moving > .card:nth-child(2)", 1),
}


def main(page: Path) -> None:
    with chromium() as browser:
        for name, (width, dark, first, last, preset) in PICTURES.items():
            browser.resize(width, dark=dark)
            browser.open(page)
            browser.evaluate(f"document.querySelectorAll('.preset')[{preset}].click()")
            path = DOCS / f"{name}.jpg"
            browser.screenshot(path, first=first, last=last)
            print(f"{path.stat().st_size:>9,} bytes  {path}")


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "data/report/index.html"))
