"""How the bytes of an image become the pixels that a model sees."""
