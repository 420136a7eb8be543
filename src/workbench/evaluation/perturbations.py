"""Named changes of a text: pure functions of text, level and seed, used by suites, robustness curves and attacks.

They imitate what happens to texts (slips of the keyboard, other case, cut fields) or what somebody does to them
(look-alike letters, padding). They are small models of that, written here: real slips differ by keyboard and person.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Callable, Mapping

import numpy as np

Level = float | str

ROWS = ("qwertyuiop", "asdfghjkl", "zxcvbnm")
"""Letters of a QWERTY keyboard; neighbours stand beside each other or in the row above or below."""
HOMOGLYPHS = dict(
    zip(
        "aceijopsxyhABCEHIKMOPSTXY",
        "\u0430\u0441\u0435\u0456\u0458\u043e\u0440\u0455\u0445\u0443\u04bb"
        "\u0410\u0412\u0421\u0415\u041d\u0406\u041a\u041c\u041e\u0420\u0405\u0422\u0425\u0423",
        strict=True,
    )
)
"""Latin letters and Cyrillic ones that look alike (a part of the confusables of Unicode Technical Standard 39)."""
ABBREVIATIONS = {
    "without": "w/o",
    "with": "w/",
    "and": "&",
    "due to": "d/t",
    "history of": "h/o",
    "secondary to": "2/2",
    "left": "lt",
    "right": "rt",
    "bilateral": "bilat",
    "fracture": "fx",
    "syndrome": "synd",
    "disease": "dis",
    "chronic": "chr",
    "acute": "ac",
    "unspecified": "unspec",
    "department": "dept",
    "number": "no.",
    "copyright": "(c)",
    "software": "s/w",
    "version": "v.",
    "documentation": "docs",
}
"""Long forms and short ones that people write in notes; a suite can bring its own."""
FILLER = (
    "the kitchen on the second floor has a new kettle and the old one is on the shelf by the window",
    "the train leaves at ten past four and the ticket was bought last week at the counter",
    "the meeting room was painted green in spring and the chairs were moved to the hall",
    "on Fridays the canteen has soup and bread and most people eat outside when it is warm",
    "the blue folder is in the third drawer and the key hangs beside the door",
)
"""Sentences about nothing that any shipped task is about."""


def perturb(
    text: str, name: str, level: Level, *, seed: int = 0, words: Mapping[str, str] | None = None, fewest: int = 0
) -> str:
    """Change a text.

    Args:
        text: The text.
        name: One of PERTURBATIONS.
        level: Share of letters (typos, homoglyphs), of words kept (truncation), words added (padding), or a form
            (case: lower, upper, title; punctuation: removed, added); ignored by abbreviations and word-order.
        seed: Same text, level and seed, same result.
        words: With abbreviations, each long form and its short one; None for ABBREVIATIONS.
        fewest: With typos and homoglyphs, letters changed at least, where there are that many.

    Returns:
        The changed text; the same where there is nothing to change.

    Raises:
        ValueError: There is no perturbation of that name.
    """
    if name not in PERTURBATIONS:
        raise ValueError(f"there is no perturbation {name!r}; choose one of {', '.join(PERTURBATIONS)}")
    if name == "abbreviations":
        return abbreviated(text, ABBREVIATIONS if words is None else words)
    random = np.random.default_rng([seed, zlib.crc32(text.encode()), zlib.crc32(name.encode())])
    if name in LETTERWISE:
        return LETTERWISE[name](text, float(level), random, fewest)
    return OTHERS[name](text, level, random)


def typos(text: str, rate: float, random: np.random.Generator, fewest: int = 0) -> str:
    """Slips of the keyboard: a letter's neighbour instead of it, two letters swapped, one left out, one twice.

    Args:
        text: The text.
        rate: Share of its letters that are hit, on average; at most one slip a letter.
        random: Draws places and kinds.
        fewest: Slips at least, where there are that many letters.
    """
    letters = list(text)
    for place in _places([at for at, one in enumerate(text) if one.isalpha()], rate, random, fewest)[::-1]:
        letter, kind = letters[place], int(random.integers(4))
        after = letters[place + 1] if place + 1 < len(letters) and letters[place + 1].isalpha() else ""
        if kind == 0 and after and after != letter:
            letters[place], letters[place + 1] = after, letter
        elif kind == 1:
            letters[place] = ""
        elif kind == 2:
            letters[place] = letter * 2
        else:
            letters[place] = _neighbour(letter, random)
    return "".join(letters)


def homoglyphs(text: str, rate: float, random: np.random.Generator, fewest: int = 0) -> str:
    """Letters replaced by others that look alike.

    Args:
        text: The text.
        rate: Share of its replaceable letters.
        random: Draws places.
        fewest: Letters at least, where there are that many.
    """
    letters = list(text)
    for place in homoglyph_places(text, rate, random, fewest):
        letters[place] = HOMOGLYPHS[letters[place]]
    return "".join(letters)


def homoglyph_places(text: str, rate: float, random: np.random.Generator, fewest: int = 0) -> list[int]:
    """Where homoglyphs would stand, ascending; see homoglyphs."""
    return _places([at for at, one in enumerate(text) if one in HOMOGLYPHS], rate, random, fewest)


def case(text: str, form: Level, _: np.random.Generator) -> str:
    """All letters lower or upper, or every word with a capital."""
    if form == "title":
        return re.sub(r"(?<!\S)\w", lambda first: first[0].upper(), text.lower())
    return text.upper() if form == "upper" else text.lower()


def punctuation(text: str, form: Level, _: np.random.Generator) -> str:
    """Punctuation removed (white space in its place), or a full stop put at the end."""
    if form == "added":
        return f"{text.rstrip(' .')}."
    return re.sub(r"\s+", " ", re.sub(r"[^\w\s]", " ", text)).strip() or text


def abbreviated(text: str, words: Mapping[str, str]) -> str:
    """Long forms replaced by short ones, the longest first, whole words, whatever their case."""
    for long in sorted(words, key=len, reverse=True):
        short = words[long].replace("\\", r"\\")
        text = re.sub(rf"(?<!\w){re.escape(long)}(?!\w)", short, text, flags=re.IGNORECASE)
    return text


def word_order(text: str, _: Level, random: np.random.Generator) -> str:
    """Two neighbouring words, drawn by chance, change places."""
    words = text.split()
    if len(words) < 2:
        return text
    at = int(random.integers(len(words) - 1))
    words[at], words[at + 1] = words[at + 1], words[at]
    return " ".join(words)


def truncation(text: str, share: Level, _: np.random.Generator) -> str:
    """The first words, that share of them, at least one."""
    words = text.split()
    return " ".join(words[: max(1, round(float(share) * len(words)))]) if words else text


def padding(text: str, number: Level, random: np.random.Generator) -> str:
    """The text, and after it that many words about something else."""
    return f"{text} {filler(round(float(number)), random)}".strip()


def filler(number: int, random: np.random.Generator) -> str:
    """That many words about nothing in particular, from FILLER, starting anywhere in it."""
    words = " ".join(FILLER).split()
    start = int(random.integers(len(words)))
    return " ".join(words[(start + at) % len(words)] for at in range(number))


def _places(possible: list[int], rate: float, random: np.random.Generator, fewest: int) -> list[int]:
    """Places that are hit, ascending: ``rate`` of the possible ones on average, the fraction drawn by chance."""
    wanted = rate * len(possible)
    number = int(wanted) + int(random.random() < wanted % 1)
    number = min(len(possible), max(number, fewest))
    if number == 0:
        return []
    return sorted(int(at) for at in random.choice(possible, number, replace=False))


def _neighbours() -> dict[str, str]:
    """Each letter's neighbours on the keyboard."""
    places = {letter: (row, column) for row, letters in enumerate(ROWS) for column, letter in enumerate(letters)}
    return {
        letter: "".join(
            other
            for other, (below, beside) in places.items()
            if other != letter and abs(below - row) <= 1 and abs(beside - column) <= 1
        )
        for letter, (row, column) in places.items()
    }


NEIGHBOURS = _neighbours()


def _neighbour(letter: str, random: np.random.Generator) -> str:
    """A letter beside this one, in its case; any letter where the keyboard does not have it."""
    beside = NEIGHBOURS.get(letter.lower(), "".join(ROWS))
    found = beside[int(random.integers(len(beside)))]
    return found.upper() if letter.isupper() else found


LETTERWISE: dict[str, Callable[[str, float, np.random.Generator, int], str]] = {
    "typos": typos,
    "homoglyphs": homoglyphs,
}
OTHERS: dict[str, Callable[[str, Level, np.random.Generator], str]] = {
    "case": case,
    "punctuation": punctuation,
    "word-order": word_order,
    "truncation": truncation,
    "padding": padding,
}
PERTURBATIONS = (*LETTERWISE, *OTHERS, "abbreviations")
"""Names of all changes."""
