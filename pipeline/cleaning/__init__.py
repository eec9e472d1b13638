"""Training images that look wrong: false labels, outliers, repeats; and what is left out."""
