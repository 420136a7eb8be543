"""Sign-offs: who looked at a finished run, as what, and what they say of it.

Each names the state that was looked at by the SHA-256 of ``manifest.json``, which names every file; what changes
afterwards makes it a sign-off of an earlier state. It is a record, not a cryptographic signature: whoever can change
the folder can change it too.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from workbench import storage
from workbench.errors import RunError
from workbench.releasing.card import CONTROL, finished
from workbench.runs import check_manifest, now, read_lines
from workbench.runs.manifest import MANIFEST

SIGNOFFS_FILE = "signoffs.jsonl"
LONGEST = {"name": 200, "role": 200, "statement": 2_000}


@dataclass(frozen=True)
class SignOff:
    """What somebody said of a run, when, and of which manifest (its SHA-256); ``current``: it is still that one."""

    time: str
    name: str
    role: str
    statement: str
    manifest: str
    current: bool


def sign_off(run: Path, name: str, role: str, statement: str) -> SignOff:
    """Record that somebody looked at a finished run, and what they say of it.

    Args:
        run: The run's folder.
        name: Who, 200 characters at most.
        role: As what, 200 characters at most.
        statement: What they say, 2,000 characters at most.

    Raises:
        RunError: The run is not done, its files differ from its manifest, a part is empty or too long (all are
            listed), or another process is at work in it.
    """
    folder = finished(run)
    given = {"name": name.strip(), "role": role.strip(), "statement": statement.strip()}
    problems = [problem for part, text in given.items() if (problem := _problem(part, text))]
    if problems:
        raise RunError(
            "The sign-off is not complete.",
            "A name, a role and a statement.",
            "Fill in what is named, and sign again.",
            problems=problems,
        )
    with folder.at_work():
        differing = check_manifest(run)
        if differing:
            raise RunError(
                f"The run's files are not as its manifest says: {differing[0]}",
                "A folder that is as the run left it.",
                "Find out who changed it before somebody signs: workbench verify RUN",
            )
        line = {"time": now(), **given, "manifest": storage.sha256_file(run / MANIFEST)}
        storage.append_line(run / SIGNOFFS_FILE, json.dumps(line, ensure_ascii=False, sort_keys=True))
        folder.log("signed off", name=given["name"], role=given["role"], manifest=line["manifest"])
    return SignOff(**line, current=True)


def sign_offs(run: Path) -> tuple[SignOff, ...]:
    """Every sign-off of a run in its order, those of an earlier state included."""
    file = run / MANIFEST
    present = storage.sha256_file(file) if file.is_file() else ""
    parts = ("time", "name", "role", "statement", "manifest")
    lines = [{part: str(line.get(part, "")) for part in parts} for line in read_lines(run / SIGNOFFS_FILE)]
    return tuple(SignOff(**line, current=bool(present) and line["manifest"] == present) for line in lines)


def _problem(part: str, text: str) -> str:
    if not text:
        return f"The {part} is empty."
    if len(text) > LONGEST[part]:
        return f"The {part} has {len(text):,} characters; {LONGEST[part]:,} are kept at most."
    return f"The {part} holds a character that cannot be shown." if CONTROL.search(text) else ""
