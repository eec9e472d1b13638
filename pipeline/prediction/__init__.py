"""A trained model at work: images that nobody labelled in, answers out."""
