"""What the generate stage is asked for: its params, and faults on purpose."""
