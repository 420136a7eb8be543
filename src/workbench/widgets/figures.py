"""Static figures of the panels: drawn by `reporting`, in the reader's language, on white paper in light and dark.

No widget here, and matplotlib is imported only when a figure is drawn. What a figure shows stands in a table too.
"""

from __future__ import annotations

import io
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING

from workbench.widgets import markup
from workbench.widgets.words import Words

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from workbench.reporting.comparable import Group

NUMBERED = re.compile(r"(\d+  )?(.*?)( · recommended)?", re.DOTALL)
PLACES = {"on the front": "front", "perhaps on the front": "possible", "dominated": "dominated"}


def to_svg(figure: Figure) -> str:
    """A drawn figure as an SVG file's text; the same figure gives the same text."""
    buffer = io.StringIO()
    figure.savefig(buffer, format="svg", metadata=dict.fromkeys(("Date", "Creator", "Format", "Type")))
    text = buffer.getvalue()
    return text[text.index("<svg") :]


def tradeoff(group: Group, told: str, words: Words, names: Mapping[str, str]) -> str:
    """Quality against its costs with intervals, as ``<img>``; of quality alone the intervals.

    Args:
        group: At least one point; from `reporting.choices.group_on`.
        told: What it shows, in words.
        words: The language of its labels.
        names: What a point is called in the group to what it is called here.
    """
    from workbench.reporting.paper_figures import PRINT, drawn_intervals, drawn_tradeoffs

    with (drawn_tradeoffs if len(group.axes) > 1 else drawn_intervals)(group, PRINT) as figure:
        _label(figure, group, words, names)
        return markup.picture(to_svg(figure), told)


def _label(figure: Figure, group: Group, words: Words, names: Mapping[str, str]) -> None:
    """Put the words of a figure into the reader's language."""
    quality = words("compare.on", metric=words.sentence(group.metric), split=group.points[0].setting.split)
    first = figure.axes[0]
    if len(group.axes) > 1:
        first.set_ylabel(quality)
        for panel, axis in zip(figure.axes, group.axes[1:], strict=True):
            unit = f", {axis.unit}" if axis.unit else ""
            panel.set_xlabel(f"{words.sentence(axis.name)}{unit}{words('compare.log') if axis.log else ''}")
    else:
        first.set_xlabel(words("compare.alone", quality=quality))
        first.set_yticks(first.get_yticks(), [_said(one.get_text(), words, names) for one in first.get_yticklabels()])
    for text in (one for legend in figure.legends for one in legend.get_texts()):
        text.set_text(_said(text.get_text(), words, names))


def _said(label: str, words: Words, names: Mapping[str, str]) -> str:
    """A label in the reader's language."""
    place = PLACES.get(label.removesuffix(" (see the table)"))
    if place:
        return words(f"compare.place.{place}")
    found = NUMBERED.fullmatch(label)
    number, name, recommended = found.groups() if found else ("", label, "")
    return f"{number or ''}{names.get(name, name)}" + (f" · {words('compare.recommended')}" if recommended else "")
