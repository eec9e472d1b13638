"""What a generator made, for tests that ask whether it is the same."""

from hashlib import sha256

from raresight.generators.base import Sample


def digest(sample: Sample) -> str:
    """The sha256 of all pixels of a sample that has every column."""
    pixels = (sample.image, sample.mask, sample.instances, sample.depth)
    return sha256(b"".join(part.tobytes() for part in pixels)).hexdigest()
