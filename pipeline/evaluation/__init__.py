"""Judging a classifier honestly when one class is rare: metrics, intervals, thresholds, prevalence."""
