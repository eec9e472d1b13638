"""How fast each stage is, beside what a user would pick instead: ``python -m benchmarks``."""
