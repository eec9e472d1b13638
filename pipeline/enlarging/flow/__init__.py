"""Images drawn by a net that learned to turn noise into training images: flow matching."""
