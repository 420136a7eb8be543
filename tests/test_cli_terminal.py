"""A run's events on a terminal and in a log file."""

from __future__ import annotations

import io

from rich.console import Console
from rich.progress import Progress, TextColumn

from workbench.cli.terminal import TerminalProgress
from workbench.runs.events import Measured, StageFinished, StageStarted
from workbench.runs.events import Progress as Done


def told(events, terminal=False):
    """What a list of events shows."""
    out = io.StringIO()
    console = Console(file=out, force_terminal=terminal, width=120, highlight=False)
    if not terminal:
        listener = TerminalProgress(console, None)
        for event in events:
            listener(event)
        return out.getvalue()
    columns = (TextColumn("{task.description}", markup=False), TextColumn("{task.fields[told]}", markup=False))
    with Progress(*columns, console=console, auto_refresh=False) as progress:
        listener = TerminalProgress(console, progress)
        for event in events:
            listener(event)
            progress.refresh()
    return out.getvalue()


def test_without_a_terminal_each_finished_stage_is_one_line():
    events = [StageStarted("embeddings"), Done("embeddings", 1, 2), StageFinished("embeddings", "", 93.4)]
    assert told(events).split() == ["embeddings", "1", "min", "33", "s"]


def test_a_reused_stage_says_so():
    assert "was there already" in told(
        [StageStarted("student", "student-a"), StageFinished("student", "student-a", 0.1, True)]
    )


def test_the_candidate_stands_beside_the_stage():
    assert "student · student-linear" in told([StageFinished("student", "student-linear", 1.0)])


def test_energy_of_finished_stages_is_added_up():
    events = [
        *(StageStarted("a"), Measured("a", "energy_kwh", 0.0002, 0), StageFinished("a", "", 10.0)),
        *(StageStarted("b"), Measured("b", "energy_kwh", 0.0003, 0), StageFinished("b", "", 10.0)),
    ]
    lines = told(events).splitlines()
    assert "about 0.20 Wh so far" in lines[0]
    assert "about 0.50 Wh so far" in lines[1]


def test_the_moving_line_shows_count_rate_and_remaining_time(monkeypatch):
    clock = iter([0.0, 10.0, 10.0])
    monkeypatch.setattr("workbench.cli.terminal.time.monotonic", lambda: next(clock))
    shown = told([StageStarted("embeddings"), Done("embeddings", 1_000, 7_000)], terminal=True)
    assert "1,000 of 7,000 · 100/s · 1 min 00 s left" in shown


def test_progress_of_a_stage_that_did_not_announce_itself_is_shown():
    assert "metrics" in told([StageStarted("a"), Done("metrics", 5, 10)], terminal=True)


def test_names_from_data_cannot_write_to_the_terminal():
    shown = told([StageStarted("\x1b[2J[red]x"), StageFinished("\x1b[2J[red]x", "", 1.0)])
    assert "\\x1b[2J[red]x" in shown
