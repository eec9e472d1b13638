"""Classifiers: their params, networks, weights on disk, and where they are computed."""
