from pathlib import Path

import pytest
from image_folders import save


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A folder with two classes of two images each."""
    for k, label in enumerate(("cat", "dog")):
        for number in (2, 10):
            save(tmp_path / "raw" / label / f"{number}.png", (40 * k, number, 0))
    return tmp_path / "raw"
