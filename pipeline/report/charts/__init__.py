"""Charts as SVG: what they hold, how they look, and how they become part of the page."""
