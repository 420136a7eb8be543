"""First step: a recipe that comes along, a table of one's own, or what was begun before."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, Unpack

import ipywidgets as w

from workbench import recipe as recipes
from workbench.errors import DataError
from workbench.projects import uploads
from workbench.projects.desk import Desk, Kept
from workbench.widgets import markup
from workbench.widgets.beginning import choosing, columns_table, needs
from workbench.widgets.panel import HIDDEN, Given, Panel, row
from workbench.widgets.upload import Upload

ASKED = ("text", "label", "group", "country")
ENCODINGS = ("utf-8", "cp1252", "latin-1", "utf-16")
ENDINGS = ".csv,.tsv,.tab,.txt,.jsonl,.ndjson,.parquet,.pq"
Begun = tuple[list[Kept], dict[str, list[Any]], str, dict[str, str]]


class Choose(Panel):
    """Chooses what the work begins with, and writes its recipe.

    Attributes:
        earlier: Recipes that were chosen before; ``go_on`` takes the selected one.
        upload: A table from the person's own computer.
        path: Path of a table on this machine; ``read`` reads it.
        encoding: How a text file is encoded; asked for where it is not UTF-8.
        text: Column with the text; likewise ``label``, ``group``.
        country: Whose grid feeds this machine.
        show_rows: Shows a few rows, which are never shown unasked.
        use: Button that writes the recipe of the table.
        cards: Name of each shipped recipe to the button that takes it.
    """

    STEP = "choose"

    def __init__(self, table: object | None = None, **given: Unpack[Given]) -> None:
        """Show what there is to begin with.

        Args:
            table: One's own: a path, a pandas frame, a ``datasets.Dataset``, an Arrow table.
            **given: What every panel takes; see :class:`~workbench.widgets.panel.Given`.
        """
        super().__init__(**given)
        self.desk = given.get("desk") or Desk()
        self.look: uploads.Look | None = None
        self._begun: Begun | None = None
        self._incoming: Callable[[], uploads.Incoming] | None = None
        self._trouble = w.HTML()
        self.cards, self._texts, self._told = dict[str, w.Button](), dict[str, w.HTML](), dict[str, str]()
        self.earlier = self.control(w.Dropdown, "choose.earlier")
        self.go_on = self.button("choose.go_on", self.take_earlier)
        self._earlier_box = w.VBox([self.h3("choose.go_on_title"), row(self.earlier, self.go_on)], layout=HIDDEN)
        self.body.children = (self._earlier_box, self._own_box(), self.h3("choose.shipped_title"), self._make_cards())
        above = (self.style_sheet, self.heading, self.notices, self.status)
        self.children = (*above, self.body, self.foot, self.code_view)
        self.refresh() if table is None else self.take(table)

    def take(self, table: object) -> None:
        """Read a table that was handed over in Python."""
        self._read(lambda: uploads.given(table))

    def take_upload(self) -> None:
        """Read the file that was uploaded."""
        if self.upload.value:
            value, self.upload.value = tuple(self.upload.value), ()
            self._read(lambda: uploads.uploaded(value))

    def take_path(self) -> None:
        """Read the file whose path was typed."""
        if typed := self.path.value.strip():
            self._read(lambda: uploads.given(typed))

    def take_shipped(self, name: str) -> None:
        """Take a shipped recipe."""
        self.work(self.words("choose.writing"), lambda: self.desk.use_shipped(name), lambda _: self.refresh())

    def take_earlier(self) -> None:
        """Go on with the recipe that is selected."""
        file = self.earlier.value
        if file is not None:
            self.work(self.words("choose.writing"), lambda: self.desk.go_on(file), lambda _: self.refresh())

    def use_table(self) -> None:
        """Write the recipe of the table that was read, with the columns that are selected."""
        look = self.look
        if look is None or self._troubles():
            return
        came, encoding = look.incoming, self._encoding()
        columns: dict[str, Any] = {name: getattr(self, name).value or None for name in ASKED}

        def act() -> Path:
            file = came.path or self.desk.keep_upload(came.name, came.content)
            return self.desk.use_table(file, **columns, encoding=encoding)

        self.work(self.words("choose.writing"), act, lambda _: self.refresh())

    def refresh(self) -> None:
        """Show again what was begun before, and what is installed."""
        error = self.notices.value if self.state == "failed" else ""
        if self.state != "running":
            self.work(self.words("choose.looking"), self._look_around, lambda begun: self._show_begun(begun, error))

    @property
    def code(self) -> str:
        """Lines that write the chosen recipe where it is not there, and show it."""
        return choosing(self.desk)

    def snapshot(self) -> str:
        """What was read, without a value of it."""
        return f"{super().snapshot()}{self.columns.value}"

    def _read(self, incoming: Callable[[], uploads.Incoming]) -> None:
        self._incoming, encoding = incoming, self._encoding()
        self.rows.value, self.show_rows.value = "", False
        doing, home = self.words("choose.reading"), self.desk.home
        self.work(doing, lambda: uploads.look(incoming(), encoding, scratch=home), self._show_look)

    def fail(self, error: BaseException) -> None:
        """Tell an error; where the encoding was wrong, ask for it."""
        super().fail(error)
        if isinstance(error, DataError) and "encoding" in error.what_to_do:
            self.encoding.layout.display = None

    def _encoding(self) -> str | None:
        return None if self.encoding.value == ENCODINGS[0] else str(self.encoding.value)

    def _read_again(self) -> None:
        if self._incoming is not None:
            self._read(self._incoming)

    def _show_look(self, look: uploads.Look) -> None:
        self.look = None
        self.text.options = self.label.options = list(look.columns)
        self.group.options = [(self.words("choose.no_group"), ""), *((name, name) for name in look.groups)]
        self.text.value, self.label.value, self.group.value = look.text, look.label, ""
        self.look = look
        self.columns.value = columns_table(look, self.words)
        self._table_box.layout.display = None
        self._troubles()
        self.refresh()

    def _troubles(self) -> bool:
        """Say beside the columns what is wrong with them, or worth knowing; whether something is."""
        if self.look is None:
            return False
        wrong = [self.words(f"choose.{key}", **v) for key, v in self.look.troubles(self.text.value, self.label.value)]
        wrong += [] if self.country.value or not self.country.options else [self.words("choose.which_country")]
        singles = 0 if wrong else self.look.singles(self.label.value)
        told = [self.words("choose.singles", n=singles)] if singles else []
        kind = "warning" if wrong else "info"
        self._trouble.value = markup.notice(kind, self.words(f"panel.{kind}"), wrong or told)
        self.use.disabled = bool(wrong)
        return bool(wrong)

    def _show_few(self) -> None:
        if not self.show_rows.value or self.look is None:
            self.rows.value = ""
            return
        few = self.look.table.slice(0, 5)
        rows = zip(*(column.to_pylist() for column in few.columns), strict=True)
        self.rows.value = markup.table(few.column_names, rows, self.words("choose.few_rows", n=few.num_rows))

    def _look_around(self) -> Begun:
        from workbench.carbon import country_names
        from workbench.carbon.local import local_country
        from workbench.projects import missing

        absent = self._begun[1] if self._begun else {name: missing(recipes.read(name)) for name in self.cards}
        return self.desk.earlier(), absent, local_country(), country_names()

    def _show_begun(self, begun: Begun, error: str) -> None:
        kept, missing, here, countries = self._begun = begun
        statuses = {one.file: one.run.status if one.run else "none" for one in kept}
        offered = [(f"{file.stem}: {self.words(f'choose.run.{how}')}", file) for file, how in statuses.items()]
        self.earlier.options, self.earlier.index = offered, 0 if offered else None
        self._earlier_box.layout.display = None if kept else "none"
        if not self.country.options:
            asked = [] if here in countries else [(self.words("choose.choose_country"), "")]
            self.country.options = [*asked, *self.words.countries(countries)]
            self.country.value = here if here in countries else ""
        for name, absent in missing.items():
            self._texts[name].value = self._told[name] + needs(absent, self.words)
        self._troubles()
        file = self.desk.file
        if error:
            self.state, self.notices.value = "failed", error
        elif file is not None and file.is_file():
            self.state = "done"
            self.say("ok", [self.words("choose.chosen", name=file.stem, file=file.as_posix())])

    def _own_box(self) -> w.VBox:
        """Everything about a table of one's own."""
        limit = self.words("choose.own_limit", mb=uploads.LARGEST_MB)
        largest = uploads.LARGEST_MB * 1_000_000
        self.upload = Upload(description=self.words("choose.upload"), accept=ENDINGS, largest=largest)
        self.upload.observe(lambda _: self.take_upload(), "value")
        self.path = self.control(w.Text, "choose.path", placeholder="data/notes.csv")
        self.read = self.button("choose.read", self.take_path)
        self.encoding = self.control(w.Dropdown, "choose.encoding", self._read_again, options=ENCODINGS, layout=HIDDEN)
        way = row(self.upload, self.path, self.read, self.encoding)
        return w.VBox([self.h3("choose.own_title"), w.HTML(markup.paragraphs([limit])), way, self._make_table_box()])

    def _make_table_box(self) -> w.VBox:
        """What is shown once a table was read."""
        self.columns, self.rows = w.HTML(), w.HTML()
        drops = [self.control(w.Dropdown, f"choose.{name}", self._troubles) for name in ASKED]
        self.text, self.label, self.group, self.country = drops
        self.show_rows = self.control(w.ToggleButton, "choose.show_rows", self._show_few)
        self.use = self.button("choose.use", self.use_table, primary=True)
        buttons = row(self.use, self.show_rows)
        self._table_box = w.VBox([self.columns, row(*drops), self._trouble, buttons, self.rows], layout=HIDDEN)
        return self._table_box

    def _make_cards(self) -> w.HBox:
        """A card for each shipped recipe: what it makes, how long, what is missing for it."""
        boxes, plain = [], w.Layout()  # one for all of them: each more is a message before the first panel shows
        for name, file in sorted(recipes.shipped_recipes().items(), key=lambda one: (one[0].count("-"), one[0])):
            told = self.words.sentence(" ".join(recipes.recipe_header(file)))
            self._told[name] = f"<h4>{markup.original(name)}</h4><p>{markup.prose(told)}</p>"
            self._texts[name] = w.HTML(self._told[name], layout=plain)
            self.cards[name] = self.button("choose.take", partial(self.take_shipped, name), name=name)
            boxes.append(w.VBox([self._texts[name], self.cards[name]], layout=plain))
            boxes[-1].add_class("wb-card")
        return row(*boxes, kind="wb-cards")
