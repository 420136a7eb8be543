"""A table as LaTeX with booktabs and graphicx, as Markdown, as CSV; what a format would take for markup is escaped."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Sequence
from dataclasses import dataclass

from workbench.storage.cells import FORMULA_STARTS

FITTED = r"\resizebox{\ifdim\width>\linewidth\linewidth\else\width\fi}{!}{%"
CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
LATEX = {
    "\\": r"\textbackslash{}",
    "{": r"\{",
    "}": r"\}",
    **{one: f"\\{one}" for one in "&%$#_"},
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    '"': r"\textquotedbl{}",
    "'": r"\textquotesingle{}",
    "`": r"\textasciigrave{}",
    "–": "--",
    "→": r"$\rightarrow$",
    "\N{MINUS SIGN}": "$-$",
}


@dataclass(frozen=True)
class PaperTable:
    """A table as plain text, before it gets a format.

    Attributes:
        caption: What it shows.
        headings: Of each column.
        rows: Cells, one a heading.
        strong: Whether a row is the recommended candidate's.
        right: Places of the columns with numbers.
        notes: What the figures rest on, a sentence each.
    """

    caption: str
    headings: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    strong: tuple[bool, ...]
    right: tuple[int, ...]
    notes: tuple[str, ...]


def plain(text: str) -> str:
    """Text on one line, without control characters or overrides of direction."""
    return CONTROL.sub(" ", text)


def escaped_latex(text: str) -> str:
    """Text with everything escaped that LaTeX would take for a command."""
    return "".join(LATEX.get(one, one) for one in plain(text))


def escaped_markdown(text: str) -> str:
    """Text with everything escaped that Markdown would take for markup."""
    return re.sub(r"(?<=\])\(|[\\`*_{}<>#|~$&]", r"\\\g<0>", plain(text))


def latex_table(table: PaperTable, number: int) -> str:
    """A table for LaTeX with the packages booktabs and graphicx, its notes below it.

    A table wider than the text is made as wide as that.

    Args:
        table: The table.
        number: For its label, ``tab:candidates-<number>``.
    """
    columns = "".join("r" if at in table.right else "l" for at in range(len(table.headings)))
    caption = f"{table.caption[:1].upper()}{table.caption[1:]}"
    lines = [r"% needs \usepackage{booktabs,graphicx} and, for quotation marks, \usepackage[T1]{fontenc}"]
    lines += [
        r"\begin{table}[t]",
        r"\centering",
        f"\\caption{{{escaped_latex(caption)}}}",
        f"\\label{{tab:candidates-{number}}}",
    ]
    lines += [r"\small", FITTED, f"\\begin{{tabular}}{{{columns}}}", r"\toprule"]
    lines += [" & ".join(escaped_latex(one) for one in table.headings) + r" \\", r"\midrule"]
    for cells, strong in zip(table.rows, table.strong, strict=True):
        row = " & ".join(f"\\textbf{{{escaped_latex(one)}}}" if strong else escaped_latex(one) for one in cells)
        lines.append(("{}" if row.startswith("[") else "") + row + r" \\")
    lines += [r"\bottomrule", r"\end{tabular}}", "", r"\smallskip", r"\begin{minipage}{\linewidth}\footnotesize"]
    lines += [f"{escaped_latex(note)}\\par" for note in table.notes]
    return "\n".join([*lines, r"\end{minipage}", r"\end{table}", ""])


def markdown_table(table: PaperTable) -> str:
    """A table for Markdown, its notes as a list below it."""
    caption = f"{table.caption[:1].upper()}{table.caption[1:]}"
    lines = [escaped_markdown(caption), "", "| " + " | ".join(escaped_markdown(one) for one in table.headings) + " |"]
    lines.append("|" + "|".join(" ---: " if at in table.right else " --- " for at in range(len(table.headings))) + "|")
    for cells, strong in zip(table.rows, table.strong, strict=True):
        shown = (f"**{escaped_markdown(one)}**" if strong and one else escaped_markdown(one) for one in cells)
        lines.append("| " + " | ".join(shown) + " |")
    return "\n".join([*lines, "", *(f"- {escaped_markdown(note)}" for note in table.notes), ""])


def csv_table(rows: Sequence[Sequence[object]]) -> str:
    """Rows as CSV, the first with the names of the columns."""
    buffer = io.StringIO()
    csv.writer(buffer, lineterminator="\n").writerows([harmless(str(cell)) for cell in row] for row in rows)
    return buffer.getvalue()


def harmless(text: str) -> str:
    """A cell's text on one line; an apostrophe goes before one that a spreadsheet would run as a formula.

    A number stays a number.
    """
    number = re.fullmatch(r"-?\d+(\.\d+)?", text) is not None
    return f"'{plain(text)}" if text.startswith(FORMULA_STARTS) and not number else plain(text)
