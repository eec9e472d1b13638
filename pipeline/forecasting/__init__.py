"""How much more data would help: learning curves, and what they foretell."""
