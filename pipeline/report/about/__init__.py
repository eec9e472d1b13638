"""What the run was: its params and its training images."""
