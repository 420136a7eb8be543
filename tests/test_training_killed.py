"""Trainings that are really killed, five times in a row at any moment, end with the weights of an undisturbed one.

All 60 points: ``python -m pytest tests/test_training_killed.py``.
"""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from training_to_kill import KINDS

pytestmark = [pytest.mark.slow, pytest.mark.skipif(not hasattr(os, "fork"), reason="forks processes")]

CHAINS = 4
KILLS = 5


class Server:
    """A process that forks trainings."""

    def __init__(self) -> None:
        script = Path(__file__).with_name("training_to_kill.py")
        self.process = subprocess.Popen(
            [sys.executable, str(script)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def train(self, job: dict[str, str], kill_after: float | None = None) -> tuple[int, float]:
        """Train, kill it after so many seconds; exit code and seconds that it lived."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(json.dumps(job) + "\n")
        self.process.stdin.flush()
        child, began = int(self.process.stdout.readline()), time.perf_counter()
        if kill_after is not None:
            time.sleep(kill_after)
            os.kill(child, signal.SIGKILL)
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        return int(self.process.stdout.readline()), time.perf_counter() - began

    def stop(self) -> None:
        """End it."""
        assert self.process.stdin is not None
        self.process.stdin.close()
        self.process.wait(60)


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    started = Server()
    yield started
    started.stop()


@pytest.fixture(scope="module")
def undisturbed(server: Server, tiny_encoder: Path, tmp_path_factory: pytest.TempPathFactory):
    """Digest and seconds of each kind and precision, not killed."""
    found: dict[tuple[str, str], tuple[str, float]] = {}

    def get(kind: str, precision: str) -> tuple[str, float]:
        if (kind, precision) not in found:
            place = tmp_path_factory.mktemp(f"{kind}-{precision}")
            _, seconds = server.train(job_of(kind, tiny_encoder, place, precision))
            assert not (place / "error").exists(), (place / "error").read_text()
            found[kind, precision] = ((place / "digest").read_text(), seconds)
        return found[kind, precision]

    return get


def job_of(kind: str, encoder: Path, place: Path, precision: str) -> dict[str, str]:
    return {"kind": kind, "encoder": str(encoder), "place": str(place), "precision": precision}


@pytest.mark.parametrize("chain", range(CHAINS))
@pytest.mark.parametrize("kind", KINDS)
def test_killed_five_times_it_ends_with_the_same_weights(
    server: Server, undisturbed, tiny_encoder: Path, tmp_path: Path, kind: str, chain: int
):
    precision = ("fp32", "bf16")[chain % 2]
    digest, seconds = undisturbed(kind, precision)
    moments = random.Random(f"{kind} {chain}")  # noqa: S311  (moments to kill at, no secret)
    job = job_of(kind, tiny_encoder, tmp_path, precision)
    killed = 0
    for _ in range(6 * KILLS):
        if killed == KILLS:
            break
        code, _ = server.train(job, kill_after=moments.uniform(0.1, 0.9) * seconds)
        killed += code == -signal.SIGKILL
        if (tmp_path / "digest").exists():  # it had ended before: begin anew, to be killed at other moments
            assert (tmp_path / "digest").read_text() == digest
            (tmp_path / "digest").unlink()
            for left in sorted((tmp_path / "checkpoints").rglob("*"), reverse=True):
                left.rmdir() if left.is_dir() else left.unlink()
    assert killed == KILLS
    code, _ = server.train(job)
    assert code == 0
    assert not (tmp_path / "error").exists(), (tmp_path / "error").read_text()
    assert (tmp_path / "digest").read_text() == digest
