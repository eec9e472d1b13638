"""Where a training runs, and how it is stopped and resumed."""
