import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))  # tests/imports.py and other helpers

os.environ.pop("DVC_ROOT", None)  # a stage under test belongs to no DVC run around the tests
