"""The further pages of a report, in the order in which a data officer asks."""

from __future__ import annotations

from collections.abc import Callable, Mapping
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


OF_ENERGY = ("tradeoffs", "payback")
"""Those that say something of energy or of the time that the run took."""


def chapters(evidence: Evidence, kept: Mapping[str, tuple[Page, ...]] | None = None) -> dict[str, tuple[Page, ...]]:
    """All pages that the run has evidence for, by chapter.

    Args:
        evidence: The files of its folder.
        kept: Pages of an earlier making between which and now only energy and time have changed.
    """
    found: dict[str, tuple[Page, ...]] = {}
    for name in CHAPTERS:
        if kept is not None and name in kept and name not in OF_ENERGY:
            found[name] = kept[name]
            continue
        page: Callable[[Evidence], Page | list[Page] | None] = import_module(f"workbench.reporting.{name}").page
        made = page(evidence)
        found[name] = tuple(made) if isinstance(made, list) else () if made is None else (made,)
    return found


def pages(evidence: Evidence) -> list[Page]:
    """All pages that the run has evidence for.

    Args:
        evidence: The files of its folder.
    """
    return [page for made in chapters(evidence).values() for page in made]
