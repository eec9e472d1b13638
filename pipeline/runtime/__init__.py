"""What every run needs and no byte of an output depends on: errors, progress, processes."""
