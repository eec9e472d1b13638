"""What a training shows of itself: its history, divergence, and what to change."""
