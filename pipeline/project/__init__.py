"""A project of one's own: the files that `raresight init` writes, and keeps up to date."""
