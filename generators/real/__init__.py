"""Images that exist already: which files there are, and what belongs together."""
