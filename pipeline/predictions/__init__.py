"""Tables of predictions, whoever made them: a row an image, a score a class."""
