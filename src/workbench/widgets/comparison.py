"""Compare: every candidate with its figures and intervals, what is recommended and why, what trades off against what.

It only shows: the figures are those of the run's files, the judgements those of its report.
"""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Unpack

import ipywidgets as w

from workbench.projects.desk import run_at
from workbench.widgets.panel import Given, Panel, row

if TYPE_CHECKING:
    from workbench.reporting.evidence import Evidence
    from workbench.widgets.compared import Page

SORTS = ("candidate", "quality", "calibration", "latency", "rate", "size", "energy", "training")
ORDERS = ("rising", "falling")
PARTS = ("verdict", "table", "figure", "differences")
CODE = """\
from pathlib import Path

from workbench.reporting import comparison_table
from workbench.reporting.paper import paper_table, write_comparison
from workbench.storage import read_json

runs = [{runs}]
for run in runs:
    for row in comparison_table(run):
        print(row["candidate"], row["value"], row["low"], row["high"], row["latency_ms"], row["size_mb"])
    if (run / "recommendation.json").is_file():
        print(read_json(run / "recommendation.json")["sentence"])
print(paper_table(runs, "markdown"))  # or "csv", "latex"
write_comparison(runs, Path({out}))  # tables and figures as files, beside the run
# The same in a terminal; --format csv, latex or markdown prints the table alone:
# workbench compare {named} --format csv > comparison.csv
# workbench compare {named} --out {out}
"""


