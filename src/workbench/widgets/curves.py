"""Live curves of a training: a small canvas of our own, and the same as a table.

Only new points are sent, as binary; the browser draws them when it has time, and not what is out of sight.
"""

from __future__ import annotations

import threading
from array import array
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

import anywidget
import ipywidgets as w
import traitlets

from workbench.projects.points import Curve
from workbench.widgets import markup
from workbench.widgets.panel import control, row
from workbench.widgets.words import Words

LIGHT = ("#0b5cad", "#a63603", "#1b6e34", "#6a3d9a", "#7a4a00", "#b3261e", "#00696b", "#4d4d4d")
DARK = ("#8ab8f0", "#ffb37a", "#7fd69a", "#c9a6f5", "#f2d066", "#ff9d94", "#6fd6d6", "#cfcfcf")
SAME = {"validation log loss": "validation loss"}
"""A metric that one kind of training calls by another name."""


def _colours(colours: tuple[str, ...]) -> str:
    return " ".join(f"--wb-line-{place}: {colour};" for place, colour in enumerate(colours))


class Chart(anywidget.AnyWidget):
    """Lines on a canvas; ``visible`` says whether somebody could see it now."""

    _esm = (Path(__file__).parent / "curves.js").read_text(encoding="utf-8")
    _css = (
        f".wb-curves {{ --wb-ink: var(--jp-ui-font-color1, #1f1f1f); {_colours(LIGHT)} width: 100%; }}\n"
        f'[data-jp-theme-light="false"] .wb-curves {{ {_colours(DARK)} }}\n'
        ".wb-curves canvas { width: 100%; height: 300px; display: block; }\n"
        ".wb-curves button { font: inherit; margin: 0 6px 4px 0; color: var(--wb-ink); background: transparent;"
        " border: 1px solid currentColor; border-radius: 3px; }\n"
        '.wb-curves button[aria-pressed="true"] { outline: 2px solid currentColor; font-weight: bold; }'
    )
    label = traitlets.Unicode("").tag(sync=True)
    words = traitlets.Dict().tag(sync=True)
    visible = traitlets.Bool(True).tag(sync=True)


class Curves(w.VBox):
    """Curves of one metric, of every candidate that has it.

    Attributes:
        metric: Which metric is shown.
        as_table: Whether the table is shown instead of the canvas.
        chart: The canvas.
        table: The same as a table.
        summary: The newest curve in a sentence.
    """

    def __init__(self, words: Words) -> None:
        """Show nothing yet."""
        self.words = words
        redraw = partial(self._draw, anew=True)
        self.metric = control(words, w.Dropdown, "train.curve", redraw)
        self.as_table = control(words, w.ToggleButton, "train.as_table", redraw)
        self.summary, self.table = w.HTML(), w.HTML()
        self.chart = Chart(words={name: words(f"train.chart.{name}") for name in ("step", "log_x", "log_y")})
        self._curves: dict[str, dict[str, Curve]] = {}
        self._sent: dict[str, tuple[int, int]] = {}
        self._lock = threading.RLock()
        super().__init__([row(self.metric, self.as_table), self.chart, self.summary, self.table])
        self.chart.on_msg(lambda *_: self._draw(anew=True))
        self._draw()

    @property
    def seen(self) -> bool:
        """Whether somebody could see the curves now, as far as can be known."""
        return self.as_table.value or bool(self.chart.visible)

    def show(self, curves: Mapping[str, Curve]) -> None:
        """Show curves as they are now.

        Args:
            curves: ``candidate/stage/metric`` to points.
        """
        with self._lock:
            grouped: dict[str, dict[str, Curve]] = {}
            for name, curve in curves.items():
                candidate, _, metric = name.partition("/")
                metric = metric.partition("/")[2]
                grouped.setdefault(SAME.get(metric, metric), {})[candidate] = curve
            self._curves = grouped
            options = [(self.words.texts.get(f"train.metric.{name}", name), name) for name in sorted(grouped)]
            if list(self.metric.options) != options:
                chosen = self.metric.value
                self.metric.options = options
                self.metric.value = chosen if chosen in grouped else options[0][1] if options else None
            self._draw()

    def _draw(self, *, anew: bool = False) -> None:
        with self._lock:
            lines, as_table = self._curves.get(self.metric.value or "", {}), self.as_table.value
            self.chart.label = told = self._sentence(lines)
            self.summary.value = markup.paragraphs([told])
            self.table.value = self.as_html() if as_table and lines else ""
            self.chart.layout.display = "none" if as_table or not lines else None
            self._send(lines, anew)

    def _sentence(self, lines: Mapping[str, Curve]) -> str:
        if not lines:
            return self.words("train.no_curves")
        name, curve = max(lines.items(), key=lambda one: len(one[1].steps) and list(lines).index(one[0]))
        values = {"name": name, "value": f"{curve.values[-1]:.4g}", "step": curve.steps[-1], "number": len(lines)}
        return self.words("train.curve_summary", metric=self._title(), **values)

    def _title(self) -> str:
        return self.words.texts.get(f"train.metric.{self.metric.value}", str(self.metric.value))

    def as_html(self) -> str:
        """The chosen metric as a table: each candidate's first, middle, latest, lowest and highest value."""
        columns = ("candidate", "step", "first", "middle", "latest", "lowest", "highest")
        rows = []
        for name, curve in self._curves.get(self.metric.value or "", {}).items():
            values = curve.values
            told = (values[0], values[len(values) // 2], values[-1], min(values), max(values))
            rows.append((name, curve.steps[-1], *(f"{value:.4g}" for value in told)))
        heads = [self.words(f"train.column.{name}") for name in columns]
        return markup.table(heads, rows, self._title(), numbers=6) if rows else ""

    def _send(self, lines: Mapping[str, Curve], anew: bool) -> None:
        """Send what the browser does not have: whole lines where earlier points changed, else new points."""
        known = {} if anew else self._sent
        told: list[dict[str, Any]] = []
        numbers = array("f")
        for name, curve in lines.items():
            turn, count = known.get(name, (-1, 0))
            start = count if turn == curve.turn else 0
            if start < len(curve.steps) or turn != curve.turn:
                numbers.extend(curve.steps[start:])
                numbers.extend(curve.values[start:])
                told.append({"name": name, "count": len(curve.steps) - start, "anew": turn != curve.turn})
        self._sent = {name: (curve.turn, len(curve.steps)) for name, curve in lines.items()}
        if told or anew:
            self.chart.send({"clear": anew, "lines": told}, buffers=[numbers.tobytes()])
