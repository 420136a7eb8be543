"""A run on disk: its folder, its events, the results of stages that runs share."""

from workbench.runs.environment import describe_environment
from workbench.runs.events import (
    Event,
    Listener,
    Measured,
    Progress,
    StageFinished,
    StageStarted,
    Stop,
    Warned,
    ignore,
    never,
)
from workbench.runs.folder import RunFolder, RunState, all_runs, find_run, now, read_lines
from workbench.runs.manifest import check_manifest, write_manifest
from workbench.runs.recording import ProgressFile, tell_all
from workbench.runs.stages import StageKey, StageStore, code_digest

__all__ = [
    "Event",
    "Listener",
    "Measured",
    "Progress",
    "ProgressFile",
    "RunFolder",
    "RunState",
    "StageFinished",
    "StageKey",
    "StageStarted",
    "StageStore",
    "Stop",
    "Warned",
    "all_runs",
    "check_manifest",
    "code_digest",
    "describe_environment",
    "find_run",
    "ignore",
    "never",
    "now",
    "read_lines",
    "tell_all",
    "write_manifest",
]
