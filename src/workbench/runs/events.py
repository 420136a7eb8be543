"""What a stage tells while it works: small frozen events, given to a listener, any callable.

A terminal, a widget and the run's own files are listeners; a test uses ``list.append``. A stage never
waits for its listener and knows nothing of who listens.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class StageStarted:
    """A stage began; ``candidate`` is empty where the stage belongs to no single candidate."""

    stage: str
    candidate: str = ""


@dataclass(frozen=True)
class Progress:
    """``done`` of ``total`` units (rows, steps, resamples) of a stage are finished."""

    stage: str
    done: int
    total: int
    candidate: str = ""


@dataclass(frozen=True)
class Measured:
    """One value of a curve, for example the loss at a step."""

    stage: str
    name: str
    value: float
    step: int
    candidate: str = ""


@dataclass(frozen=True)
class StageFinished:
    """A stage ended after ``seconds``; ``reused`` when its result was there already."""

    stage: str
    candidate: str = ""
    seconds: float = 0.0
    reused: bool = False


@dataclass(frozen=True)
class Warned:
    """Something that a person should know while the run is at work, as a sentence."""

    sentence: str
    stage: str = ""
    candidate: str = ""


Event = StageStarted | Progress | Measured | StageFinished | Warned
Listener = Callable[[Event], None]
Stop = Callable[[], bool]


def ignore(event: Event) -> None:
    """The listener of who does not want to know."""


def never() -> bool:
    """The stop question of who does not want to stop."""
    return False
