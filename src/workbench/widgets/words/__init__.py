"""Every word that a widget shows, in every language that is shipped.

A language is a folder of JSON files beside this one, so that a class can translate them without reading code: each
file maps a key to a text whose ``{names}`` are filled in. The files of a language's folder ``sentences`` map what the
rooms below say (English templates with ``{names}``) to that language, and ``fields.json`` the titles and descriptions
of a recipe's fields.
"""

from __future__ import annotations

import locale
import os
import re
import unicodedata
from collections.abc import Mapping
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

from workbench import storage

FOLDER = Path(__file__).resolve().parent
ENGLISH = "en"
NUMBER = r"-?\d[\d,.]*"


def languages() -> list[str]:
    """Languages that are shipped, as ISO 639 codes."""
    return sorted(folder.name for folder in FOLDER.iterdir() if (folder / "panel.json").is_file())


def spoken() -> str:
    """The language of this machine's locale where it is shipped, else English."""
    named = next((os.environ[name] for name in ("LC_ALL", "LC_MESSAGES", "LANG") if os.environ.get(name)), "")
    code = (named or locale.getlocale()[0] or "").split("_")[0].split(".")[0].lower()
    return code if code in languages() else ENGLISH


class Words:
    """The words of one language."""

    def __init__(self, language: str | None = None) -> None:
        """Choose a language.

        Args:
            language: ISO 639 code of a shipped language; the locale's when ``None``, English where that is not shipped.

        Raises:
            ValueError: No such language is shipped.
        """
        self.language = spoken() if language is None else language
        if self.language not in languages():
            raise ValueError(f"language must be one of {', '.join(languages())}, not {language!r}")

    def __call__(self, key: str, **values: Any) -> str:
        """The text of a key, its ``{names}`` filled in.

        Raises:
            KeyError: There is no such key, or a name is missing.
        """
        return self.texts[key].format(**values)

    @cached_property
    def texts(self) -> dict[str, str]:
        """Key to text."""
        return texts(self.language)

    @cached_property
    def fields(self) -> dict[str, dict[str, str]]:
        """Dotted path of a recipe's field to its ``title`` and ``description``; empty in English."""
        return _read(self.language, "fields.json")

    def number(self, value: float) -> str:
        """A number with its thousands set apart as the language does; decimals keep the point of files and code."""
        return f"{value:,}".replace(",", _group_symbol(self.language))

    def countries(self, english: Mapping[str, str]) -> list[tuple[str, str]]:
        """Name and code of countries, as options in the order of their names; names are those of Unicode's CLDR.

        Args:
            english: ISO 3166 code of three letters to the English name, which stands where CLDR has none.
        """
        named = dict(english)
        if self.language != ENGLISH:
            from babel import Locale
            from babel.core import get_global

            short, told = get_global("territory_aliases"), Locale(self.language).territories
            named = {code: told.get(short.get(code, [""])[0], name) for code, name in english.items()}
        ordered = sorted(named, key=lambda code: unicodedata.normalize("NFKD", named[code]))
        return [(f"{named[code]} ({code})", code) for code in ordered]

    @cached_property
    def _patterns(self) -> list[tuple[re.Pattern[str], str]]:
        found = sentences(self.language)
        return [(pattern(english), text) for english, text in sorted(found.items(), key=lambda one: -len(one[0]))]

    def sentence(self, english: str) -> str:
        """What the rooms below said, in this language; as it is where it is not known.

        Args:
            english: A sentence, or several with one space between.
        """
        if self.language == ENGLISH or not english:
            return english
        first, split, rest = _first_sentence(english)
        if rest and self.knows(first) and self.knows(rest):
            return f"{self.sentence(first)}{split}{self.sentence(rest)}"
        for known, text in self._patterns:
            found = known.fullmatch(english)
            if found is not None:
                said = {name: self._said(value) for name, value in found.groupdict().items()}
                return text.format(**said)
        return f"{self.sentence(first)}{split}{self.sentence(rest)}" if rest else english

    def _said(self, english: str) -> str:
        whole = re.fullmatch(r"-?\d{1,3}(,\d{3})+", english)
        return self.number(int(english.replace(",", ""))) if whole else self.sentence(english)

    def knows(self, english: str) -> bool:
        """Whether a sentence of the rooms below has a translation (English needs none)."""
        if self.language == ENGLISH or not english:
            return True
        if any(known.fullmatch(english) for known, _ in self._patterns):
            return True
        first, _, rest = _first_sentence(english)
        return bool(rest) and self.knows(first) and self.knows(rest)


@lru_cache
def texts(language: str) -> dict[str, str]:
    """Key to text of a language, from every file but ``fields.json``.

    Raises:
        ValueError: A key stands in two files.
    """
    found: dict[str, str] = {}
    for file in sorted((FOLDER / language).glob("*.json")):
        if file.name == "fields.json":
            continue
        values = storage.read_json(file)
        twice = sorted(set(found) & set(values))
        if twice:
            raise ValueError(f"{file.name} repeats {', '.join(twice)}")
        found |= values
    return found


@lru_cache
def sentences(language: str) -> dict[str, str]:
    """English template of the rooms below to that of a language."""
    found: dict[str, str] = {}
    for file in sorted((FOLDER / language / "sentences").glob("*.json")):
        found |= storage.read_json(file)
    return found


def pattern(template: str) -> re.Pattern[str]:
    """What matches the texts that a template with ``{names}`` makes; a name that begins with n is a number."""
    parts = re.split(r"\{(\w+)\}", template)
    seen: set[str] = set()
    made = ""
    for place, part in enumerate(parts):
        if place % 2 == 0:
            made += re.escape(part)
        elif part in seen:
            made += f"(?P={part})"
        else:
            seen.add(part)
            made += f"(?P<{part}>{NUMBER})" if re.fullmatch(r"n\d*", part) else f"(?P<{part}>.+?)"
    return re.compile(made, re.DOTALL)


def _first_sentence(english: str) -> tuple[str, str, str]:
    """The text up to the first full stop that ends a sentence, the space, the rest."""
    found = re.search(r"(?<=[.!?])\s+(?=[A-Z0-9'])", english)
    if found is None:
        return english, "", ""
    return english[: found.start()], found.group(), english[found.end() :]


@lru_cache
def _group_symbol(language: str) -> str:
    if language == ENGLISH:
        return ","
    from babel.numbers import get_group_symbol

    return str(get_group_symbol(language))


@lru_cache
def _read(language: str, name: str) -> dict[str, Any]:
    file = FOLDER / language / name
    return dict(storage.read_json(file)) if file.is_file() else {}
