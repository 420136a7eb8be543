"""Report and release: the report, what only a person can say, what holds, who signed off, and the export.

It decides nothing. What it shows is read from the run's folder, and what a person states is written there.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Unpack

import ipywidgets as w

from workbench.projects.desk import run_at
from workbench.widgets import markup
from workbench.widgets.panel import WIDE, Given, Panel, row

LONG_FIELDS = ("intended_use", "out_of_scope", "known_limits")
Said = tuple[str, list[str]]


class Release(Panel):
    """What a person does before a model leaves the house.

    Attributes:
        verify, save, sign, export: Its buttons.
        fields: Card field to its control; ``notes`` has what is said beneath each.
        name, role, statement: What a sign-off says.
        candidate, place: What is exported, and where to.
    """

    STEP = "release"

    def __init__(self, run: Any = None, **given: Unpack[Given]) -> None:
        """Open the panel.

        Args:
            run: A run, its folder, or ``latest``; the desk's newest run when ``None``.
            **given: What every panel takes; see :class:`~workbench.widgets.panel.Given`.
        """
        super().__init__(**given)
        self.desk = given.get("desk")
        self._given = getattr(run, "path", run)
        self._seen: dict[str, Any] = {"path": None}
        self._verified: tuple[int, Any] = (0, None)
        self._problems: Mapping[str, str] = {}
        self.report, self.gate, self.signed, self.exported = (w.HTML() for _ in range(4))
        self.verify = self.button("release.verify", self.run_verify)
        self.fields: dict[str, Any] = {}
        self.notes: dict[str, w.HTML] = {}
        self.form = w.VBox()
        self.save = self.button("release.save", self.write_card)
        self.name, self.role = self._box(w.Text, "release.sign.name"), self._box(w.Text, "release.sign.role")
        self.statement = self._box(w.Textarea, "release.sign.statement")
        self.sign = self.button("release.sign.button", self.sign_off)
        self.candidate, self.place = self._box(w.Dropdown, "release.candidate"), self._box(w.Text, "release.place")
        self.candidate.observe(lambda _: self._propose_place(), "value")
        self.export = self.button("release.export.button", self.write_export, primary=True)
        self._parts = (
            self._titled("report", self.report),
            self._titled("card", self.form, self.save),
            self._titled("gate", self.gate, self.verify),
            self._titled("sign", self.signed, row(self.name, self.role), self.statement, self.sign),
            self._titled("export", row(self.candidate, self.place), self.export, self.exported),
        )
        if given.get("desk") is None:
            self.refresh()

    def refresh(self) -> None:
        """Show again what is on disk now; what was typed and not saved stays."""
        self.work(self.words("release.reading"), self._look, self._show)

    def run_verify(self) -> None:
        """Compare every file with the manifest, and compute every score again."""
        self._act("release.verifying", self._verify)

    def write_card(self) -> None:
        """Write what was typed into the card, or say at each field why not."""
        values = {name: box.value for name, box in self.fields.items()}
        self._act("release.saving", lambda run: self._write_card(run, values))

    def sign_off(self) -> None:
        """Record a sign-off of the present state."""
        given = (self.name.value, self.role.value, self.statement.value)
        self._act("release.signing", lambda run: self._sign(run, given))

    def write_export(self) -> None:
        """Write the zip or folder."""
        name, place = str(self.candidate.value), Path(self.place.value)
        self._act("release.exporting", lambda run: self._write_export(run, name, place))

    @property
    def code(self) -> str:
        """Card, gate and export of this run."""
        run, place = self._seen["path"], Path(self.place.value).as_posix()
        if run is None:
            return "from workbench.widgets import Guide\n\nGuide()"
        values = self._seen["values"]
        card = f"releasing.write_card_fields(run, {values!r})\n" if values else ""
        chosen = f"releasing.export(run, {self.candidate.value!r}, Path({place!r}))\n" if self.candidate.value else ""
        return (
            "from pathlib import Path\n\nimport workbench as wb\nfrom workbench import releasing\n\n"
            f"run = Path({run.as_posix()!r})\n{card}for line in releasing.gate(run, wb.verify(run)):\n"
            f"    print('yes' if line.ok else 'no', line.what, *line.why)\n{chosen}"
        )

    def snapshot(self) -> str:
        """Gate, sign-offs and export; the report stays in its file."""
        return "".join(one.value for one in (self.heading, self.notices, self.gate, self.signed, self.exported))

    def _box(self, kind: Any, key: str, label: str = "") -> Any:
        wide = w.Layout(width="auto", flex="1 1 260px" if key and kind is not w.Textarea else "0 0 auto")
        return kind(description=label or self.words(key), style=WIDE, layout=wide)

    def _titled(self, part: str, *parts: Any) -> w.VBox:
        about = self.words(f"release.{part}.about")
        head = f"<h3>{markup.text(self.words(f'release.{part}'))}</h3>{markup.paragraphs([about])}"
        for button in (one for one in parts if isinstance(one, w.Button)):
            button.layout.align_self = "flex-start"
        return w.VBox([w.HTML(head), *parts])

    def _act(self, doing: str, act: Callable[[Path], Said]) -> None:
        """Do something with the run, read the disk again, show both."""
        run, self._problems = self._seen["path"], {}

        def show(found: tuple[Said, dict[str, Any]]) -> None:
            self._show(found[1])
            self.say(*found[0])

        self.work(self.words(doing), lambda: (act(run), self._look()), show)

    def _look(self) -> dict[str, Any]:
        """What is on disk; no path where no run is finished."""
        run = self.desk.run if self.desk is not None and self._given is None else None
        if self._given is not None:
            from workbench.runs import find_run

            run = run_at(find_run(self._given))
        if run is None or run.status != "done":
            return {"path": None, "status": run.status if run is not None else None}
        from workbench import recipe, releasing, storage

        page, chosen = run.path / "report.html", run.path / "recommendation.json"
        state = _written(run.path / "manifest.json")
        return {
            "path": run.path,
            "state": state,
            "fields": releasing.CARD_FIELDS,
            "values": releasing.read_card_fields(run.path),
            "lines": releasing.gate(run.path, self._verified[1] if self._verified[0] == state else None),
            "signed": releasing.sign_offs(run.path),
            "candidates": tuple(sorted(one.parent.name for one in run.path.glob("models/*/candidate.json"))),
            "recommended": storage.read_json(chosen).get("candidate") if chosen.is_file() else None,
            "name": recipe.read(run.path / "recipe.yaml").recipe.name,
            "report": page.read_text(encoding="utf-8") if page.is_file() else "",
        }

    def _verify(self, run: Path) -> Said:
        from workbench.pipeline import verify

        verified = verify(run)
        self._verified = (_written(run / "manifest.json"), verified)
        failed, n = sum(not one.ok for one in verified.findings), len(verified.findings)
        told = self.words("release.not_verified", n=failed, n1=n) if failed else self.words("release.verified")
        return "warning" if failed else "ok", [told]

    def _write_card(self, run: Path, values: dict[str, str]) -> Said:
        from workbench import releasing

        self._problems = releasing.card_problems(values)
        if self._problems:
            return "error", [self.words("release.problems", n=len(self._problems))]
        releasing.write_card_fields(run, values)
        return "ok", [self.words("release.saved")]

    def _sign(self, run: Path, given: tuple[str, str, str]) -> Said:
        from workbench import releasing

        return "ok", [self.words("release.signed", name=releasing.sign_off(run, *given).name)]

    def _write_export(self, run: Path, name: str, place: Path) -> Said:
        from workbench import releasing

        made = releasing.export(run, name, place)
        left = [self.words("release.left_out", names=", ".join(made.left_out))] if made.left_out else []
        return "ok", [self.words("release.exported", path=made.path, n=len(made.files)), *left]

    def _show(self, seen: dict[str, Any]) -> None:
        again, self._seen = seen["path"] == self._seen["path"], seen
        if seen["path"] is None:
            self.body.children = ()
            status = self.words(f"release.status.{seen['status']}") if seen["status"] else ""
            self.block([self.words("release.not_done" if status else "release.no_run", status=status)])
            return
        self.block(())
        self._show_report()
        self._show_fields(again)
        self._show_gate()
        if not again:
            self.candidate.options = seen["candidates"]
            self.candidate.value = seen["recommended"] if seen["recommended"] in seen["candidates"] else None
            self._propose_place()
        self._show_exported()
        self.body.children = self._parts

    def _show_report(self) -> None:
        run, page = self._seen["path"], self._seen["report"]
        title = markup.text(self.words("release.frame", run=f"{run.parent.name}/{run.name}"))
        shown = f'<iframe class="wb-page" sandbox="" lang="en" title="{title}" srcdoc="{markup.text(page)}"></iframe>'
        shown = f"<details><summary>{markup.text(self.words('release.show_report'))}</summary>{shown}</details>"
        gone = markup.notice("warning", self.words("panel.warning"), [self.words("release.gone")])
        self.report.value = f"<p>{markup.original(run / 'report.html')}</p>{shown}" if page else gone

    def _show_fields(self, again: bool) -> None:
        """Make the form at first; then put in what is on disk, unless something else was typed meanwhile."""
        before, values = getattr(self, "_loaded", {}), self._seen["values"]
        for name, one in self._seen["fields"].items():
            label = self.words.sentence(one.title)
            if name not in self.fields:
                label = self.words("release.required", field=label) if one.required else label
                self.fields[name] = self._box(w.Textarea if name in LONG_FIELDS else w.Text, "", label)
                self.notes[name] = w.HTML()
            if not again or self.fields[name].value == before.get(name, ""):
                self.fields[name].value = values.get(name, "")
            wrong = [self.words.sentence(self._problems[name])] if name in self._problems else []
            help_ = markup.paragraphs([" ".join(map(self.words.sentence, (one.rule, one.reason)))])
            self.notes[name].value = markup.notice("error", self.words("panel.error"), wrong) or help_
        self._loaded = values
        self.form.children = [part for name in self.fields for part in (self.fields[name], self.notes[name])]

    def _show_gate(self) -> None:
        lines, say = self._seen["lines"], self.words.sentence
        answers = {True: f"✓ {self.words('release.yes')}", False: f"✕ {self.words('release.no')}"}
        told = self.words("release.gate.sum", n=sum(one.ok for one in lines), n1=len(lines))
        heads = [self.words(f"release.gate.{key}") for key in ("what", "holds", "why")]
        rows = [(say(one.what), answers[one.ok], " ".join(say(why) for why in one.why)) for one in lines]
        self.gate.value = markup.table(heads, rows, told)
        of = {True: self.words("release.sign.current"), False: self.words("release.sign.earlier")}
        heads = [self.words(f"release.sign.{key}") for key in ("name", "role", "statement", "time", "state")]
        signed = [(one.name, one.role, one.statement, one.time, of[one.current]) for one in self._seen["signed"]]
        none = markup.paragraphs([self.words("release.sign.none")])
        self.signed.value = markup.table(heads, signed, self.words("release.sign.list")) if signed else none

    def _propose_place(self) -> None:
        run = self._seen["path"]
        if run is not None and self.candidate.value:
            place = run.parents[1] / "exports" / f"{self._seen['name']}-{self.candidate.value}.zip"
            self.place.value = str(place)
        self.export.disabled = not self.candidate.value

    def _show_exported(self) -> None:
        """Whether an export of the run's present state is there; then the panel's work is done."""
        place, failing = Path(self.place.value), sum(not one.ok for one in self._seen["lines"])
        there = _written(place if place.is_file() else place / "manifest.json") >= self._seen["state"] > 0
        told = [self.words("release.there", path=place)] if there else []
        told += [self.words("release.open", n=failing)] if there and failing else []
        self.exported.value = markup.paragraphs(told)
        self.state = "done" if there else self.state


def _written(file: Path) -> int:
    """When a file was written, in nanoseconds; 0 where there is none."""
    return file.stat().st_mtime_ns if file.is_file() else 0
