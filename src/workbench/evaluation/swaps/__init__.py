"""Swap lists and templates, as YAML files beside this module: which words may be exchanged, and in what sentences.

Each file says where its words come from and what they do not stand for. ``frame`` lists put a word and the text into a
sentence of our own; ``words`` lists exchange words that stand in the text. Names alone, never a model: who uses them is
``workbench.evaluation.flips``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from workbench.errors import RecipeError
from workbench.recipe.yaml_text import read_document

FOLDER = Path(__file__).resolve().parent


@dataclass(frozen=True)
class Member:
    """A word of a frame list, or one way to write the words of a text.

    Attributes:
        id: The word itself, or group and number (``female 1``); the same for every text.
        values: Attribute to group, for example ``{sex: female, origin: English}``.
    """

    id: str
    values: Mapping[str, str]


@dataclass(frozen=True)
class SwapList:
    """One file.

    Attributes:
        id: Its name.
        kind: ``frame`` or ``words``.
        sets: Sets that it belongs to: ``general`` fits any text, ``health`` presupposes a finding.
        source: Where its words come from.
        limits: What it does not show.
        templates: Identifier to sentence with ``{word}`` and ``{text}``; of a words list its own id to nothing.
        members: The words of a frame list, in the order of the file; groups of a words list twice (plain, other).
        attributes: Names of the attributes.
        rows: Of a words list: group to a word and another word of the same group.
        places: Of a words list: each word to its row.
        pattern: Of a words list: finds its words, the longest first.
    """

    id: str
    kind: str
    sets: tuple[str, ...]
    source: str
    limits: str
    templates: Mapping[str, str]
    members: tuple[Member, ...]
    attributes: tuple[str, ...]
    rows: tuple[Mapping[str, tuple[str, ...]], ...] = ()
    places: Mapping[str, int] = field(default_factory=dict)
    pattern: re.Pattern[str] = re.compile("(?!)")

    def variants(self, text: str, template: str) -> dict[str, str]:
        """A text in every variant.

        Args:
            text: The text.
            template: Identifier of the template.

        Returns:
            Member to text. Empty where a words list finds no word of its own. A variant with other words of the same
            group stands only where all words of the text have one.
        """
        if self.kind == "frame":
            frame = self.templates[template]
            return {one.id: frame.replace("{word}", one.id).replace("{text}", text) for one in self.members}
        return self._rewritten(text)

    def _rewritten(self, text: str) -> dict[str, str]:
        """A text with its words of the list put into every group."""
        hits = [(hit, self.places[hit.group().lower()]) for hit in self.pattern.finditer(text)]
        found = {}
        for member in self.members if hits else ():
            group, number = member.id.rsplit(" ", 1)
            if all(int(number) < len(self.rows[row][group]) for _, row in hits):
                words = [_as_written(hit.group(), self.rows[row][group][int(number)]) for hit, row in hits]
                found[member.id] = _replaced(text, [hit.span() for hit, _ in hits], words)
        return found


def _replaced(text: str, spans: Sequence[tuple[int, int]], words: Sequence[str]) -> str:
    """A text with other words in some places."""
    parts, end = [], 0
    for (start, stop), word in zip(spans, words, strict=True):
        parts += [text[end:start], word]
        end = stop
    return "".join([*parts, text[end:]])


def _as_written(old: str, new: str) -> str:
    """The new word with the old one's capitals."""
    return new.upper() if old.isupper() and len(old) > 1 else new.capitalize() if old[:1].isupper() else new


@cache
def swap_lists() -> tuple[SwapList, ...]:
    """Every list that comes with the workbench, by name."""
    return tuple(read_list(path) for path in sorted(FOLDER.glob("*.yaml")))


def chosen_lists(sets: Sequence[str]) -> Iterator[SwapList]:
    """The lists of some sets.

    Args:
        sets: Names of sets; none chooses none.

    Raises:
        RecipeError: There is no such set.
    """
    known = sorted({name for one in swap_lists() for name in one.sets})
    unknown = [name for name in sets if name not in known]
    if unknown:
        raise RecipeError(
            f"There is no set of swap lists called {', '.join(map(repr, unknown))}.",
            f"Any of: {', '.join(known)}; or none.",
            "Correct evaluation.flips in the recipe.",
        )
    yield from (one for one in swap_lists() if set(one.sets) & set(sets))


def read_list(path: Path) -> SwapList:
    """Read one file.

    Args:
        path: A YAML file of this folder's form.

    Raises:
        RecipeError: It is not valid YAML.
    """
    values: dict[str, Any] = read_document(path.read_text(encoding="utf-8"), path.name).values
    rows = tuple({group: tuple(words) for group, words in row.items()} for row in values.get("rows", ()))
    of_cells = [(part["values"], word) for part in values.get("members", ()) for word in part["words"]]
    members = tuple(Member(str(word), dict(of)) for of, word in of_cells)
    places = {word: at for at, row in enumerate(rows) for words in row.values() for word in words}
    listed = [re.escape(word) for word in sorted(places, key=lambda word: (-len(word), word))]
    edge = r"\b" if values.get("whole_words", True) else ""
    if rows:
        most = max(len(words) for row in rows for words in row.values())
        attribute = values["attribute"]
        members = tuple(Member(f"{group} {at}", {attribute: group}) for at in range(most) for group in rows[0])
    return SwapList(
        id=values["id"],
        kind=values["kind"],
        sets=tuple(values["sets"]),
        source=values["source"],
        limits=values["limits"],
        templates={one["id"]: one["text"] for one in values.get("templates", ())} or {values["id"]: ""},
        members=members,
        attributes=tuple(members[0].values),
        rows=rows,
        places=places,
        pattern=re.compile(f"{edge}(?:{'|'.join(listed)}){edge}" if rows else "(?!)", re.IGNORECASE),
    )
