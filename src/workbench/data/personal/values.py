"""Invented personal data in the forms of four locales, with check digits that hold.

Ranges that authorities keep for examples are used where there are any: example.org, 555-01xx, Ofcom's, the
Bundesnetzagentur's and Arcep's numbers for films, NHS numbers from 999, test prefixes of cards, documentation networks.
Where there is none (SSN, NINO, Steuer-ID, NIR, DNI, Spanish telephones) digits are drawn at random and kept nowhere: a
value may belong to somebody by chance.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from workbench.data.personal import checksums, lists
from workbench.data.personal.naming import plain

Draw = Callable[[np.random.Generator, str], str]
LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
HOSTS = ("example.com", "example.org", "mail.example.net", "praxis.example", "a-b.example.com")
FILM_PHONES = {
    "en": (
        *("(212) 555-01##", "312-555-01##", "+1 404 555 01##", "415.555.01##", "1-617-555-01##", "+1 (206) 555-01##"),
        *("020 7946 0###", "07700 900###", "+44 7700 900###", "0161 496 0###", "01632 960###", "+44 (0)20 7946 0###"),
    ),
    "de": (
        *("030 23125 ###", "+49 30 23125 ###", "069 90009 ###", "040/66969-###", "(0221) 4710 ###", "0171 39200 ##"),
        *("+49 (0)89 99998 ###", "0049 40 66969 ###", "0171-39200##"),
    ),
    "fr": (
        *(
            "01 99 00 ## ##",
            "06 39 98 ## ##",
            "+33 6 39 98 ## ##",
            "02.61.91.##.##",
            "03-53-01-##-##",
            "+33639 98 ## ##",
        ),
        "0033 4 65 71 ## ##",
    ),
    "es": ("6## ### ###", "+34 6## ### ###", "6##-###-###", "9## ## ## ##", "0034 6## ## ## ##", "+346########"),
}
DATES = {
    "en": ("{m:02d}/{d:02d}/{y}", "{d} {month} {y}", "{month} {d}, {y}", "{y}-{m:02d}-{d:02d}", "{d:02d}/{m:02d}/{y}"),
    "de": ("{d:02d}.{m:02d}.{y}", "{d}. {month} {y}", "{d}.{m}.{y}", "{y}-{m:02d}-{d:02d}"),
    "fr": ("{d:02d}/{m:02d}/{y}", "{d} {month} {y}", "{d:02d}.{m:02d}.{y}", "{d:02d}-{m:02d}-{y}"),
    "es": ("{d:02d}/{m:02d}/{y}", "{d} de {month} de {y}", "{d:02d}-{m:02d}-{y}", "{d}/{m}/{y}"),
}
MONTHS = {
    "en": "January February March April May June July August September October November December",
    "de": "Januar Februar März April Mai Juni Juli August September Oktober November Dezember",
    "fr": "janvier février mars avril mai juin juillet août septembre octobre novembre décembre",
    "es": "enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre",
}
TITLES = {
    "en": ("Mr", "Mrs.", "Ms", "Dr.", "Prof."),
    "de": ("Herr", "Frau", "Herrn", "Dr.", "Frau Dr."),
    "fr": ("M.", "Mme", "Monsieur", "Madame", "Dr"),
    "es": ("Sr.", "Sra.", "Señor", "Doña", "Dr."),
}
IBANS = {"en": ("GB", 4, 14), "de": ("DE", 0, 18), "fr": ("FR", 0, 23), "es": ("ES", 0, 20)}


def one_of(rng: np.random.Generator, values: Sequence[str]) -> str:
    """One of several, drawn."""
    return values[int(rng.integers(len(values)))]


def digits(rng: np.random.Generator, form: str) -> str:
    """A form with a digit for each #."""
    return "".join(str(rng.integers(10)) if one == "#" else one for one in form)


def grouped(value: str, *sizes: int, by: str = " ") -> str:
    """A value cut into groups of these sizes."""
    at, parts = 0, []
    for size in sizes:
        parts.append(value[at : at + size])
        at += size
    return by.join(part for part in [*parts, value[at:]] if part)


