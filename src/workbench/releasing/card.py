"""The fields of the model card that only a person can fill in: rules for each, and how they come into the card.

They are kept in ``card_fields.json`` of the run's folder; report, card and manifest are made anew. A folder that
somebody else changed keeps its old manifest, and ``workbench verify`` goes on saying so.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping
from pathlib import Path

from workbench import reporting, storage
from workbench.errors import RunError
from workbench.reporting.card_fields import CARD_FIELDS, CARD_FIELDS_FILE
from workbench.runs import RunFolder, check_manifest, write_manifest

LONGEST = 2_000
SHORTEST_USE = 20
CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")
REACHABLE = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+|https://\S+\.\S+|\+?[\d ()./-]{6,}")


def card_problems(values: Mapping[str, str]) -> dict[str, str]:
    """What is wrong with each field that holds something, a sentence a field; empty fields are fine here.

    Args:
        values: Field to text.
    """
    found = {name: _problem(name, str(text).strip()) for name, text in values.items()}
    return {name: problem for name, problem in found.items() if problem}


def missing_fields(values: Mapping[str, str]) -> tuple[str, ...]:
    """Required fields that hold nothing."""
    return tuple(name for name, one in CARD_FIELDS.items() if one.required and not str(values.get(name, "")).strip())


def write_card_fields(run: Path, values: Mapping[str, str]) -> None:
    """Write what a person stated, and make report, card and manifest anew.

    Args:
        run: Folder of a finished run.
        values: Field to text; a field that is left out or empty is not stated.

    Raises:
        RunError: The run is not done, a field does not fit its rule (all are listed), or another process is at work.
    """
    folder = finished(run)
    problems = card_problems(values)
    if problems:
        raise RunError(
            f"{len(problems)} of the card's fields {'does' if len(problems) == 1 else 'do'} not fit.",
            "Each field has its rule beside it.",
            "Change what is named, and write the card again.",
            problems=list(problems.values()),
        )
    kept = {name: str(values[name]).strip() for name in CARD_FIELDS if str(values.get(name, "")).strip()}
    with folder.at_work():
        differing = check_manifest(run)
        storage.write_json(run / CARD_FIELDS_FILE, kept)
        reporting.report(run)
        if not differing:
            write_manifest(run)
        folder.log("card fields written", fields=sorted(kept))


def finished(run: Path) -> RunFolder:
    """The folder of a run that is done.

    Raises:
        RunError: It is no run's folder, was written by a newer version, or is not done.
    """
    folder = RunFolder(run)
    if folder.state.status != "done":
        raise RunError(
            f"The run {run.name} is not done; its status is '{folder.state.status}'.",
            "A run that is done.",
            f"Go on with it first: workbench resume {run}",
        )
    return folder


def _problem(name: str, text: str) -> str:
    if name not in CARD_FIELDS:
        return f"The card has no field '{name}'."
    title = CARD_FIELDS[name].title
    if len(text) > LONGEST:
        return f"{title}: {len(text)} characters are too many; {LONGEST} are kept at most."
    if CONTROL.search(text):
        return f"{title}: it holds a character that cannot be shown."
    if not text or _fits(name, text):
        return ""
    return f"{title}: this does not fit. {CARD_FIELDS[name].rule}"


def _fits(name: str, text: str) -> bool:
    if name in ("intended_use", "out_of_scope"):
        return len(text) >= SHORTEST_USE
    if name == "contact":
        return REACHABLE.search(text) is not None
    if name == "review_by":
        try:
            return dt.date.fromisoformat(text).isoformat() == text
        except ValueError:
            return False
    return len(text) >= 2
