"""The values of metrics, and nothing of how sure they are."""
