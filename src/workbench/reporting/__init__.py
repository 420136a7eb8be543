"""The story of a finished run: a page for people, a card for hubs, a table for programs.

Made from the files of the run's folder alone, with neither torch nor the code that trained: a report can be
made again years later.
"""

from __future__ import annotations

from pathlib import Path

from workbench import storage
from workbench.reporting.comparison import comparison_table

__all__ = ["comparison_table", "report"]


def report(run_folder: Path) -> None:
    """Write ``report.html`` and ``README.md`` into a run's folder.

    Args:
        run_folder: The run's folder.

    Raises:
        RunError: It is no run's folder, one of its files cannot be understood, or it cannot be written to.
        RecipeError: Its recipe cannot be read.
    """
    from workbench.reporting.card import render_card
    from workbench.reporting.evidence import read_evidence
    from workbench.reporting.page import render_page

    evidence = read_evidence(run_folder)
    page, card = render_page(evidence), render_card(evidence)
    storage.write_text(run_folder / "report.html", page)
    storage.write_text(run_folder / "README.md", card)
