"""The executor ray: a real cluster on this machine gives the bytes of local work."""

from pathlib import Path

import pytest
from program import invoke, options, write_params

from raresight.pipeline.dataset import schema
from raresight.pipeline.runtime import cluster
from raresight.pipeline.runtime.errors import DataError, DeviceError
from raresight.pipeline.runtime.installation import install_line
from raresight.pipeline.stages import augment, generate

COUNTS = {"circle": 8, "square": 8}
RUNTIME = "ignore::FutureWarning", "ignore::DeprecationWarning", "ignore::ResourceWarning"


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


def fail(task):
    raise DataError(f"no {task}")


@pytest.mark.filterwarnings(*RUNTIME, "ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_ray_cluster_gives_the_bytes_of_local_work_and_the_errors_of_tasks(tmp_path, monkeypatch):
    import ray  # of the extra, which `make test` installs

    monkeypatch.setattr(schema, "SHARD_BYTES", 4 * 8 * 8 * 4)
    params = write_params(tmp_path / "params.yaml")
    ray.init(num_cpus=2, include_dashboard=False, log_to_driver=False)
    try:
        for stage, output in ((generate, "generated"), (augment, "augmented")):
            for executor in ("local", "ray"):
                stage.run(params, tmp_path / executor, workers=1, executor=executor)
            local, there = (contents(tmp_path / name / output) for name in ("local", "ray"))
            assert local == there
            assert sum(name.endswith(".arrow") for name in local) >= 2
        with pytest.raises(DataError, match="no shard"):
            list(cluster.map_on_ray(fail, ["shard"], workers=1))
        assert ray.is_initialized()  # whoever started it ends it
    finally:
        ray.shutdown()


def test_without_ray_the_line_that_installs_it_is_told(tmp_path, monkeypatch):
    monkeypatch.setattr(cluster, "find_spec", lambda name: None)
    write_params(tmp_path / "params.yaml")
    result = invoke(*options(tmp_path), "generate", "--executor", "ray")
    assert result.exit_code == DeviceError.exit_code == 78
    assert install_line("ray") in result.stderr
