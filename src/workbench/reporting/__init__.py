"""The story of a finished run: a page for people, a card for hubs, a table for programs.

Made from the files of the run's folder alone, with neither torch nor the code that trained: a report can be
made again years later.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from workbench import storage
from workbench.reporting.comparison import comparison_table

if TYPE_CHECKING:
    from workbench.reporting.pages import Page

Chapters = Mapping[str, "tuple[Page, ...]"]

__all__ = ["comparison_table", "report"]


def report(run_folder: Path, kept: Chapters | None = None) -> Chapters:
    """Write ``report.html`` and ``README.md`` into a run's folder.

    Args:
        run_folder: The run's folder.
        kept: What an earlier call gave, where nothing but energy and time has changed since: its pages that say
            nothing of these are taken over with their drawings.

    Returns:
        The further pages by chapter.

    Raises:
        RunError: It is no run's folder, one of its files cannot be understood, or it cannot be written to.
        RecipeError: Its recipe cannot be read.
    """
    from workbench.reporting.card import render_card
    from workbench.reporting.chapters import chapters
    from workbench.reporting.evidence import read_evidence
    from workbench.reporting.page import render_page

    evidence = read_evidence(run_folder)
    made = chapters(evidence, kept)
    page, card = render_page(evidence, made), render_card(evidence)
    storage.write_text(run_folder / "report.html", page)
    storage.write_text(run_folder / "README.md", card)
    return made
