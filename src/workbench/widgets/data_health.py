"""Second step: is the table fit? Health in sentences, splits and classes, personal data; what to do about each."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Unpack

import ipywidgets as w

from workbench import storage
from workbench.errors import DataError, RunError, WorkbenchError
from workbench.projects import uploads
from workbench.projects.desk import Desk
from workbench.projects.judging import Judged, judge
from workbench.recipe.editing import remove_value, set_value
from workbench.widgets import data_views, markup
from workbench.widgets.beginning import examining
from workbench.widgets.panel import HIDDEN, Given, Panel, row

SHORTEST_REASON = 10
ENDINGS = (".yaml", ".yml")


class DataHealth(Panel):
    """Judges the table of a recipe, and mends what can be mended, in the recipe's text.

    Attributes:
        desk: The recipe that is judged.
        view: What was found; ``None`` before it was looked at.
        leave_out: Leaves the classes out that are too small.
        group: Column whose rows belong together; ``hold_out`` keeps its groups on one side.
        draw_anew: Replaces splits that the table gives by drawn ones.
        leak_reason: Why test rows may leak; ``allow`` writes it.
        redact: Uses a copy with surrogates in place of personal data.
        keep_reason: Why personal data stay; ``keep`` writes it.
        show_rows: Shows a few rows, which are never shown unasked.
    """

    STEP = "data"

    def __init__(self, subject: object | None = None, **given: Unpack[Given]) -> None:
        """Judge a table.

        Args:
            subject: A table (a path or a frame, whose proposed recipe goes to ``runs/guide``), a recipe's file or a
                desk.
            **given: What every panel takes; see :class:`~workbench.widgets.panel.Given`.
        """
        super().__init__(**given)
        is_recipe = isinstance(subject, (str, Path)) and Path(subject).suffix.lower() in ENDINGS
        self.desk = (
            subject
            if isinstance(subject, Desk)
            else given.get("desk") or Desk(recipe=str(subject) if is_recipe else None)
        )
        self.view: Judged | None = None
        self._asked: tuple[Path | None, str] | None = None
        self._untold: WorkbenchError | None = None
        self._make_controls()
        if subject is None or is_recipe or isinstance(subject, Desk):
            self.refresh()
        else:
            self.work(self.words("data.looking"), partial(self._take, subject), lambda _: self.refresh())

    def refresh(self) -> None:
        """Judge again, where the recipe is another one than that which was judged, or something stood in the way."""
        if self.blockers and self.state != "running":
            self._asked = None
        if self.desk.file is None or not self.desk.file.is_file():
            self._asked = None
            self.block([self.words("data.nothing")])
            self._shown.layout.display = "none"
        elif self._asked != (asked := (self.desk.file, self.desk.text)):
            self._asked = asked
            self.work(self.words("data.looking"), lambda: judge(self.desk), self._show)

    def leave_small_out(self) -> None:
        """Leave the classes out that are too small to learn from."""
        if self.view is not None and self.view.examined is not None:
            left = [*self.view.recipe.data.exclude_classes, *self.view.examined.small]
            self._change(lambda text: set_value(text, "data.exclude_classes", left))

    def hold_groups_out(self) -> None:
        """Keep the rows of a group on one side of the split."""
        group = self.group.value

        def change(text: str) -> str:
            grouped = remove_value(set_value(text, "data.group", group), "data.splits.column")
            return set_value(grouped, "data.splits.by", "group")

        self._change(change)

    def split_anew(self) -> None:
        """Draw the splits, instead of those that the table gives; copies of test texts are then taken out."""
        by = "group" if self.view is not None and self.view.recipe.data.group else "random"
        self._change(lambda text: set_value(remove_value(text, "data.splits.column"), "data.splits.by", by))

    def allow_leaks(self) -> None:
        """Go on though test leaks, with a reason that the report shows."""
        self._give_reason("data.allow_leakage", self.leak_reason, self._leak_said)

    def keep_personal(self) -> None:
        """Keep what looks like personal data, with a reason that the report shows."""
        self._give_reason("data.keep_personal_data", self.keep_reason, self._keep_said)

    def redact_table(self) -> None:
        """Write a copy of the table with surrogates in place of personal data beside the recipe, and use it."""
        desk = self.desk

        def change(text: str) -> str:
            from workbench.data.personal import copied_name, redacted_copy

            located = desk.located
            copy = redacted_copy(located.recipe.data, located.base)
            name = copied_name(Path(str(located.recipe.data.source.path)))
            storage.write_parquet(located.base / name, copy)
            return set_value(text, "data.source", {"path": name})

        self._change(change)

    @property
    def code(self) -> str:
        """Lines that judge the same table."""
        return examining(self.desk)

    def snapshot(self) -> str:
        """What was found; rows only where the recipe allows examples."""
        parts = [self.sentences.value, self.tables.value, self.classes.value, self.personal.value]
        if self.view is not None and self.view.recipe.report.examples:
            parts.append(self.rows.value)
        return super().snapshot() + "".join(parts)

    def _take(self, table: object) -> None:
        """Write the proposed recipe of a table."""
        from workbench.carbon.local import local_country

        look = uploads.look(uploads.given(table), scratch=self.desk.home)
        troubles = look.troubles(look.text, look.label)
        if troubles or look.text is None or look.label is None:
            key, values = troubles[0]
            raise DataError(self.words(f"choose.{key}", **values))
        came = look.incoming
        file = came.path or self.desk.keep_upload(came.name, came.content)
        self.desk.use_table(file, text=look.text, label=look.label, country=local_country() or "FRA")

    def _change(self, change: Callable[[str], str]) -> None:
        """Write a change into the recipe's text and judge again; who changed it meanwhile is not overwritten."""
        seen = "" if self.view is None else self.view.text

        def act() -> WorkbenchError | None:
            try:
                self.desk.write(change(seen), seen)
            except RunError as error:
                return error
            return None

        self.work(self.words("data.writing"), act, self._after)

    def _after(self, error: WorkbenchError | None) -> None:
        self._asked, self._untold = None, error
        self.refresh()

    def _give_reason(self, field: str, given: w.Text, said: w.HTML) -> None:
        reason = given.value.strip()
        if len(reason) < SHORTEST_REASON:
            short = self.words("data.reason_short", least=SHORTEST_REASON, n=len(reason))
            said.value = markup.notice("error", self.words("panel.error"), [short])
            return
        said.value = ""
        self._change(lambda text: set_value(text, field, reason))

    def fail(self, error: BaseException) -> None:
        """Tell an error; the next look is a new one."""
        super().fail(error)
        self._asked = None

    def _show(self, view: Judged) -> None:
        self.view = view
        found = view.examined
        self.block(data_views.blockers(view, self.words, self.told))
        self._shown.layout.display = None if found else "none"
        if self._untold is not None:
            self.say("error", self.told(self._untold))
            self._untold = None
        if found is None:
            return
        self.state = "blocked" if self.blockers else "done"
        self.sentences.value = markup.listed(self.words.sentence(one) for one in found.health.sentences)
        self.tables.value = data_views.splits_table(found, self.words) + data_views.repeats_table(found, self.words)
        self.classes.value = data_views.classes_table(found, self.words)
        self.rows.value, self.show_rows.value = "", False
        self._show_fixes(view)

    def _show_fixes(self, view: Judged) -> None:
        """Show what can be done about what was found, and nothing else."""
        data, found = view.recipe.data, view.examined
        assert found is not None  # noqa: S101  (shown only where there are splits)
        small = ", ".join(f"{name} ({size})" for name, size in found.small.items())
        self._small_said.value = markup.paragraphs([self.words("data.small", n=len(found.small), classes=small)])
        self.group.options, self.group.value = view.groups, next(iter(view.groups), None)
        kept = data.keep_personal_data
        key = "data.kept" if kept else "data.personal_found" if view.findings else "data.personal_none"
        told = markup.paragraphs([self.words(key, reason=kept), self.words("data.personal_unseen")])
        self.personal.value = data_views.personal_table(view, self.words) + told
        shown = {
            self._small: bool(found.small) and len(found.splits.classes) - len(found.small) >= 2,
            self._leaks: bool(found.leaking) and not data.allow_leakage,
            self._groups: bool(view.groups) and data.splits.by != "group",
            self.draw_anew: data.splits.by == "column",
            self._private: bool(view.findings) and not kept,
            self.redact: data.source.path is not None and data.corrections is None,
        }
        for widget, is_shown in shown.items():
            widget.layout.display = None if is_shown else "none"

    def _show_few(self) -> None:
        found = None if self.view is None else self.view.examined
        self.rows.value = data_views.few_rows(found, self.words) if found and self.show_rows.value else ""

    def _make_controls(self) -> None:
        self.sentences, self.tables, self.classes, self.personal, self.rows = (w.HTML() for _ in range(5))
        self._small_said, self._leak_said, self._keep_said = (w.HTML() for _ in range(3))
        self.leave_out = self.button("data.leave_out", self.leave_small_out, primary=True)
        self.group = self.control(w.Dropdown, "data.group")
        self.hold_out = self.button("data.hold_out", self.hold_groups_out)
        self.draw_anew = self.button("data.draw_anew", self.split_anew)
        self.leak_reason, self.keep_reason = (self.control(w.Text, "data.reason") for _ in "12")
        self.allow = self.button("data.allow", self.allow_leaks)
        self.redact = self.button("data.redact", self.redact_table)
        self.keep = self.button("data.keep", self.keep_personal)
        self.show_rows = self.control(w.ToggleButton, "data.show_rows", self._show_few)
        self._small = w.VBox([self._small_said, row(self.leave_out)])
        self._leaks = w.VBox([row(self.draw_anew, self.leak_reason, self.allow), self._leak_said])
        self._groups = w.VBox([w.HTML(markup.text(self.words("data.groups_told"))), row(self.group, self.hold_out)])
        self._private = w.VBox([row(self.redact, self.keep_reason, self.keep), self._keep_said])
        health = [self._small, self._leaks, self.h3("data.health"), self.sentences, self._groups]
        private, doubts = [self.h3("data.personal"), self.personal, self._private], self.words("data.doubts")
        last = [self.h3("data.rows_title"), w.HTML(markup.prose(doubts)), row(self.show_rows), self.rows]
        counted = row(self.tables, self.classes, kind="wb-two")
        self._shown = w.VBox([*health, counted, *private, *last], layout=HIDDEN)
        self.body.children = (self._shown,)
