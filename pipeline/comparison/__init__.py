"""Comparing two versions judged on the same test images: what differs, and whether it means it."""
