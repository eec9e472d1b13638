"""Short trainings that differ in what they learn from, and what their results foretell."""