class Comparison(Panel):
    """All candidates of one run, or of several, side by side.

    Attributes:
        split: Which test split.
        metric: Which metric of quality.
        sort: By what the table is sorted.
        order: Whether the smallest or the largest stands first.
        cost: What the figure sets quality against.
    """

    STEP: ClassVar[str] = "compare"

    def __init__(self, subject: Any = None, **given: Unpack[Given]) -> None:
        """Look at runs.

        Args:
            subject: A run, its folder or ``latest``, or a list of them; the desk's newest run when ``None``.
            **given: What every panel takes; see :class:`~workbench.widgets.panel.Given`.
        """
        super().__init__(**given)
        self.desk = given.get("desk")
        self.runs: list[Evidence] = []
        self.statuses: list[str] = []
        self.subjects = [] if subject is None else list(subject) if isinstance(subject, (list, tuple)) else [subject]
        self._filling, self._drawn = True, None  # type: tuple[bool, tuple[str, str, str] | None]
        self.split, self.metric, self.cost = (self._choose(name) for name in ("split", "metric", "cost"))
        self.sort = self._choose("sort", [(self.words(f"compare.sort.{one}"), one) for one in SORTS])
        self.order = self._choose("order", [(self.words(f"compare.{one}"), one == "falling") for one in ORDERS])
        self.parts = {name: w.HTML() for name in PARTS}
        rows = [row(self.split, self.metric, self.sort, self.order), row(self.cost)]
        verdict, table, figure, differences = self.parts.values()
        self.body.children = (verdict, rows[0], table, rows[1], figure, differences)
        self.body.layout.display = "none"
        if given.get("desk") is None:
            self.refresh()

    def _choose(self, name: str, options: Sequence[tuple[str, Any]] = ()) -> w.Dropdown:
        return self.control(w.Dropdown, f"compare.{name}", self.show, options=options)

    def refresh(self) -> None:
        """Read the runs again, and show them."""
        if not self.subjects and self.desk is None:
            self.block([self.words("compare.no_subject")])
        else:
            self._filling = True
            self.work(self.words("compare.reading"), self._read, self._take)

    def _read(self) -> tuple[list[Evidence], list[str], list[str]]:
        """Files of the runs, how they stand, and what quality can be set against."""
        from workbench.reporting.choices import costs_of
        from workbench.reporting.comparable import points_in
        from workbench.reporting.evidence import read_evidence
        from workbench.runs import find_run

        folders = [Path(find_run(getattr(one, "path", one))) for one in self.subjects]
        if not folders and self.desk is not None and self.desk.run is not None:
            folders = [self.desk.run.path]
        folders = list(dict.fromkeys(folders))
        runs = [read_evidence(one) for one in folders]
        return runs, [run_at(one).status for one in folders], costs_of([(e, p) for e in runs for p in points_in(e)])

    def _take(self, read: tuple[list[Evidence], list[str], list[str]]) -> None:
        """Offer what can be chosen of the runs, and show them."""
        from workbench.metrics.wording import metric_name
        from workbench.reporting.choices import qualities_of, splits_of

        self.runs, self.statuses, costs = read
        self._drawn = None
        if not any(run.metrics for run in self.runs):
            self.body.layout.display = "none"
            self.block([self.words(f"compare.nothing.{self.statuses[0]}" if self.statuses else "compare.no_run")])
            return
        self._offer(self.split, [(one, one) for one in splits_of(self.runs)])
        self._offer(self.metric, [(self.words.sentence(metric_name(one)), one) for one in qualities_of(self.runs)])
        self._offer(self.cost, [(self.words(f"compare.cost.{one}"), one) for one in costs])
        self._filling = False
        self.show()

    @staticmethod
    def _offer(control: w.Dropdown, options: list[tuple[str, Any]]) -> None:
        """Other options; what was chosen stays where it is still among them, else it is the first."""
        kept, values = control.value, [value for _, value in options]
        control.options = options
        control.value = kept if kept in values else next(iter(values), None)

    def show(self) -> None:
        """Show the runs as chosen."""
        if not self._filling:
            self.work(self.words("compare.drawing"), self._made, self._put)

    def _made(self) -> tuple[Page, dict[str, str]]:
        """All but the figure, which takes longer."""
        from workbench.reporting.choices import Choice
        from workbench.widgets.compared import Page

        chosen = Choice(
            self.split.value, self.metric.value, self.sort.value, self.order.value, self.cost.value or "all"
        )
        page = Page(self.runs, chosen, self.words)
        return page, {name: getattr(page, name)() for name in PARTS if name != "figure"}

    def _put(self, made: tuple[Page, dict[str, str]]) -> None:
        page, parts = made
        for name, html in parts.items():
            self.parts[name].value = html
        self.body.layout.display = ""
        drawn = (page.choice.split, page.choice.metric, page.choice.cost)
        if drawn == self._drawn:
            self._stand()
        else:
            self.work(self.words("compare.drawing"), page.figure, lambda figure: self._put_figure(figure, drawn))

    def _put_figure(self, figure: str, drawn: tuple[str, str, str]) -> None:
        self.parts["figure"].value, self._drawn = figure, drawn
        self._stand()

    def _stand(self) -> None:
        """Say how the runs stand that are shown."""
        unfinished = [one for one in self.statuses if one != "done"]
        self.blockers = ()
        self.state = "running" if "running" in unfinished else "ready" if unfinished else "done"
        self.say("warning", [self.words(f"compare.unfinished.{one}") for one in dict.fromkeys(unfinished)])

    def fail(self, error: BaseException) -> None:
        """Tell an error; where the runs could not be read, what stood there before is no longer true."""
        super().fail(error)
        if self._filling:
            self.body.layout.display = "none"

    @property
    def code(self) -> str:
        """The same with the public package; tables and figures for a paper beside the run."""
        folders = [run.folder.resolve() for run in self.runs] or [Path("runs/NAME/RUN")]
        named = " ".join(shlex.quote(str(one)) for one in folders)
        listed = ", ".join(f"Path({str(one)!r})" for one in folders)
        return CODE.format(runs=listed, out=repr(str(folders[0].parent / "comparison")), named=named)

    def snapshot(self) -> str:
        """Tables, figure and recommendation as plain HTML; a comparison has no text of a row."""
        shown = "".join(part.value for part in self.parts.values()) if self.body.layout.display != "none" else ""
        return super().snapshot() + shown
