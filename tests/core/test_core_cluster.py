"""The executor ray: a real cluster on this machine gives the bytes of local work."""

import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from kept_model import make_project
from program import invoke, options, wait_for, write_params

from raresight.pipeline.commands import predict
from raresight.pipeline.commands.predict import Options
from raresight.pipeline.dataset import schema
from raresight.pipeline.evaluation import scoring
from raresight.pipeline.prediction import reading
from raresight.pipeline.runtime import cluster
from raresight.pipeline.runtime.errors import DataError, DeviceError
from raresight.pipeline.runtime.installation import install_line
from raresight.pipeline.stages import augment, evaluate, generate

COUNTS = {"circle": 8, "square": 8}
RUNTIME = "ignore::FutureWarning", "ignore::DeprecationWarning", "ignore::ResourceWarning"


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


def fail(task):
    raise DataError(f"no {task}")


def lasting(task: tuple[Path, str]) -> str:
    """On the machine ``lost`` a task begins, and never ends."""
    import ray

    folder, lost = task
    if ray.get_runtime_context().get_node_id() == lost:
        (folder / "begun").touch()
        time.sleep(600)
    return "done"


@pytest.fixture
def machines():
    """A Ray cluster of two machines with one core each; the second of them."""
    ray = pytest.importorskip("ray")
    from ray.cluster_utils import Cluster

    for left in (2, 1, 0):  # Ray gives a machine 30 seconds to start, which a busy one may miss
        machines = Cluster()
        try:
            machines.add_node(num_cpus=1)
            second = machines.add_node(num_cpus=1)
            ray.init(address=machines.address, log_to_driver=False)
            break
        except Exception:
            machines.shutdown()
            if not left:
                raise
    try:
        yield machines, second
    finally:
        ray.shutdown()
        machines.shutdown()


@pytest.mark.filterwarnings(*RUNTIME, "ignore::pytest.PytestUnraisableExceptionWarning")
def test_two_machines_of_which_one_is_lost_give_what_local_work_gives(
    tmp_path, monkeypatch, machines
):
    import ray

    monkeypatch.setattr(schema, "SHARD_BYTES", 4 * 8 * 8 * 4)
    params, (cluster_of_two, second) = write_params(tmp_path / "params.yaml"), machines
    monkeypatch.setattr(scoring, "IMAGES_AT_ONCE", 16)  # several shards of 30 images
    (tmp_path / "kept").mkdir()
    kept = make_project(tmp_path / "kept")
    monkeypatch.setattr(reading, "_MOST", 16)  # several chunks of 30 files
    answers = {name: tmp_path / f"{name}.csv" for name in ("local", "ray")}
    here = kept.data / "evaluation"
    judged = here / "results.json", here / "predictions/perturbed.arrow", here / "metrics.json"
    found = [path.read_bytes() for path in judged]

    def same(executors: Sequence[str]) -> None:
        evaluate.run(kept.params, kept.data, device="cpu", executor="ray")
        assert [path.read_bytes() for path in judged] == found
        for executor in executors:
            asked = Options(
                model=kept.data / "model", out=answers[executor], workers=2, executor=executor
            )
            predict.run([str(kept.photos)], asked)
        assert answers["local"].read_bytes() == answers["ray"].read_bytes()
        for stage, output in ((generate, "generated"), (augment, "augmented")):
            for executor in executors:
                stage.run(params, tmp_path / executor, workers=2, executor=executor)
            local, there = (contents(tmp_path / name / output) for name in ("local", "ray"))
            assert local == there
            assert sum(name.endswith(".arrow") for name in local) >= 2

    same(["local", "ray"])
    with pytest.raises(DataError, match="no shard"):
        list(cluster.map_on_ray(fail, ["shard"], workers=1))
    lost = cluster.map_on_ray(lasting, [(tmp_path, second.node_id)] * 4, workers=2)
    remove = threading.Thread(target=_remove_once_begun, args=(tmp_path, cluster_of_two, second))
    remove.start()
    assert list(lost) == ["done"] * 4
    remove.join()
    assert (tmp_path / "begun").exists()  # so that it was lost on the way
    assert wait_for(lambda: sum(node["Alive"] for node in ray.nodes()) == 1)
    same(["ray"])
    assert ray.is_initialized()  # whoever started it ends it


def _remove_once_begun(folder: Path, machines: Any, node: Any) -> None:
    while not (folder / "begun").exists():
        time.sleep(0.05)
    machines.remove_node(node, allow_graceful=False)


def test_without_ray_the_line_that_installs_it_is_told(tmp_path, monkeypatch):
    monkeypatch.setattr(cluster, "find_spec", lambda name: None)
    write_params(tmp_path / "params.yaml")
    result = invoke(*options(tmp_path), "generate", "--executor", "ray")
    assert result.exit_code == DeviceError.exit_code == 78
    assert install_line("ray") in result.stderr


@pytest.mark.parametrize(
    ("address", "told"), [(None, "--executor local"), ("10.0.0.1:6379", "RAY_ADDRESS=10.0.0.1")]
)
def test_a_ray_that_does_not_start_is_said_in_one_sentence(monkeypatch, address, told):
    ray = pytest.importorskip("ray")

    def slow(**options):
        raise Exception("The current node timed out during startup.")  # as Ray raises it

    monkeypatch.setattr(ray, "is_initialized", lambda: False)
    monkeypatch.setattr(ray, "init", slow)
    monkeypatch.delenv("RAY_ADDRESS", raising=False)
    if address:
        monkeypatch.setenv("RAY_ADDRESS", address)
    with pytest.raises(DeviceError, match=told) as caught:
        list(cluster.map_on_ray(str, [1], workers=1))
    assert "Ray did not start: The current node timed out" in str(caught.value)
