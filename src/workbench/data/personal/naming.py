"""Names of people: a listed first name with a listed surname, or capitalised words after a title.

Names are compared without accents and case, and have to be capitalised in the text. A first name or surname alone
is not taken for a person: too many are words, places and products.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path

from workbench.data.personal import lists
from workbench.data.personal.detectors import LOWER, UPPER, Detector, Place

PART = rf"[{UPPER}](?:['’][{UPPER}])?(?:(?:(?!['’]s\b)[{LOWER}'’])+(?:[{UPPER}][{LOWER}]+)?|[{UPPER}'’]+)"
WORD = re.compile(rf"(?<!\w)(?:{PART}(?:-{PART})*|[{UPPER}](?=[. ]))(?!\w)")
PARTICLE = (
    r"(?:(?:von|van|vom|zu|de|del|der|den|des|la|las|los|le|du|di|da|dos|y|e|ter|ten|bin|al|el|d'|d’)[ \u00a0]*){1,3}"
)
GAP = re.compile(rf"\.?[ \u00a0]{{1,2}}(?:{PARTICLE})?", re.IGNORECASE)
COMMA = re.compile(r",[ \u00a0]?")
TITLES = (
    r"Mr|Mrs|Ms|Miss|Mx|Dr|Prof|Professor|Sir|Dame|Herrn|Herr|Frau|Fräulein|Mme|Mlle|Monsieur|Madame|Mademoiselle|M|"
    r"Sra|Srta|Sr|Señora|Señorita|Señor|Doña|Don|Dra|Sig|Sig\.ra|Signora|Signor|Dott|Dottoressa|Dottor|Dhr|Mevr|Mevrouw"
)
TITLED = re.compile(
    rf"(?<![\w.&])(?:{TITLES})\.?[ \u00a0](?:(?:Dr|Prof|Dra|med|h\.c)\.?[ \u00a0]){{0,2}}"
    rf"(?P<name>(?:[{UPPER}]\.[ \u00a0]?){{0,2}}(?:{PARTICLE})?{PART}(?:-{PART})*"
    rf"(?:[ \u00a0](?:{PARTICLE})?(?:[{UPPER}]\.[ \u00a0])?{PART}(?:-{PART})*){{0,2}})(?!\w)"
)
INITIAL = re.compile(r"M\.[ \u00a0]")
AFTER_A_NAME = re.compile(rf"[{UPPER}](?:[{LOWER}]+|[{UPPER}]+|\.)[ \u00a0]$")
"""What stands before an M. that is an initial."""


@dataclass(frozen=True)
class Names:
    """First names and surnames, without accents and in lower case.

    Attributes:
        first: First names.
        last: Surnames.
        source: Where they come from, in words.
    """

    first: frozenset[str]
    last: frozenset[str]
    source: str


@cache
def plain(word: str) -> str:
    """A word without accents, in lower case, with a straight apostrophe."""
    parts = unicodedata.normalize("NFKD", word.replace("’", "'"))
    return "".join(one for one in parts if not unicodedata.combining(one)).casefold()


@cache
def own_names() -> Names:
    """The lists that come with this package."""
    first = frozenset(plain(word) for group in lists.FIRST.values() for word in group.split())
    last = frozenset(plain(word) for group in lists.LAST.values() for word in group.split())
    return Names(first, last, f"own lists ({len(first)} first names, {len(last)} surnames of four locales)")


@cache
def census_names() -> Names | None:
    """The own lists and those of the package ``names`` (US Census of 1990); ``None`` where it is not installed."""
    found = find_spec("names")
    if found is None or found.origin is None:
        return None
    folder = Path(found.origin).parent
    read = {name: _census(folder / f"dist.{name}") for name in ("male.first", "female.first", "all.last")}
    if not all(read.values()):
        return None
    first = ((read["male.first"] | read["female.first"]) - lists.NO_FIRST) | own_names().first
    last = (read["all.last"] - lists.NO_LAST) | own_names().last
    about = f"names {names_version()}: US Census 1990, in all {len(first):,} first names, {len(last):,} surnames"
    return Names(frozenset(first), frozenset(last), f"{own_names().source}; {about}")


def names_version() -> str | None:
    """Version of the package ``names``; ``None`` where it is not installed."""
    try:
        return version("names")
    except PackageNotFoundError:
        return None


def _census(file: Path) -> frozenset[str]:
    """The first word of each line; empty where the file is missing."""
    if not file.is_file():
        return frozenset()
    return frozenset(line.split()[0].lower() for line in file.read_text(encoding="ascii").splitlines() if line.strip())


def detector(names: Names) -> Detector:
    """What finds these names, and words after a title."""

    def find(text: str) -> Iterator[Place]:
        yield from titled(text)
        yield from listed(text, names)

    return Detector("name", r"(?s)\p{Lu}.*[ .,'’\x{00a0}]\p{Lu}", find)


def titled(text: str) -> Iterator[Place]:
    """One to three capitalised words after a title, without the title."""
    for found in TITLED.finditer(text):
        if INITIAL.match(text, found.start()) and AFTER_A_NAME.search(text, max(0, found.start() - 30), found.start()):
            continue
        words = re.split(r"[ \u00a0]", found["name"])
        while words and plain(words[-1]) in lists.NO_NAMES:
            words.pop()
        if words and plain(words[0]) not in lists.NO_NAMES | lists.TITLE_FOLLOWERS:
            yield found.start("name"), found.start("name") + len(" ".join(words))


def listed(text: str, names: Names) -> Iterator[Place]:
    """Listed first names followed by a listed surname, or a listed surname, a comma and a listed first name."""
    words = [(found.start(), found.end(), found.group()) for found in WORD.finditer(text)]
    at = 0
    while at < len(words) - 1:
        last = person(text, words, at, names) or reversed_person(text, words, at, names)
        if last is None:
            at += 1
        else:
            yield words[at][0], words[last][1]
            at = last + 1


def person(text: str, words: list[tuple[int, int, str]], at: int, names: Names) -> int | None:
    """Index of the last word of a name that begins at a word, or ``None``."""
    if not all(part in names.first for part in plain(words[at][2]).split("-")):
        return None
    following = at + 1
    while joined(text, words, following):
        word = words[following][2]
        if is_surname(word, names):
            double = joined(text, words, following + 1) and is_surname(words[following + 1][2], names)
            return following + double
        if len(word) > 1 and plain(word) not in names.first and following > at:
            return None
        following += 1
    return None


def joined(text: str, words: list[tuple[int, int, str]], at: int) -> bool:
    """Whether a word follows the one before it in a name: by a space, particles, or the point of an initial."""
    if at >= len(words):
        return False
    _, end, last = words[at - 1]
    gap = GAP.fullmatch(text, end, words[at][0])
    return gap is not None and (len(last) == 1 or not gap.group().startswith("."))


def reversed_person(text: str, words: list[tuple[int, int, str]], at: int, names: Names) -> int | None:
    """Index of the first name after a surname and a comma, or ``None``."""
    (_, end, word), (start, _, first) = words[at], words[at + 1]
    alike = len(first) > 2 and (word.isupper() or not first.isupper())
    fits = alike and COMMA.fullmatch(text, end, start) and is_surname(word, names) and plain(first) in names.first
    return at + 1 if fits else None


def is_surname(word: str, names: Names) -> bool:
    """Whether a word, or a part of one with hyphens, is a listed surname."""
    whole = plain(word)
    return len(word) > 1 and (
        whole in names.last or any(part in names.last for part in whole.split("-") if "-" in whole)
    )
