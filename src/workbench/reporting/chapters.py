"""The further pages of a report, in the order in which a data officer asks."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module

from workbench.reporting.evidence import Evidence
from workbench.reporting.pages import Page

CHAPTERS = (
    "statistics",
    "calibration",
    "abstention",
    "fairness",
    "flips",
    "behaviour",
    "robustness",
    "attacks",
    "labels",
    "personal",
    "membership",
    "tradeoffs",
    "payback",
    "privacy",
)
"""Modules of this room with a function ``page``; each gives a page, several, or none where there is no evidence."""


def pages(evidence: Evidence) -> list[Page]:
    """All pages that the run has evidence for.

    Args:
        evidence: The files of its folder.
    """
    found: list[Page] = []
    for name in CHAPTERS:
        page: Callable[[Evidence], Page | list[Page] | None] = import_module(f"workbench.reporting.{name}").page
        made = page(evidence)
        found += made if isinstance(made, list) else [made] if made is not None else []
    return found
