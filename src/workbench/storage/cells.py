"""Cells of CSV files that a spreadsheet cannot be made to run."""

from __future__ import annotations

FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


def harmless(cell: object) -> str:
    """A cell's text; an apostrophe goes before one that a spreadsheet would run as a formula."""
    text = "" if cell is None else str(cell)
    return f"'{text}" if text.startswith(FORMULA_STARTS) else text


def unharmed(text: str) -> str:
    """The cell as it was before :func:`harmless`."""
    return text[1:] if text.startswith("'") and text[1:].startswith(FORMULA_STARTS) else text
