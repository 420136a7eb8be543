"""HTML of the widgets: whatever came from data is escaped here, before it meets HTML.

Nothing is told by colour alone: a notice has a sign and a word, a bar has its text beside it.
"""

from __future__ import annotations

import base64
import html
import re
from collections.abc import Iterable, Sequence
from functools import lru_cache
from pathlib import Path

SIGNS = {"info": "ℹ", "ok": "✓", "warning": "⚠", "error": "✕"}


def text(value: object) -> str:
    """A value as text that is safe in HTML."""
    return html.escape(str(value), quote=True)


def prose(sentence: object) -> str:
    """A sentence as HTML: what stands between backticks is a name or code."""
    return re.sub(r"`([^`]+)`", r'<code translate="no">\1</code>', text(sentence))


def status(sentence: str) -> str:
    """A sentence that a screen reader says when it changes."""
    return f'<div class="wb-status" role="status" aria-live="polite">{prose(sentence)}</div>'


def notice(kind: str, word: str, sentences: Iterable[str]) -> str:
    """Sentences that matter, with a sign and a word.

    Args:
        kind: One of ``info``, ``ok``, ``warning``, ``error``.
        word: What kind it is, in the reader's language.
        sentences: What is said; nothing is shown where there are none.
    """
    told = [prose(one) for one in sentences]
    if not told:
        return ""
    items = "".join(f"<p>{one}</p>" for one in told)
    role = "alert" if kind == "error" else "note"
    sign = f'<span aria-hidden="true">{SIGNS[kind]}</span>'
    return f'<div class="wb-notice wb-{kind}" role="{role}"><strong>{sign} {text(word)}</strong>{items}</div>'


def percent(share: float) -> str:
    """A share with one decimal."""
    return f"{100 * share:.1f} %"


def between(low: float | None, high: float | None) -> str:
    """The ends of a share's interval; a dash where it has none."""
    return "–" if low is None or high is None else f"{100 * low:.1f}–{percent(high)}"


def paragraphs(sentences: Iterable[str]) -> str:
    """One paragraph a sentence."""
    return "".join(f"<p>{prose(one)}</p>" for one in sentences)


def listed(sentences: Iterable[str]) -> str:
    """A list with one item a sentence; nothing where there are none."""
    items = "".join(f"<li>{prose(one)}</li>" for one in sentences)
    return f"<ul>{items}</ul>" if items else ""


def table(headings: Sequence[str], rows: Iterable[Sequence[object]], caption: str = "", *, numbers: int = 0) -> str:
    """A table that scrolls sideways where the column is narrow.

    Args:
        headings: Of each column.
        rows: A value a column; ``None`` is an empty cell. The first names the row.
        caption: What the table shows.
        numbers: How many of the last columns are numbers, to be aligned right.
    """
    first_number = len(headings) - numbers
    head = "".join(_cell("th", one, place >= first_number, ' scope="col"') for place, one in enumerate(headings))
    body = "".join(f"<tr>{_row(row, first_number)}</tr>" for row in rows)
    told = f"<caption>{text(caption)}</caption>" if caption else ""
    label = f' aria-label="{text(caption)}"' if caption else ""
    return (
        f'<div class="wb-scroll" tabindex="0" role="region"{label}><table class="wb-table">{told}'
        f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>"
    )


def _row(row: Sequence[object], first_number: int) -> str:
    cells = []
    for place, value in enumerate(row):
        cells.append(
            _cell("td" if place else "th", "" if value is None else value, place >= first_number, _scope(place))
        )
    return "".join(cells)


def _scope(place: int) -> str:
    return "" if place else ' scope="row"'


def _cell(tag: str, value: object, number: bool, scope: str) -> str:
    css = ' class="wb-number"' if number else ""
    return f"<{tag}{scope}{css}>{text(value)}</{tag}>"


def bars(headings: Sequence[str], rows: Sequence[Sequence[object]], caption: str) -> str:
    """A table of whole numbers with a bar of the first number beside each row; the bar adds nothing to the numbers.

    Args:
        headings: Of the name and of each number.
        rows: A name and its numbers; ``None`` is an empty cell.
        caption: What the table shows.
    """
    largest = max((int(str(row[1])) for row in rows), default=0) or 1
    plain = table([*headings, ""], [[*row, f"|{place}|"] for place, row in enumerate(rows)], caption)
    for place, row in enumerate(rows):
        width = round(100 * int(str(row[1])) / largest)
        bar = f'<div class="wb-bar" aria-hidden="true" style="width: {width}px"></div>'
        plain = plain.replace(f"<td>|{place}|</td>", f"<td>{bar}</td>", 1)
    return plain


def bar(label: str, share: float | None, told: str, *, speaks: bool = True) -> str:
    """A bar with its name before it and a text status behind it.

    Args:
        label: What it is of.
        share: From 0 to 1; ``None`` where nobody knows how far it is.
        told: How far it is, in words.
        speaks: Whether a screen reader says each change; one bar of several is enough.
    """
    value = "" if share is None else f' value="{min(max(share, 0.0), 1.0):.3f}"'
    live = "polite" if speaks else "off"
    return (
        f'<div class="wb-progress"><span class="wb-progress-name">{text(label)}</span>'
        f'<progress max="1"{value} aria-label="{text(label)}"></progress>'
        f'<span role="status" aria-live="{live}">{text(told)}</span></div>'
    )


def code(source: str) -> str:
    """Program text; it is a language of its own, whatever the page's is."""
    return f'<pre class="wb-code" lang="en" translate="no" tabindex="0"><code>{text(source)}</code></pre>'


def original(sentence: str) -> str:
    """Text that stays in English because it is a name, a log line or a message that was not translated."""
    return f'<span lang="en" translate="no">{text(sentence)}</span>'


def picture(svg: str, told: str) -> str:
    """A figure; ``told`` says in words what it shows, for who cannot see it."""
    data = base64.b64encode(svg.encode()).decode()
    return f'<img class="wb-figure" alt="{text(told)}" src="data:image/svg+xml;base64,{data}">'


@lru_cache
def style() -> str:
    """The style sheet of every panel, for a page in light or dark."""
    return f"<style>{(Path(__file__).parent / 'style.css').read_text(encoding='utf-8')}</style>"
