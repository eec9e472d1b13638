"""Judging a classifier honestly when one class is rare."""
