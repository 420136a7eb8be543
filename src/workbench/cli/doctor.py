"""``doctor``: what this machine and this environment can do, and the line that installs what is missing."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from workbench.cli import messages

if TYPE_CHECKING:
    from collections.abc import Callable

MARKS = {"good": ("fine", "green"), "missing": ("missing", "yellow"), "bad": ("wrong", "bold red")}


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at.

    Attributes:
        what: A few words.
        state: ``good``; ``missing`` (something optional is not there); ``bad`` (nothing works like this).
        found: What is there.
        to_do: The exact line to type, or empty.
    """

    what: str
    state: str
    found: str
    to_do: str = ""


def doctor(runs: messages.RunsFolder = Path("runs"), as_json: messages.AsJson = False) -> None:
    """Look at Python, cores, memory, disk, packages and weights. Exit status 1 if nothing can work."""
    from workbench.cli import machine

    looks: tuple[Callable[[], list[Finding]], ...] = (
        machine.computer,
        lambda: machine.disk(runs),
        machine.extras,
        machine.weights,
        machine.network,
    )
    findings = [finding for look in looks for finding in look()]
    fine = all(finding.state != "bad" for finding in findings)
    if as_json:
        messages.print_json({"ok": fine, "findings": [asdict(finding) for finding in findings]})
    else:
        _show(findings)
    if not fine:
        raise typer.Exit(1)


def _show(findings: list[Finding]) -> None:
    from rich.text import Text

    rows = [
        (finding.what, Text(*MARKS[finding.state]), "\n".join(filter(None, (finding.found, finding.to_do))))
        for finding in findings
    ]
    messages.table("", ("", "", "found"), rows)
