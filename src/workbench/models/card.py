"""``candidate.json``: the small file that says what kind of candidate a folder holds."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from workbench import storage
from workbench.errors import ModelError

NAME = "candidate.json"
FORMAT = 1


def write_card(folder: Path, kind: str, classes: Sequence[str], **more: Any) -> None:
    """Write ``candidate.json``; called last, so that a folder that has one is complete.

    Args:
        folder: The candidate's folder.
        kind: Kind of candidate.
        classes: Names of the classes in the order of its probabilities.
        **more: Further plain values of the kind.
    """
    storage.write_json(folder / NAME, {"kind": kind, "classes": list(classes), "format": FORMAT, **more})


def read_card(folder: Path) -> dict[str, Any]:
    """Read ``candidate.json``.

    Args:
        folder: The candidate's folder.

    Raises:
        ModelError: It is missing, of a newer format, or not what this package writes.
    """
    file = folder / NAME
    if not file.is_file():
        raise ModelError(
            f"{folder} holds no candidate: {NAME} is missing.",
            "A folder models/<candidate> of a run.",
            "Name the folder of a finished candidate; `workbench run` makes them.",
        )
    card = storage.read_json(file)
    if not isinstance(card, dict) or not {"kind", "classes", "format"} <= set(card):
        raise ModelError(
            f"{file} does not describe a candidate.",
            "An object with kind, classes and format.",
            "Restore the folder from a copy, or run again.",
        )
    if card["format"] != FORMAT:
        raise ModelError(
            f"{folder} is of format {card['format']}.",
            f"Format {FORMAT}, which this version reads.",
            "Update the package: pip install --upgrade specialist-workbench",
        )
    return dict(card)
