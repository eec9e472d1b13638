"""How good the model is, as the page shows it: beside baselines, over thresholds, in slices."""
