"""The types of personal data that are looked for, how each one is recognised, and what none of them covers."""

from __future__ import annotations

from dataclasses import asdict, dataclass


@dataclass(frozen=True)
class Kind:
    """A type of personal data.

    Attributes:
        name: In tables and metrics.
        called: In a sentence, in the plural.
        basis: ``checksum``: its own check digits must agree; ``format``: its form alone, no check digit exists;
            ``context``: a form that counts only beside certain words; ``list``: words of a list.
        about: How it is recognised, in a sentence.
    """

    name: str
    called: str
    basis: str
    about: str

    @property
    def structured(self) -> bool:
        """Whether it has a form of its own, unlike a name."""
        return self.basis != "list"

    def to_json(self) -> dict[str, str]:
        """Plain values for the settings of a check."""
        return asdict(self)


KINDS = (
    Kind(
        "url_user",
        "web addresses that name a user",
        "format",
        "a login in the address, or the path of a profile (/users/NAME, /~NAME, linkedin.com/in/NAME …)",
    ),
    Kind("email", "e-mail addresses", "format", "local part, @, host name with a top-level domain"),
    Kind("iban", "IBANs", "checksum", "length of its country and remainder 1 modulo 97 (ISO 13616)"),
    Kind("card", "payment card numbers", "checksum", "prefix and length of a card scheme and Luhn's check digit"),
    Kind(
        "fr_nir",
        "French social security numbers (NIR)",
        "checksum",
        "13 characters of their form and the key modulo 97; not without the key",
    ),
    Kind("it_codice_fiscale", "Italian tax codes", "checksum", "16 characters of their form and the last one's check"),
    Kind("es_dni", "Spanish identity numbers (DNI, NIE)", "checksum", "8 characters and the letter modulo 23"),
    Kind("de_kvnr", "German health insurance numbers", "checksum", "a letter, 8 digits and their check digit"),
    Kind(
        "de_tax_id",
        "German tax numbers (Steuer-ID)",
        "checksum",
        "11 digits, one of the first ten repeated, check digit by ISO 7064 (mod 11,10)",
    ),
    Kind("gb_nhs", "UK NHS numbers", "checksum", "10 digits modulo 11, beside the word NHS"),
    Kind("nl_bsn", "Dutch citizen service numbers", "checksum", "9 digits modulo 11, beside a word that says so"),
    Kind(
        "gb_nino",
        "UK National Insurance numbers",
        "format",
        "letters that are issued, 6 digits, A to D; no check digit",
    ),
    Kind(
        "us_ssn",
        "US Social Security numbers",
        "format",
        "3-2-4 digits in the ranges that are issued (there is no check digit); without hyphens only beside a word "
        "that says so",
    ),
    Kind(
        "date_of_birth",
        "dates of birth",
        "context",
        "a date after a word of birth in English, German, French, Spanish, Italian",
    ),
    Kind(
        "medical_record",
        "medical record numbers",
        "context",
        "an identifier after a word for it in English, German, French, Spanish, Italian",
    ),
    Kind(
        "ip_address",
        "IP addresses",
        "format",
        "IPv4 or IPv6 that is not loopback, unspecified or multicast; no version numbers",
    ),
    Kind(
        "phone",
        "telephone numbers",
        "format",
        "the ways in which numbers are written in the US, UK, DE, FR, ES, IT, or with + and country code",
    ),
    Kind(
        "name",
        "names of people",
        "list",
        "a listed first name with a listed surname, or a capitalised word after a title",
    ),
)
"""All types; where two overlap in a text, the earlier one here is kept."""
BY_NAME = {kind.name: kind for kind in KINDS}
NOT_SEEN = (
    "Names that are on no list and have no title before them; first names or surnames alone; names in lower case.",
    "Postal addresses, employers, places, rare diseases: whatever in free text points to a person without being "
    "one of these types.",
    "Values that are misspelt, spelt out (“john at example dot com”), split over lines or cells, or stand in an image.",
    "Identifiers, national forms of telephone numbers and words of other countries and languages than those named.",
    "Numbers of identity cards, passports, driving licences, bank accounts without IBAN, and vehicle plates.",
)
"""What the scan cannot see, in sentences."""
