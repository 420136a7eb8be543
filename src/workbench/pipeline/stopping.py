"""Asking a run in another process to stop: a file in its folder, looked at between batches."""

from __future__ import annotations

from pathlib import Path

from workbench.errors import RunError
from workbench.runs import RunFolder, find_run


def request_stop(path: str | Path, runs: str | Path = "runs") -> Path:
    """Ask a run to stop at its next batch; what it has finished is kept.

    Args:
        path: The run's folder, or ``latest``.
        runs: Where ``latest`` is looked for.

    Returns:
        The run's folder.

    Raises:
        RunError: There is no such run, or it is not running.
    """
    folder = RunFolder(find_run(path, runs))
    if folder.state.status != "running":
        raise RunError(
            f"The run {folder.path.name} is not running; its status is '{folder.state.status}'.",
            "A run that is at work in another process.",
            f"Look at it with: workbench compare {folder.path}",
        )
    folder.request_stop()
    return folder.path