def first_last(rng: np.random.Generator, locale: str) -> tuple[str, str]:
    """A first name and a surname of the lists."""
    return one_of(rng, lists.FIRST[locale].split()), one_of(rng, lists.LAST[locale].split())


def name(rng: np.random.Generator, locale: str) -> str:
    """A listed name in one of the ways in which names are written; capitals included, titles not."""
    first, last = first_last(rng, locale)
    second_first, second_last = first_last(rng, locale)
    ways = [f"{first} {last}"] * 3 + [f"{first} {one_of(rng, LETTERS)}. {last}", f"{last}, {first}"]
    ways += [f"{first} {last}".upper(), f"{first} {last}-{second_last}", f"{first} {second_first} {last}"]
    ways += [f"{first} {last} {second_last}"] * 2 if locale == "es" else []
    ways += [f"{first}-{second_first} {last}"] if locale in ("fr", "de") else []
    return one_of(rng, ways)


def email(rng: np.random.Generator, locale: str) -> str:
    """An address at a reserved host."""
    first, last = (plain(part).replace("'", "") for part in first_last(rng, locale))
    local = one_of(rng, [f"{first}.{last}", f"{first[0]}.{last}", f"{first}_{last}", f"{last}{rng.integers(99)}"])
    local = one_of(rng, [local, local, local.title(), f"{local}+lists", f"{first}-{last}"])
    return f"{local}@{one_of(rng, HOSTS)}"


def url_user(rng: np.random.Generator, locale: str) -> str:
    """A profile or a login, at a reserved host or with a name that shows that it is an example."""
    user = f"example-{plain(first_last(rng, locale)[0])}-{rng.integers(10_000, 99_999)}"
    forms: tuple[str, ...] = (
        "https://github.com/{}",
        "linkedin.com/in/{}",
        "https://www.facebook.com/{}",
        "https://example.org/users/{}",
    )
    forms += ("http://www.example.com/~{}", "https://social.example/@{}", "https://{}:secret@example.com/files")
    return one_of(rng, forms).format(user)


def phone(rng: np.random.Generator, locale: str) -> str:
    """A number kept for films, in one of its ways of writing."""
    return digits(rng, one_of(rng, FILM_PHONES[locale]))


def iban(rng: np.random.Generator, locale: str) -> str:
    """An IBAN of the locale's country."""
    country, letters, length = IBANS[locale]
    account = "".join(one_of(rng, LETTERS) for _ in range(letters)) + digits(rng, "#" * length)
    value = int("".join(str(int(each, 36)) for each in f"{account}{country}00"))
    whole = f"{country}{98 - value % 97:02d}{account}"
    return one_of(rng, [whole, grouped(whole, *[4] * 7), grouped(whole, *[4] * 7), whole.lower()])


def card(rng: np.random.Generator, _locale: str) -> str:
    """A card number with a test prefix."""
    start, length = [("400000", 16), ("555555", 16), ("378282", 15), ("601111", 16)][int(rng.integers(4))]
    front = start + digits(rng, "#" * (length - 7))
    last = next(digit for digit in "0123456789" if checksums.luhn(front + digit))
    sizes = (4, 6, 5) if length == 15 else (4, 4, 4, 4)
    return one_of(rng, [front + last, grouped(front + last, *sizes), grouped(front + last, *sizes, by="-")])


def date_of_birth(rng: np.random.Generator, locale: str) -> str:
    """A date between 1920 and 2015."""
    month = int(rng.integers(1, 13))
    form = one_of(rng, DATES[locale])
    named = MONTHS[locale].split()[month - 1]
    return form.format(d=int(rng.integers(1, 29)), m=month, y=int(rng.integers(1920, 2016)), month=named)


def medical_record(rng: np.random.Generator, _locale: str) -> str:
    """A record number."""
    return digits(rng, one_of(rng, ["######", "########", "A#######", "##-######", "2024/######", "KH######"]))


def ip_address(rng: np.random.Generator, _locale: str) -> str:
    """An address of the documentation networks, or a private one."""
    form = one_of(
        rng,
        [
            "192.0.2.{}",
            "198.51.100.{}",
            "203.0.113.{}",
            "10.20.30.{}",
            "2001:db8::{:x}",
            "2001:db8:85a3::8a2e:370:{:x}",
        ],
    )
    return form.format(int(rng.integers(1, 255)))


