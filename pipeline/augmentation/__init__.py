"""Recipes of image transforms, and the care that a copy still shows what its label says."""
