"""What the generate stage is asked for: its params, and corruptions on purpose."""
