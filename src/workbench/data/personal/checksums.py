"""Check digits of identifiers: pure functions of the bare characters, without spaces and hyphens.

Each says whether the characters could have been issued, not that they were.
"""

from __future__ import annotations

DNI_LETTERS = "TRWAGMYFPDXBNJZSQVHLCKE"
ODD = (1, 0, 5, 7, 9, 13, 15, 17, 19, 21)
ODD_PLACES = dict(
    zip(
        "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ",
        [*ODD, *ODD, 2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24, 23],
        strict=True,
    )
)
"""What a character at an odd place of a codice fiscale counts (decree of 23 December 1976)."""
IBAN_LENGTHS = {
    **{"AD": 24, "AE": 23, "AL": 28, "AT": 20, "AZ": 28, "BA": 20, "BE": 16, "BG": 22, "BH": 22, "BR": 29, "CH": 21},
    **{"CR": 22, "CY": 28, "CZ": 24, "DE": 22, "DK": 18, "DO": 28, "EE": 20, "EG": 29, "ES": 24, "FI": 18, "FO": 18},
    **{"FR": 27, "GB": 22, "GE": 22, "GI": 23, "GL": 18, "GR": 27, "GT": 28, "HR": 21, "HU": 28, "IE": 22, "IL": 23},
    **{"IS": 26, "IT": 27, "JO": 30, "KW": 30, "KZ": 20, "LB": 28, "LI": 21, "LT": 20, "LU": 20, "LV": 21, "MC": 27},
    **{"MD": 24, "ME": 22, "MK": 19, "MR": 27, "MT": 31, "MU": 30, "NL": 18, "NO": 15, "PK": 24, "PL": 28, "PS": 29},
    **{"PT": 25, "QA": 29, "RO": 24, "RS": 22, "SA": 24, "SE": 24, "SI": 19, "SK": 24, "SM": 27, "TN": 24, "TR": 26},
    **{"UA": 29, "VA": 22, "VG": 24, "XK": 20},
}
"""Characters of an IBAN by country (SWIFT's registry)."""


def luhn(digits: str) -> bool:
    """Whether the last digit is the check digit of the others (Luhn, 1954)."""
    doubled = [int(digit) * 2 for digit in digits[-2::-2]]
    total = sum(int(digit) for digit in digits[-1::-2]) + sum(value - 9 if value > 9 else value for value in doubled)
    return total % 10 == 0


def iban(characters: str) -> bool:
    """Whether an IBAN, in capitals, has its country's length and remainder 1 modulo 97 (ISO 13616, ISO 7064)."""
    if len(characters) != IBAN_LENGTHS.get(characters[:2]):
        return False
    return int("".join(str(int(one, 36)) for one in characters[4:] + characters[:4])) % 97 == 1


def nhs_number(digits: str) -> bool:
    """Whether the tenth digit of an NHS number is its check digit (weights 10 to 2, modulo 11)."""
    check = -weighted(digits[:9], range(10, 1, -1)) % 11
    return check != 10 and check == int(digits[9])


def bsn(digits: str) -> bool:
    """Whether nine digits pass the Dutch eleven test (weights 9 to 2, the last one minus 1)."""
    return int(digits) > 0 and weighted(digits, [*range(9, 1, -1), -1]) % 11 == 0


def steuer_id(digits: str) -> bool:
    """Whether 11 digits can be a German Steuer-ID: form of the first ten, then ISO 7064 mod 11,10."""
    first = digits[:10]
    counts = sorted((first.count(digit) for digit in set(first)), reverse=True)
    if digits[0] == "0" or counts[0] not in (2, 3) or counts[1:2] != [1]:
        return False
    if any(digit * 3 in first for digit in set(first)):
        return False
    return steuer_check(first) == int(digits[10])


def steuer_check(digits: str) -> int:
    """The check digit of ISO 7064 mod 11,10."""
    product = 10
    for digit in digits:
        product = ((int(digit) + product) % 10 or 10) * 2 % 11
    return (11 - product) % 10


def kvnr(characters: str) -> bool:
    """Whether a letter and nine digits are a German health insurance number (weights 1, 2, cross sums, modulo 10)."""
    digits = f"{ord(characters[0]) - 64:02d}{characters[1:9]}"
    products = (int(digit) * (1 + at % 2) for at, digit in enumerate(digits))
    return sum(value - 9 if value > 9 else value for value in products) % 10 == int(characters[9])


def nir(characters: str) -> bool:
    """Whether a French NIR's two last digits are its key: 97 less the number modulo 97 (2A is 19, 2B is 18)."""
    number = characters[:13].replace("2A", "19", 1) if characters[5:7] == "2A" else characters[:13]
    number = number.replace("2B", "18", 1) if characters[5:7] == "2B" else number
    return number.isdigit() and 97 - int(number) % 97 == int(characters[13:])


def dni(characters: str) -> bool:
    """Whether the letter of a Spanish DNI or NIE is that of its number modulo 23."""
    number = characters[:-1].translate(str.maketrans("XYZ", "012"))
    return DNI_LETTERS[int(number) % 23] == characters[-1]


def codice_fiscale(characters: str) -> bool:
    """Whether the last letter of an Italian codice fiscale is the check of the 15 before it."""
    return codice_check(characters[:15]) == characters[15]


def codice_check(characters: str) -> str:
    """The check letter of 15 characters."""
    odd = sum(ODD_PLACES[one] for one in characters[::2])
    even = sum(int(one, 36) if one.isdigit() else ord(one) - 65 for one in characters[1::2])
    return chr(65 + (odd + even) % 26)


def weighted(digits: str, weights: range | list[int]) -> int:
    """The sum of digits times weights."""
    return sum(int(digit) * weight for digit, weight in zip(digits, weights, strict=True))
