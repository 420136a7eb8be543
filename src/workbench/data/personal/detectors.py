"""What a detector is: a regular expression that Arrow runs over all texts, and a search in the few that it leaves.

``gate`` must match every text in which ``find`` can find something; it is RE2's syntax, without look-around. ``find``
is called on the texts that pass, and gives places in characters.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

Place = tuple[int, int]
UPPER = "".join(chr(code) for code in range(0x41, 0x250) if chr(code).isupper())
LOWER = "".join(chr(code) for code in range(0x61, 0x250) if chr(code).islower() and chr(code).isalpha())
SEPARATORS = re.compile(r"[\s.\-/()\u2010-\u2015]")


@dataclass(frozen=True)
class Detector:
    """How one type is found.

    Attributes:
        kind: Name of the type.
        gate: Regular expression of RE2.
        find: From a text to the places (start, end) of what was found.
    """

    kind: str
    gate: str
    find: Callable[[str], Iterator[Place]]


def bare(characters: str) -> str:
    """Characters in capitals, without spaces, hyphens, dots, slashes and brackets."""
    return SEPARATORS.sub("", characters).upper()


def before(text: str, at: int, words: re.Pattern[str], reach: int = 40) -> bool:
    """Whether one of some words stands in the characters before a place."""
    return words.search(text, max(0, at - reach), at) is not None


def checked(pattern: str, holds: Callable[[str], bool], flags: int = 0) -> Callable[[str], Iterator[Place]]:
    """A search for a pattern whose bare characters must pass a check.

    Args:
        pattern: Of the value alone.
        holds: The check, of the bare characters.
        flags: Of ``re``.
    """
    compiled = re.compile(pattern, flags)

    def find(text: str) -> Iterator[Place]:
        for found in compiled.finditer(text):
            value = bare(found.group())
            if value.isascii() and holds(value):
                yield found.span()

    return find
