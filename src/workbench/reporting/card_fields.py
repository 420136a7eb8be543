"""What a person stated for the model card: ``card_fields.json`` in the run's folder, a text a field.

Nothing here can be found out from the run's files, so nothing is guessed: a field that nobody filled in is said to be
not stated. ``releasing`` writes the file, and holds its values to rules.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from workbench import storage
from workbench.errors import RunError

CARD_FIELDS_FILE = "card_fields.json"


@dataclass(frozen=True)
class CardField:
    """A field's title, whether a model should not leave the house without it, what is asked of it, and why."""

    title: str
    required: bool
    rule: str
    reason: str


CARD_FIELDS = {
    "intended_use": CardField(
        "Intended use",
        True,
        "At least 20 characters: who uses it, on which texts, and who decides.",
        "A score holds for the use that it was measured for.",
    ),
    "out_of_scope": CardField(
        "Not to be used for",
        True,
        "At least 20 characters: uses that are near at hand and wrong.",
        "Who was not told will try it.",
    ),
    "owner": CardField(
        "Responsible",
        True,
        "A person or a team by name.",
        "Somebody answers for the model, and decides when it goes.",
    ),
    "contact": CardField(
        "Contact",
        True,
        "An e-mail address, an https address or a telephone number.",
        "Who sees an error has to reach somebody.",
    ),
    "licence_checked_by": CardField(
        "Licence of the data checked by",
        True,
        "The name of who read the licence of the data, and when.",
        "What is learned from data may be bound by it.",
    ),
    "known_limits": CardField(
        "Known limits, added by hand",
        False,
        "One limit a sentence.",
        "What people know of the data stands in no file.",
    ),
    "review_by": CardField(
        "To be looked at again by",
        False,
        "A date, as in 2027-06-30.",
        "Texts change, and a model does not change with them.",
    ),
}
NOT_STATED = "not stated"


def read_card_fields(folder: Path) -> dict[str, str]:
    """What a person stated, by field; only fields that hold something.

    Args:
        folder: The run's folder.

    Raises:
        RunError: The file does not hold a text a field.
    """
    file = folder / CARD_FIELDS_FILE
    if not file.is_file():
        return {}
    found = storage.read_json(file)
    if not isinstance(found, dict) or not all(isinstance(one, str) for one in found.values()):
        raise RunError(
            f"{CARD_FIELDS_FILE} of the run does not hold a text for each field.",
            f"An object with texts for: {', '.join(CARD_FIELDS)}.",
            "Remove it and fill in the card's fields again.",
        )
    return {name: found[name].strip() for name in CARD_FIELDS if str(found.get(name, "")).strip()}


def stated(folder: Path) -> list[tuple[str, str]]:
    """Title and text of every field, in the card's order."""
    found = read_card_fields(folder)
    return [(one.title, found.get(name, NOT_STATED)) for name, one in CARD_FIELDS.items()]
