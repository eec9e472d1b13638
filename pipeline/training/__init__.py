"""Fitting a classifier to a rare class: models, losses, schedules, the loop, checkpoints."""
