"""Accounts, cards and national identifiers: found by form, kept where the check digits agree.

Where a check lets through one number in eleven (NHS, BSN), or there is none and the digits stand undivided (SSN), a
word before the number has to say what it is.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from workbench.data.personal import checksums
from workbench.data.personal.detectors import Detector, Place, bare, before, checked

ALONE, END = r"(?<![\w.,+\-/#])", r"(?![\w]|[.,\-/]\w)"
CARDS = (
    (re.compile(r"4"), {13, 16, 19}),
    (re.compile(r"5[1-5]|222[1-9]|22[3-9]|2[3-6]|27[01]|2720"), {16}),
    (re.compile(r"3[47]"), {15}),
    (re.compile(r"6011|64[4-9]|65|62"), {16, 17, 18, 19}),
    (re.compile(r"30[0-5]|36|38"), {14}),
    (re.compile(r"35(2[89]|[3-8])"), {16}),
    (re.compile(r"5018|5020|5038|6304|6759|676[123]"), {13, 14, 15, 16, 17, 18, 19}),
)
"""Prefixes and lengths: Visa, Mastercard, American Express, Discover and UnionPay, Diners, JCB, Maestro."""
NHS_WORDS = re.compile(r"\bNHS\b|health service", re.IGNORECASE)
BSN_WORDS = re.compile(r"\bBSN\b|burgerservice|sofi-?nummer", re.IGNORECASE)
SSN_WORDS = re.compile(r"\bSSN\b|social security|\bsoc\.? sec", re.IGNORECASE)
IBAN = re.compile(r"(?<![A-Za-z0-9])[A-Za-z]{2}\d{2}(?=[ \-]?[A-Za-z0-9])")
SSN = re.compile(rf"{ALONE}(\d{{3}})([- ]?)(\d{{2}})\2(\d{{4}}){END}")


def find_iban(text: str) -> Iterator[Place]:
    """IBANs with or without spaces, cut at their country's length."""
    for head in IBAN.finditer(text):
        length = checksums.IBAN_LENGTHS.get(head.group()[:2].upper())
        end = walked(text, head.start(), length) if length else None
        if end is not None and checksums.iban(bare(text[head.start() : end])):
            yield head.start(), end


def walked(text: str, start: int, length: int) -> int | None:
    """Where a number of letters and digits ends, single spaces and hyphens left out; ``None`` if they do not."""
    at, counted = start, 0
    while at < len(text) and counted < length:
        one = text[at]
        if one.isascii() and one.isalnum():
            counted += 1
        elif one not in " -\u00a0" or text[at - 1] in " -\u00a0":
            return None
        at += 1
    whole = counted == length and not (at < len(text) and text[at].isalnum())
    return at if whole else None


def is_card(digits: str) -> bool:
    """Whether a number has the prefix and length of a card scheme, Luhn's check digit, and more than one digit."""
    fits = any(prefix.match(digits) and len(digits) in lengths for prefix, lengths in CARDS)
    return fits and len(set(digits)) > 1 and checksums.luhn(digits)


def find_nhs(text: str) -> Iterator[Place]:
    """NHS numbers beside their name."""
    for place in NHS(text):
        if before(text, place[0], NHS_WORDS):
            yield place


def find_bsn(text: str) -> Iterator[Place]:
    """Dutch numbers beside their name."""
    for place in BSN(text):
        if before(text, place[0], BSN_WORDS):
            yield place


def find_ssn(text: str) -> Iterator[Place]:
    """US Social Security numbers: ranges that are issued, divided or beside their name."""
    for found in SSN.finditer(text):
        area, divided, group, serial = found.groups()
        issued = area not in ("000", "666") and area < "900" and group != "00" and serial != "0000"
        if issued and (divided == "-" or before(text, found.start(), SSN_WORDS)):
            yield found.span()


def is_nir(characters: str) -> bool:
    """Whether 15 characters are a NIR: a month that occurs, and the key."""
    month = int(characters[3:5])
    return (1 <= month <= 12 or 20 <= month <= 42 or month >= 50) and checksums.nir(characters)


NHS = checked(rf"{ALONE}\d{{3}}[ -]?\d{{3}}[ -]?\d{{4}}{END}", checksums.nhs_number)
BSN = checked(rf"{ALONE}\d{{9}}{END}|{ALONE}\d{{4}}[. ]\d{{2}}[. ]\d{{3}}{END}", checksums.bsn)
NIR = (
    rf"(?i){ALONE}[123478][ .-]?\d{{2}}[ .-]?\d{{2}}[ .-]?(?:\d{{2}}|2[AB])[ .-]?\d{{3}}[ .-]?\d{{3}}"
    rf"[ ./-]{{0,3}}\d{{2}}{END}"
)
FISCAL = r"[0-9LMNPQRSTUV]"
CODICE = rf"(?i)\b[A-Z]{{3}} ?[A-Z]{{3}} ?{FISCAL}{{2}}[ABCDEHLMPRST]{FISCAL}{{2}} ?[A-Z]{FISCAL}{{3}} ?[A-Z]\b"
DNI = rf"(?i){ALONE}(?:\d{{8}}|\d{{2}}\.\d{{3}}\.\d{{3}}|[XYZ][ -]?\d{{7}})[ -]?[A-HJ-NP-TV-Z](?![\w])"
NINO = r"(?i)\b(?!BG|GB|KN|NK|NT|TN|ZZ)[ABCEGHJ-PRSTW-Z][ABCEGHJ-NPRSTW-Z] ?\d{2} ?\d{2} ?\d{2} ?[A-D]\b"
STEUER = rf"{ALONE}[1-9]\d[ ]?\d{{3}}[ ]?\d{{3}}[ ]?\d{{3}}{END}"
DETECTORS = (
    Detector("iban", r"(?i)[a-z]{2}\d{2}[ -]?[a-z0-9]", find_iban),
    Detector("card", r"(\d[ -]?){12}\d", checked(rf"{ALONE}\d(?:[ -]?\d){{12,18}}{END}", is_card)),
    Detector("fr_nir", r"[123478][ .-]?\d{2}[ .-]?\d{2}[ .-]?[0-9][0-9ABab]", checked(NIR, is_nir)),
    Detector(
        "it_codice_fiscale", r"(?i)[a-z]{3} ?[a-z]{3} ?[0-9l-v]{2}[a-t]", checked(CODICE, checksums.codice_fiscale)
    ),
    Detector("es_dni", r"(?i)\d{3}\.?\d{3}[ -]?[a-z]|[xyz][ -]?\d{7}", checked(DNI, checksums.dni)),
    Detector("de_kvnr", r"[A-Z]\d{9}", checked(r"\b[A-Z]\d{9}\b", checksums.kvnr)),
    Detector("de_tax_id", r"\d{2} ?\d{3} ?\d{3} ?\d{3}", checked(STEUER, checksums.steuer_id)),
    Detector("gb_nhs", r"\d{3}[ -]?\d{3}[ -]?\d{4}", find_nhs),
    Detector("nl_bsn", r"\d{9}|\d{4}[. ]\d{2}[. ]\d{3}", find_bsn),
    Detector("gb_nino", r"(?i)[a-z]{2} ?\d{2} ?\d{2} ?\d{2} ?[a-d]", checked(NINO, lambda _: True)),
    Detector("us_ssn", r"\d{3}[- ]?\d{2}[- ]?\d{4}", find_ssn),
)
