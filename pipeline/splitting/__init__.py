"""Which source belongs to train, val or test; copies follow their source."""
