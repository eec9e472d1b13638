"""Ways in which other programs keep labelled images, as the rows of ``generators.real``."""
