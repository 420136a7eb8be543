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
        larger_teacher,
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


def larger_teacher() -> list[Finding]:
    """Whether MPNet is there, which no shipped recipe needs. Nothing is unpacked and its weights are not read."""
    from workbench.errors import ModelError
    from workbench.models.assembling import assembled, cached_folder, find_parts
    from workbench.models.packages import MPNET

    what = "larger teacher"
    try:
        folder, target = assembled(MPNET), cached_folder(MPNET)
    except ModelError as error:
        return [Finding(what, "missing", error.problem, error.what_to_do)]
    if folder is not None:
        return [Finding(what, "good", f"{MPNET.model}, unpacked in {folder}; {MPNET.uploader()}")]
    missing = [name for name, part in zip(MPNET.distributions, find_parts(MPNET), strict=True) if part is None]
    if not missing:
        megabytes = MPNET.weights_bytes / 1e6
        return [Finding(what, "good", f"{MPNET.model}; its first use unpacks {megabytes:,.0f} MB to {target}")]
    told = "not installed" if len(missing) == len(MPNET.distributions) else f"without {', '.join(missing)}"
    return [Finding(what, "missing", f"{MPNET.model} is optional: {told}", MPNET.install())]


def _show(findings: list[Finding]) -> None:
    from rich.text import Text

    rows = [
        (finding.what, Text(*MARKS[finding.state]), "\n".join(filter(None, (finding.found, finding.to_do))))
        for finding in findings
    ]
    messages.table("", ("", "", "found"), rows)
