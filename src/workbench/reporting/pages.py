"""A page of the report: verdict, sentences, figure, table, how it was measured, what it does not show."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Table:
    """A table of a page.

    Attributes:
        caption: What it shows, in a sentence.
        columns: Headings.
        rows: Cells as they are shown, a cell a column.
        right: Headings of the columns with numbers, which stand to the right.
    """

    caption: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    right: tuple[str, ...] = ()


@dataclass(frozen=True)
class Figure:
    """A figure of a page.

    Attributes:
        svg: The drawing, as SVG.
        caption: What it shows and how to read it.
    """

    svg: str
    caption: str


@dataclass(frozen=True)
class Page:
    """One page of the report.

    Attributes:
        anchor: Its name in links: lower-case letters and hyphens.
        title: A question that a reader has, or a noun.
        verdict: One sentence; no stronger than the numbers.
        sentences: Further findings in plain words.
        figures: Drawings.
        tables: Figures in numbers.
        how: How it was measured, a sentence an entry.
        not_shown: What it does not show, a sentence an entry.
        files: Evidence behind it, relative to the run's folder.
    """

    anchor: str
    title: str
    verdict: str
    sentences: Sequence[str] = ()
    figures: Sequence[Figure] = ()
    tables: Sequence[Table] = ()
    how: Sequence[str] = ()
    not_shown: Sequence[str] = ()
    files: Sequence[str] = ()
