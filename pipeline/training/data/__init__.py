"""What a training step learns from: sampling, reading, augmenting, mixing."""
