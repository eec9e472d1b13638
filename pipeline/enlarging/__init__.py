"""More images of a rare class, made from training images, and checked."""
