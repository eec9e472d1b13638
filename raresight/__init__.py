"""Images of rare classes: drawn or read, trained on, and judged honestly."""
