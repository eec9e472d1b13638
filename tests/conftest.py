import os
import sys
from pathlib import Path

import pytest
from hypothesis import settings

sys.path.insert(0, str(Path(__file__).parent))  # tests/imports.py and other helpers

import no_network  # found on the path that is set above

no_network.hold()

# A busy machine is no failure: no example of a property has a time limit.
settings.register_profile("raresight", deadline=None)
settings.load_profile("raresight")

os.environ["HF_HUB_OFFLINE"] = "1"  # `datasets` counts what it opens, somewhere else
os.environ.pop("DVC_ROOT", None)  # a stage under test belongs to no DVC run around the tests


@pytest.hookimpl(tryfirst=True)  # before any fixture, since those of a module start the engine
def pytest_runtest_setup(item):
    """A test marked ``engine`` needs that generator's engine: without it, it fails in CI, and is
    skipped elsewhere."""
    for marker in item.iter_markers("engine"):
        from raresight.generators import GENERATORS
        from raresight.generators.base import Unavailable

        for generator in map(GENERATORS.get, marker.args):
            try:
                generator(generator.options(), 16).require()
            except Unavailable as error:
                if os.environ.get("CI"):
                    raise
                pytest.skip(str(error))


@pytest.fixture(scope="session")
def project(tmp_path_factory):
    """A params file and a data folder with one output of ``generate``."""
    from program import call, write_params  # found on the path that is set above

    folder = tmp_path_factory.mktemp("project")
    params = write_params(folder / "params.yaml")
    done = call("--params", params, "--data", folder / "data", "generate")
    assert done.returncode == 0, done.stderr
    return folder
