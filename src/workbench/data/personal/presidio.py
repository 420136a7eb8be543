"""Presidio's recognisers as a second pair of eyes, with the extra ``presidio``: its patterns alone, without a model.

Presidio finds names with a language model of spaCy; those on package indexes are uploads of third parties and are not
used here. What is left are its recognisers by pattern and context for e-mail, phone, IBAN, cards and national
identifiers. Slow beside our own scan (every text is a Python object), so it is for samples. Its list of top-level
domains is the one that it ships: nothing is fetched.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Sequence
from importlib import import_module
from typing import Any

import pyarrow as pa

from workbench.data.personal.scanning import RANKS, as_table, without_overlaps
from workbench.errors import MissingExtraError

KINDS = {
    "EMAIL_ADDRESS": "email",
    "PHONE_NUMBER": "phone",
    "IBAN_CODE": "iban",
    "CREDIT_CARD": "card",
    "IP_ADDRESS": "ip_address",
    "US_SSN": "us_ssn",
    "UK_NHS": "gb_nhs",
    "UK_NINO": "gb_nino",
    "ES_NIF": "es_dni",
    "ES_NIE": "es_dni",
    "IT_FISCAL_CODE": "it_codice_fiscale",
    "DE_TAX_ID": "de_tax_id",
    "DE_HEALTH_INSURANCE": "de_kvnr",
}
"""Presidio's names of what is looked for here too."""
LANGUAGES = ("en", "de", "fr", "es", "it")


def scan_with_presidio(texts: Sequence[str], *, language: str = "en", score: float = 0.4) -> pa.Table:
    """Look through texts with Presidio's pattern recognisers.

    Args:
        texts: A sample: 30 to 45 short texts a second were read on two cores.
        language: Whose recognisers: en, de, fr, es, it.
        score: Presidio's own score from which a finding counts, 0 to 1.

    Returns:
        As ``scan_texts`` gives it; types that this package does not know are left out.

    Raises:
        MissingExtraError: Presidio is not installed.
        ValueError: If the language is not one of the five.
    """
    if language not in LANGUAGES:
        raise ValueError(f"language is {language!r}; one of {', '.join(LANGUAGES)} would be right")
    analyzer = engine(language)
    known = sorted(set(KINDS) & set(analyzer.get_supported_entities(language)))
    found = []
    for row, text in enumerate(texts):
        for one in analyzer.analyze(text=text, language=language, entities=known, score_threshold=score):
            found.append((row, one.start, one.end, RANKS[KINDS[one.entity_type]]))
    return as_table(without_overlaps(found))


def engine(language: str) -> Any:
    """Presidio's analyser with an empty spaCy pipeline, so that no model is asked for.

    Raises:
        MissingExtraError: Presidio is not installed.
    """
    os.environ["TLDEXTRACT_PUBLIC_SUFFIX_LIST_URLS"] = ""
    try:
        from presidio_analyzer import AnalyzerEngine, RecognizerRegistry
        from presidio_analyzer.nlp_engine import SpacyNlpEngine

        spacy = import_module("spacy")  # after Presidio: its absence is told without loading spaCy
    except ImportError as error:
        raise MissingExtraError("presidio", "looking for personal data with Presidio") from error
    logging.getLogger("presidio-analyzer").setLevel(logging.ERROR)

    class Blank(SpacyNlpEngine):  # type: ignore[misc]
        """Tokens and nothing else."""

        def load(self) -> None:
            """Take the empty pipeline."""
            self.nlp = {language: spacy.blank(language)}

    registry = RecognizerRegistry(supported_languages=[language])
    registry.load_predefined_recognizers(languages=[language])
    nlp = Blank(models=[{"lang_code": language, "model_name": "blank"}])
    nlp.load()
    return AnalyzerEngine(registry=registry, nlp_engine=nlp, supported_languages=[language])
