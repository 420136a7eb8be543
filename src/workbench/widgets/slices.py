"""For which groups of rows a candidate fails: a table, the worst first, and groups that a search found, in words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import ipywidgets as w

from workbench.widgets import markup
from workbench.widgets.panel import Panel

if TYPE_CHECKING:
    from workbench.reporting.evidence import Evidence
    from workbench.reporting.looking import Look


class Slices(w.VBox):
    """Error rates of groups, with intervals.

    Attributes:
        told: What was found, in sentences.
        table: The groups.
    """

    def __init__(self, panel: Panel) -> None:
        """Make it without groups.

        Args:
            panel: Who does the work, in which language.
        """
        self.panel = panel
        self.words = panel.words
        self.table = w.HTML()
        self.told = w.HTML()
        super().__init__([self.table, self.told])

    def show(self, evidence: Evidence, look: Look) -> None:
        """Show the groups of a candidate on a split."""
        from workbench.reporting import looking

        named = (evidence, look.candidate, look.split)
        self.panel.work(
            self.words("inspect.reading"),
            lambda: (looking.groups(*named), list(looking.found_groups(*named))),
            lambda found: self._fill(*found, look),
        )

    def snapshot(self) -> str:
        """The table and the sentences."""
        return f"{self.table.value}{self.told.value}"

    def _fill(self, rows: list[dict[str, Any]], found: list[Mapping[str, Any]], look: Look) -> None:
        say = self.words
        if not rows:
            self.table.value = markup.paragraphs([say("inspect.no_slices", split=look.split)])
        else:
            heads = [say(f"inspect.{one}") for one in ("group", "rows", "error_rate", "interval")]
            caption = say("inspect.slices_caption", candidate=look.candidate, split=look.split)
            self.table.value = markup.table(heads, map(self._row, rows), caption, numbers=3)
        sentences = [self._found(one) for one in found if one["metric"] != "found"]
        if found and not found[0]["value"]:
            sentences.append(say("inspect.none_found", n=found[0]["n"], tested=found[0].get("tested", 0)))
        head = f"<h3>{markup.text(say('inspect.found_title'))}</h3>" if sentences else ""
        self.told.value = head + markup.listed(sentences)

    def _row(self, row: Mapping[str, Any]) -> tuple[object, ...]:
        """A group; under 30 rows there is no figure, but the reason, and bounds where the run gives them."""
        name = str(row["slice"]).replace(" & ", f" {self.words('inspect.and')} ").replace("=", ": ")
        bounds = "" if row.get("low") is None else markup.between(row.get("low"), row.get("high"))
        if row["value"] is None:
            return name, row["n"], self.words.sentence(str(row.get("reason") or "")), bounds
        return name, row["n"], markup.percent(row["value"]), bounds or self.words.sentence(str(row.get("reason") or ""))

    def _found(self, row: Mapping[str, Any]) -> str:
        known = {
            "where": self.words.sentence(str(row["slice"]).removeprefix("found=")),
            "rate": markup.percent(row["value"]),
            "rest": markup.percent(row["rest"]),
            "interval": markup.between(row.get("low"), row.get("high")),
        }
        return self.words("inspect.found", n=row["n"], **known)
