"""Dates of birth and medical record numbers: forms that count only after a word that says what they are."""

from __future__ import annotations

import re
from collections.abc import Iterator

from workbench.data.personal.detectors import Detector, Place

BIRTH = (
    r"\bd\.?o\.?b\b|\bborn\b|birth[ -]?(?:date|day)|date of birth|\bgeb(?:oren\w*|urtsdatum|urtstag|\b)|"
    r"\bn[eé]{1,2}e?s?(?:\(e\))? le\b|date de naissance|naissance|\bnacid[oa]s?\b|\bnaci[oó]\b|fecha de nacimiento|"
    r"nacimiento|f\. ?nac|\bnat[oa] (?:il|l')|data di nascita|\bnascit"
)
MONTHS = (
    "january february march april may june july august september october november december jan feb mar apr jun jul aug "
    "sept sep oct nov dec januar februar märz maerz mai juni juli oktober dezember jänner "
    "janvier février fevrier mars avril juin juillet août aout septembre octobre novembre décembre decembre "
    "enero febrero marzo abril mayo junio julio agosto septiembre setiembre octubre noviembre diciembre "
    "gennaio febbraio aprile maggio giugno luglio settembre ottobre dicembre"
)
MONTH = "|".join(sorted(set(MONTHS.split()), key=lambda word: (-len(word), word)))
DATE = re.compile(
    r"(?<![\w.])(?:(?P<a>\d{1,2})\s?[./\-]\s?(?P<b>\d{1,2})\s?[./\-]\s?(?P<y>\d{4}|\d{2})"
    r"|(?P<year>\d{4})[./\-](?P<c>\d{1,2})[./\-](?P<d>\d{1,2})"
    rf"|(?P<e>\d{{1,2}})(?:st|nd|rd|th|er|\.|º)?\s(?:of\s|de\s)?(?:{MONTH})\.?,?\s(?:de\s|del\s)?\d{{4}}"
    rf"|(?:{MONTH})\.?\s(?P<f>\d{{1,2}})(?:st|nd|rd|th)?,?\s\d{{4}})(?![\w])",
    re.IGNORECASE,
)
WORD_OF_BIRTH = re.compile(BIRTH, re.IGNORECASE)
REACH = 40
RECORD = (
    r"\bMRN\b|medical record|(?:patient|hospital|chart|case)[ -]?(?:id|no|number|nr)\b|"
    r"patient(?:en)?[ -]?(?:nummer|nr|id)|fall(?:nummer|[ -]?nr)|aufnahmenummer|aktenzeichen der klinik|"
    r"num[eé]ro de (?:dossier|patient)|n[°o] ?(?:de )?(?:dossier|patient)|dossier m[eé]dical|\bIPP\b|\bNDA\b|"
    r"historia cl[ií]nica|\bNHC\b|n[uú]mero de paciente|cartella clinica|numero di cartella"
)
WORD_OF_RECORD = re.compile(RECORD, re.IGNORECASE)
MEDICAL = re.compile(
    rf"(?:{RECORD})\.?(?:\s(?:no|number|nr|num[eé]ro|n[uú]mero|n)\b|\sn[°º])?"
    r"[ .:#°º=(]{0,4}(?:(?:is|lautet|est|es|è)\s)?"
    r"(?P<id>(?=[A-Za-z0-9/\-]*\d{3})[A-Za-z0-9](?:[A-Za-z0-9]|[/\-](?=[A-Za-z0-9])){3,19})(?!\w)",
    re.IGNORECASE,
)


def find_date_of_birth(text: str) -> Iterator[Place]:
    """Dates with a word of birth in the 40 characters before them."""
    for found in DATE.finditer(text):
        if not is_date(found):
            continue
        words = list(WORD_OF_BIRTH.finditer(text, max(0, found.start() - REACH), found.start()))
        if words and not DATE.search(text, words[-1].end(), found.start()):
            yield found.span()


def is_date(found: re.Match[str]) -> bool:
    """Whether day and month can be: in either order where both are digits."""
    part = {name: int(value) for name, value in found.groupdict().items() if value}
    if "year" in part:
        return 1 <= part["c"] <= 12 and 1 <= part["d"] <= 31 and 1850 <= part["year"] <= 2100
    if "a" in part:
        small, large = sorted((part["a"], part["b"]))
        return 1 <= small <= 12 and large <= 31 and (part["y"] < 100 or 1850 <= part["y"] <= 2100)
    return 1 <= part.get("e", part.get("f", 0)) <= 31


def find_medical_record(text: str) -> Iterator[Place]:
    """Identifiers with at least three digits in a row, right after a word for a record, patient or case number."""
    for found in MEDICAL.finditer(text):
        yield found.span("id")


DETECTORS = (
    Detector(
        "date_of_birth",
        r"(?i)(?:d\.?o\.?b|born|birth|geb|n[eé]{1,2}e?s?(?:\(e\))? le|naiss|naci|f\. ?nac|nat[oa] |nascit)[^\n]*\d",
        find_date_of_birth,
    ),
    Detector("medical_record", rf"(?i)(?:{RECORD})", find_medical_record),
)
