"""Two processes on one processor take the steps that one process takes."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

SCRIPT = Path(__file__).with_name("training_in_processes.py")


def free_port() -> int:
    with socket.socket() as opened:
        opened.bind(("127.0.0.1", 0))
        return int(opened.getsockname()[1])


@pytest.mark.slow
def test_two_processes_end_with_the_weights_of_one(tiny_encoder: Path, tmp_path: Path):
    import torch
    from safetensors.torch import load_file

    environment = {
        **os.environ,
        "GLOO_SOCKET_IFNAME": "lo",
        "OMP_NUM_THREADS": "1",
        "ACCELERATE_USE_CPU": "true",
        "PYTHONPATH": str(SCRIPT.parent),
    }
    script = [str(SCRIPT), str(tiny_encoder), str(tmp_path)]
    launch = [sys.executable, "-m", "torch.distributed.run", "--nproc-per-node", "2"]
    launch += ["--master-addr", "127.0.0.1", "--master-port", str(free_port())]
    for command in ([sys.executable, *script], [*launch, *script]):
        ended = subprocess.run(command, capture_output=True, text=True, check=False, env=environment, timeout=300)
        assert ended.returncode == 0, ended.stderr[-3000:]
    alone, first, second = (load_file(tmp_path / f"{name}.safetensors") for name in ("0-of-1", "0-of-2", "1-of-2"))
    for name, value in alone.items():
        assert torch.equal(first[name], second[name]), name
        assert torch.allclose(first[name], value, atol=1e-4), name
