"""Which class is taken for which: a matrix whose cells are buttons, or, of many classes, the most confused pairs."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import ipywidgets as w

from workbench.widgets import markup
from workbench.widgets.panel import button, control
from workbench.widgets.words import Words

if TYPE_CHECKING:
    from workbench.reporting.evidence import Evidence
    from workbench.reporting.looking import Look

MOST_CLASSES = 25
MOST_PAIRS = 200
HEATS = (0.05, 0.2, 0.5)
"""Shares of a true class's rows from which a cell is shaded more."""


class Confusion(w.VBox):
    """The confusion matrix of a candidate on a split.

    Attributes:
        kind: Counts or shares.
        cells: Button of each cell that has rows, by true and predicted class.
        sort: Order of the pairs, where there are too many classes for a matrix.
        pairs: The most confused pairs.
        open_pair: Button that shows the rows of the chosen pair.
    """

    def __init__(self, words: Words, pressed: Callable[[int, int], None]) -> None:
        """Make it without rows.

        Args:
            words: The language.
            pressed: Told the true and the predicted class of a cell that was pressed.
        """
        self.words = words
        self._pressed = pressed
        self._look: Look | None = None
        self.cells: dict[tuple[int, int], w.Button] = {}
        kinds = [(words(f"inspect.{one}"), one) for one in ("counts", "shares")]
        self.kind = control(words, w.ToggleButtons, "inspect.cells_show", self._label, options=kinds)
        orders = [(words(f"inspect.pairs_by_{one}"), one) for one in ("count", "share", "true", "predicted")]
        self.sort = control(words, w.Dropdown, "inspect.sort", self._list, options=orders)
        self.pairs = w.Select(rows=14, description=words("inspect.pairs"), layout=w.Layout(width="100%"))
        self.open_pair = button(words, "inspect.open_pair", self._open_pair)
        self.told = w.HTML()
        self.place = w.VBox()
        self._no_cell = w.HTML('<span aria-hidden="true">·</span>')
        super().__init__([self.told, self.kind, self.place])

    def show(self, evidence: Evidence, look: Look) -> None:
        """Show a candidate's answers; they say all that is shown here."""
        self._look = look
        right = int((look.labels == look.predictions).sum())
        sentence = self.words("inspect.right", n=len(look.rows), right=right, wrong=len(look.rows) - right)
        if len(look.classes) > MOST_CLASSES:
            self.told.value = markup.paragraphs([sentence, self.words("inspect.pairs_why", classes=len(look.classes))])
            self._list()
            self.place.children = (self.sort, self.pairs, self.open_pair)
            return
        self.told.value = markup.paragraphs([sentence, self.words("inspect.matrix")])
        self._build(look)

    def snapshot(self) -> str:
        """The matrix, or the pairs, as a table."""
        if self._look is None:
            return ""
        found = self._look.confusion
        heads = [self.words(f"inspect.{one}") for one in ("true", "predicted", "counts", "shares")]
        rows = [(one.label, one.prediction, one.times, _percent(one.times, one.of)) for one in found.mistakes(20)]
        return str(self.told.value) + markup.table(heads, rows, self.words("inspect.pairs"), numbers=2)

    def _build(self, look: Look) -> None:
        """A row of the grid for each true class; a cell without rows is no button."""
        counts, classes = look.confusion.counts, look.classes
        self.cells = {}
        children: list[w.Widget] = [w.HTML(f"<strong>{markup.text(self.words('inspect.true_class'))}</strong>")]
        children += [w.HTML(f'<span title="{markup.text(name)}">{at}</span>') for at, name in enumerate(classes, 1)]
        layout, style = w.Layout(width="auto"), w.ButtonStyle()
        for i, name in enumerate(classes):
            text = f"{i + 1} · {markup.text(name)}"
            children.append(w.HTML(f'<div class="wb-cut" title="{markup.text(name)}">{text}</div>'))
            of = max(1, int(counts[i].sum()))
            for j in range(len(classes)):
                if not counts[i, j]:
                    children.append(self._no_cell)
                    continue
                heat = sum(counts[i, j] / of >= one for one in HEATS)
                classes_of = [f"wb-heat{heat}", *(["wb-right"] if i == j else [])]
                named = {"description": self._figure(i, j), "tooltip": self._name(i, j)}
                cell = w.Button(**named, layout=layout, style=style, _dom_classes=classes_of)
                cell.on_click(lambda _, i=i, j=j: self._pressed(i, j))
                self.cells[i, j] = cell
                children.append(cell)
        columns = f"minmax(9em, 18em) repeat({len(classes)}, minmax(2.6em, 1fr))"
        grid = w.GridBox(children, layout=w.Layout(grid_template_columns=columns, grid_gap="1px"))
        grid.add_class("wb-matrix")
        around = w.Box([grid])
        around.add_class("wb-scroll")
        self.place.children = (around,)

    def _label(self) -> None:
        for place, cell in self.cells.items():
            cell.description = self._figure(*place)

    def _figure(self, i: int, j: int) -> str:
        """The figure on a cell; its name follows it on a line that only a screen reader reads."""
        assert self._look is not None  # noqa: S101  (cells are there only while a candidate is shown)
        counts = self._look.confusion.counts
        figure = _percent(counts[i, j], counts[i].sum()) if self.kind.value == "shares" else str(counts[i, j])
        return f"{figure}\n{self._name(i, j)}"

    def _name(self, i: int, j: int) -> str:
        look = self._look
        assert look is not None  # noqa: S101  (named only while a candidate is shown)
        n = int(look.confusion.counts[i, j])
        return self.words("inspect.cell", true=look.classes[i], predicted=look.classes[j], n=n)

    def _list(self) -> None:
        if self._look is None:
            return
        found = self._look.confusion.mistakes(MOST_PAIRS)
        orders: dict[str, Callable[[int], tuple[object, ...]]] = {
            "count": lambda at: (-found[at].times,),
            "share": lambda at: (-found[at].times / max(1, found[at].of),),
            "true": lambda at: (found[at].label, -found[at].times),
            "predicted": lambda at: (found[at].prediction, -found[at].times),
        }
        place = {name: at for at, name in enumerate(self._look.classes)}
        options = []
        for one in (found[at] for at in sorted(range(len(found)), key=orders[self.sort.value])):
            figures = {"n": one.times, "of": one.of, "share": _percent(one.times, one.of)}
            told = self.words("inspect.pair", true=one.label, predicted=one.prediction, **figures)
            options.append((told, (place[one.label], place[one.prediction])))
        self.pairs.options = options

    def _open_pair(self) -> None:
        if self.pairs.value is not None:
            self._pressed(*self.pairs.value)


def _percent(part: float, whole: float) -> str:
    share = 100 * part / max(1, whole)
    return "< 1 %" if 0 < share < 0.5 else f"{share:.0f} %"
