"""What a person does before a model leaves the house: card fields, gate lines, sign-offs, export.

Reads a finished run's folder, and adds to it only what a person states. It decides nothing: a gate line says yes or no
and why, and who lets the model go is a person. Whether files and numbers hold is recomputed by ``pipeline.verify``; its
answer is handed over.
"""

from workbench.releasing.card import card_problems, missing_fields, write_card_fields
from workbench.releasing.exporting import Exported, export
from workbench.releasing.gate import GateLine, gate
from workbench.releasing.signing import SignOff, sign_off, sign_offs
from workbench.reporting.card_fields import CARD_FIELDS, read_card_fields

__all__ = [
    "CARD_FIELDS",
    "Exported",
    "GateLine",
    "SignOff",
    "card_problems",
    "export",
    "gate",
    "missing_fields",
    "read_card_fields",
    "sign_off",
    "sign_offs",
    "write_card_fields",
]
