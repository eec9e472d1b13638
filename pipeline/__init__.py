"""Raresight: draw, enlarge, split, train on and honestly judge images of rare classes."""

__version__ = "0.1.0"
