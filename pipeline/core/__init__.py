"""What all stages agree on, and nothing else: params, seeds, errors, files, parallel work."""
