"""From scores to labels: thresholds, costs, calibration."""
