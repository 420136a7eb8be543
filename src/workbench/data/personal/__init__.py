"""Personal data in a table: found by type, counted, shown only masked, replaced by surrogates in a copy.

``scan_texts`` says where something stands and of which type, never what it is. What no scan of this kind can see is
listed in ``NOT_SEEN``; nothing found is no proof that there is nothing.
"""

from workbench.data.personal.columns import counts_of, looked_at, scan_splits, text_columns
from workbench.data.personal.copying import copied_name, redacted_copy
from workbench.data.personal.generator import Sentence, generate
from workbench.data.personal.kinds import KINDS, NOT_SEEN, Kind
from workbench.data.personal.masking import examples, masked
from workbench.data.personal.measuring import measured
from workbench.data.personal.redacting import new_key, redact, surrogate
from workbench.data.personal.scanning import Scanner, scan_texts, scanner
from workbench.data.personal.summary import Finding, summary

__all__ = [
    "KINDS",
    "NOT_SEEN",
    "Finding",
    "Kind",
    "Scanner",
    "Sentence",
    "copied_name",
    "counts_of",
    "examples",
    "generate",
    "looked_at",
    "masked",
    "measured",
    "new_key",
    "redact",
    "redacted_copy",
    "scan_splits",
    "scan_texts",
    "scanner",
    "summary",
    "surrogate",
    "text_columns",
]
