"""What changes the weights: losses, optimizers, schedules, averages, early stopping."""
