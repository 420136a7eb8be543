"""Telephone numbers: own patterns, and for countries that are named what ``phonenumbers`` finds (extra ``personal``).

Own patterns know how numbers are written in the US, the UK, Germany, France, Spain and Italy, and the international
form. A number without +, 00, brackets or separators counts only after a word such as “tel” or “phone”. National forms
of other countries are found only by the library, and only where the country is named: each one takes time and brings
numbers that are no telephone numbers.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from importlib.metadata import version

from workbench.data.personal.detectors import Detector, Place, bare, before
from workbench.errors import MissingExtraError

ALONE, END = r"(?<![\w.,+\-/(#])(?<!\d[ .\-/])", r"(?![\w]|[.,\-/]\d)"
WORDS = re.compile(
    r"\b(?:tel|tel[eé](?:f|ph)\w*|tél\w*|fono|fon|phone\w*|mobile?s?|handy\w*|cell|cellphone|call|calls|called|ring|rang"
    r"|fax|portable|m[oó]vil\w*|cellulare|whatsapp|sms|appel\w*|\w*rufen|ruf|rufnummer\w*|llam\w*|ll[aá]me\w*|reach(?:ed)?)\b",
    re.IGNORECASE,
)
INTERNATIONAL = re.compile(
    r"(?<![\w+.])(?:\+|\(\+|(?<!\d[ .\-/])00(?=[1-9]))[1-9]\d{0,2}\)?(?:[ .\-/()\u00a0]{0,3}\d){6,13}(?!\d|:\d)"
)
NORTH_AMERICAN = re.compile(
    rf"{ALONE}(?:1[ .\-])?[2-9]\d{{2}}([ .\-])[2-9]\d{{2}}\1\d{{4}}{END}"
    r"|(?<!\w)(?:1[ .\-])?\([2-9]\d{2}\)[ .\-]?[2-9]\d{2}[ .\-]\d{4}(?![\w]|[.\-]\d)"
)
TRUNK = re.compile(rf"(?<![\w.,+\-/#])(?<!\d[ .\-/])\(?0[1-9]\d{{0,4}}\)?(?:[ /.\-\u00a0]{{0,3}}\d{{2,8}}){{1,5}}{END}")
SPANISH = re.compile(rf"{ALONE}[6789]\d{{2}}(?:([ .\-])\d{{3}}\1\d{{3}}|([ .\-])\d{{2}}\2\d{{2}}\2\d{{2}}){END}")
ITALIAN = re.compile(rf"{ALONE}3[2-9]\d[ .\-/]\d{{3}}[ .\-]?\d{{3,4}}{END}")
AFTER_A_WORD = re.compile(rf"{ALONE}\d(?:[ .\-/]?\d){{6,13}}{END}")
ZIP = re.compile(r"\d{5}-\d{4}")
DATE = re.compile(r"\(?\d{1,2}([./\-])\d{1,2}\1(?:(?:19|20)\d{2}|\d{2})(?!\d|\1)")


def find_phone(text: str) -> Iterator[Place]:
    """Telephone numbers by the own patterns."""
    taken: list[Place] = []
    for pattern in (INTERNATIONAL, NORTH_AMERICAN, TRUNK, SPANISH, ITALIAN, AFTER_A_WORD):
        for found in pattern.finditer(text):
            start, end = found.span()
            overlaps = any(one < end and start < other for one, other in taken)
            if not overlaps and plausible(text, start, end, pattern):
                taken.append((start, end))
                yield start, end


def plausible(text: str, start: int, end: int, pattern: re.Pattern[str]) -> bool:
    """Whether a place may be a number rather than a date, a sum or a key."""
    value = text[start:end]
    digits = sum(one.isdigit() for one in value)
    if DATE.match(value) or not 7 <= digits <= 15:
        return False
    if pattern is AFTER_A_WORD:
        return before(text, start, WORDS, 30)
    if pattern is TRUNK:
        divided = len(bare(value)) < len(value) and not ZIP.fullmatch(value)
        return 8 <= digits <= 13 and ((divided and digits >= 9) or before(text, start, WORDS, 30))
    return True


def by_library(regions: Sequence[str]) -> Detector:
    """What finds numbers that ``phonenumbers`` holds for valid when dialled in one of some countries.

    Args:
        regions: Two letters each, as in ISO 3166: NL, PL.

    Raises:
        MissingExtraError: The library is not installed.
        ValueError: If a country is not known to it.
    """
    try:
        import phonenumbers
    except ImportError as error:
        raise MissingExtraError("personal", "telephone numbers in the national form of a named country") from error
    unknown = sorted(set(regions) - phonenumbers.SUPPORTED_REGIONS)
    if unknown:
        raise ValueError(f"unknown countries {', '.join(unknown)}; two capital letters such as NL would be right")

    def find(text: str) -> Iterator[Place]:
        for region in regions:
            for match in phonenumbers.PhoneNumberMatcher(text, region):
                if not DATE.match(match.raw_string):
                    yield match.start, match.end

    return Detector("phone", GATE, find)


def library_version() -> str:
    """Version of ``phonenumbers``, which has to be installed."""
    return version("phonenumbers")


GATE = r"(\d[ .\-/()\x{00a0}]{0,3}){6}\d"
CORE = Detector("phone", GATE, find_phone)
