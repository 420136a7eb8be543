"""What the command line says and how: results on stdout, everything else on stderr.

Text that came from a person's data or files never meets Rich's markup, and its control characters are shown
instead of being sent to the terminal.
"""

from __future__ import annotations

import json
import math
import os
import re
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from workbench.errors import Stopped, WorkbenchError

WIDTH_WITHOUT_TERMINAL = 160
WHOLE_WORD = 28
CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
OFFLINE = {"HF_HUB_OFFLINE": "1", "HF_DATASETS_OFFLINE": "1"}
QUIET = {"HF_HUB_DISABLE_TELEMETRY": "1", "TOKENIZERS_PARALLELISM": "false", "CODECARBON_LOG_LEVEL": "error"}

AsJson = Annotated[bool, typer.Option("--json", help="Print the result as one JSON object.")]
RunsFolder = Annotated[Path, typer.Option("--runs", help="Folder of all runs.")]
RunName = Annotated[str, typer.Argument(metavar="RUN", help="A run's folder, or 'latest'.")]
Download = Annotated[
    bool,
    typer.Option("--download", help="Allow fetching weights or data from the hub, at the revision the recipe pins."),
]


def prepare_streams() -> None:
    """Let characters that a terminal cannot show be replaced instead of ending the program."""
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(errors="replace")


def quiet_and_offline(download: bool = False) -> None:
    """Tell the libraries, before they are imported, to stay off the network and to keep quiet.

    Args:
        download: The person allowed fetching; only then may the hub be asked.
    """
    os.environ.update(QUIET)
    os.environ.update({name: "0" for name in OFFLINE} if download else OFFLINE)


def console(error: bool = False) -> Console:
    """A console for stdout, or for stderr."""
    stream = sys.stderr if error else sys.stdout
    told = "COLUMNS" in os.environ or stream.isatty()
    return Console(stderr=error, highlight=False, width=None if told else WIDTH_WITHOUT_TERMINAL)


def clean(text: object) -> str:
    """Text fit for a terminal: control characters and direction overrides become visible escapes."""
    return CONTROL.sub(lambda found: f"\\x{ord(found.group()):02x}", str(text))


def say(text: object = "", style: str = "") -> None:
    """A line of the result, on stdout."""
    console().print(Text(clean(text), style=style), soft_wrap=True)


def tell(text: object = "", style: str = "") -> None:
    """A line about the work, on stderr."""
    console(error=True).print(Text(clean(text), style=style), soft_wrap=True)


def table(title: str, columns: Sequence[str], rows: Sequence[Sequence[object]], right: Sequence[str] = ()) -> None:
    """A table of the result, on stdout.

    Args:
        title: Above it; may be empty.
        columns: Headings.
        rows: Cells, as many in each row as there are headings.
        right: Headings of the columns that are aligned to the right.
    """
    shown = Table(title=Text(clean(title)) if title else None, title_justify="left", header_style="bold")
    for place, name in enumerate(columns):
        words = [word for row in rows for word in str(row[place]).split()] if name not in right else []
        least = min(max(map(len, words), default=0), WHOLE_WORD) or None  # names are not cut where a screen is narrow
        justify: Literal["left", "right"] = "right" if name in right else "left"
        shown.add_column(Text(clean(name)), justify=justify, overflow="fold", min_width=least)
    for row in rows:
        shown.add_row(*[cell if isinstance(cell, Text) else Text(clean(cell)) for cell in row])
    console().print(shown)


def print_json(value: Mapping[str, Any]) -> None:
    """The result as one JSON object; what is no finite number becomes null, a path its text."""
    text = json.dumps(plain(value), indent=1, ensure_ascii=False, allow_nan=False)
    sys.stdout.write(text + "\n")


def plain(value: Any) -> Any:
    """Values as JSON has them."""
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [plain(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if value is None or isinstance(value, (str, int, float, bool)):
        return value
    if hasattr(value, "item"):
        return plain(value.item())
    return str(value)


def tell_error(error: WorkbenchError, as_json: bool = False) -> None:
    """An error in its parts: on stderr, and as the one JSON object where that was asked for."""
    if as_json:
        told = {"problem": error.problem, "would_be_right": error.would_be_right, "what_to_do": error.what_to_do}
        print_json({"ok": False, "error": {"kind": type(error).__name__, **told, "problems": error.problems}})
    to = console(error=True)
    to.print(Text.assemble(("Wrong: ", "bold red"), clean(error.problem)), soft_wrap=True)
    if len(error.problems) > 1:
        for problem in error.problems:
            to.print(Text(f"  - {clean(problem)}"), soft_wrap=True)
    if error.would_be_right:
        to.print(Text.assemble(("Right: ", "bold green"), clean(error.would_be_right)), soft_wrap=True)
    if error.what_to_do:
        to.print(Text.assemble(("To do: ", "bold"), clean(error.what_to_do)), soft_wrap=True)


def tell_stopped(stopped: Stopped) -> None:
    """A run that was asked to stop: no error."""
    for line in (stopped.problem, stopped.would_be_right, stopped.what_to_do):
        if line:
            tell(line)
