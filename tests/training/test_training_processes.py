"""Processes that train together, and the torchrun that started them."""

import socket

import pytest
import torch

from raresight.pipeline.runtime.errors import DeviceError
from raresight.pipeline.training.runtime.distributed import process_group


def test_a_launcher_that_was_killed_while_its_processes_loaded_is_not_waited_for(monkeypatch):
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    told = {"WORLD_SIZE": "2", "RANK": "1", "TORCHELASTIC_USE_AGENT_STORE": "True"}
    for name, value in {**told, "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port)}.items():
        monkeypatch.setenv(name, value)
    with (
        pytest.raises(DeviceError, match=r"has ended: nobody answers at 127\.0\.0\.1"),
        process_group(torch.device("cpu")),
    ):
        pass