def us_ssn(rng: np.random.Generator, _locale: str) -> str:
    """A number in an issued range, divided by hyphens."""
    return f"{rng.integers(1, 666):03d}-{rng.integers(1, 100):02d}-{rng.integers(1, 10_000):04d}"


def gb_nhs(rng: np.random.Generator, _locale: str) -> str:
    """A number of the test range, from 999."""
    while True:
        value = digits(rng, "999#######")
        if checksums.nhs_number(value):
            return one_of(
                rng, [value, grouped(value, 3, 3, 4), grouped(value, 3, 3, 4), grouped(value, 3, 3, 4, by="-")]
            )


def gb_nino(rng: np.random.Generator, _locale: str) -> str:
    """Two letters that are issued, six digits, a letter."""
    value = one_of(rng, ["AB", "CE", "JG", "PW", "SN", "WM"]) + digits(rng, "######") + one_of(rng, "ABCD")
    return one_of(rng, [value, grouped(value, 2, 2, 2, 2, 1)])


def de_tax_id(rng: np.random.Generator, _locale: str) -> str:
    """Ten digits of which one stands twice, and the check digit."""
    while True:
        order = rng.permutation(10)[:9].tolist()
        order.insert(int(rng.integers(9)), order[int(rng.integers(9))])
        front = "".join(map(str, order))
        value = front + str(checksums.steuer_check(front))
        if checksums.steuer_id(value):
            return one_of(rng, [value, grouped(value, 2, 3, 3, 3)])


def de_kvnr(rng: np.random.Generator, _locale: str) -> str:
    """A letter, eight digits, the check digit."""
    front = one_of(rng, LETTERS) + digits(rng, "########")
    return next(front + digit for digit in "0123456789" if checksums.kvnr(front + digit))


def fr_nir(rng: np.random.Generator, _locale: str) -> str:
    """Sex, year, month, department, commune, order and the key."""
    place = one_of(rng, ["75", "13", "69", "2A", "2B", "33"])
    front = f"{rng.integers(1, 3)}{digits(rng, '##')}{rng.integers(1, 13):02d}{place}{digits(rng, '######')}"
    value = next(f"{front}{key:02d}" for key in range(1, 98) if checksums.nir(f"{front}{key:02d}"))
    return one_of(rng, [value, grouped(value, 1, 2, 2, 2, 3, 3, 2)])


def es_dni(rng: np.random.Generator, _locale: str) -> str:
    """A DNI or NIE with its letter."""
    front = one_of(rng, ["", "X", "Y", "Z"])
    number = digits(rng, "#" * (8 - len(front)))
    letter = next(one for one in checksums.DNI_LETTERS if checksums.dni(front + number + one))
    dotted = f"{number[:2]}.{number[2:5]}.{number[5:]}-{letter}" if not front else f"{front}-{number}-{letter}"
    return one_of(rng, [front + number + letter, dotted])


def it_codice_fiscale(rng: np.random.Generator, _locale: str) -> str:
    """Three consonants twice, a date, a place, the check letter."""
    consonants = "BCDFGLMNPRSTV"
    front = "".join(one_of(rng, consonants) for _ in range(6)) + digits(rng, "##") + one_of(rng, "ABCDEHLMPRST")
    front += f"{rng.integers(1, 29):02d}{one_of(rng, 'ABCDEFGHIL')}{digits(rng, '###')}"
    return front + checksums.codice_check(front)


def nl_bsn(rng: np.random.Generator, _locale: str) -> str:
    """Nine digits that pass the eleven test."""
    while True:
        value = digits(rng, "#########")
        if checksums.bsn(value):
            return value


DRAWN: dict[str, Draw] = {
    function.__name__: function
    for function in (
        *(name, email, url_user, phone, iban, card, date_of_birth, medical_record, ip_address, us_ssn, gb_nhs, gb_nino),
        *(de_tax_id, de_kvnr, fr_nir, es_dni, it_codice_fiscale, nl_bsn),
    )
}
"""How a value of each type is drawn."""
