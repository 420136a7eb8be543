"""Try it: type a text and see what every kept candidate makes of it, on which words, and what it resembles.

Models are loaded when they are first asked. What is typed here is written nowhere.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Unpack

import ipywidgets as w

from workbench.errors import WorkbenchError
from workbench.widgets import markup
from workbench.widgets.inspect_code import code_of
from workbench.widgets.label_error import tried
from workbench.widgets.panel import Given, Panel, row

if TYPE_CHECKING:
    from workbench.data import SourceTable
    from workbench.pipeline.asking import Answer, Asked, Near

MOST_CHARACTERS = 1_000_000
MOST_EXPLAINED = 20_000
MOST_WORDS = 25
MOST_IN_SET = 6


class TryIt(Panel):
    """A text of one's own, asked of every kept candidate of a run.

    Attributes:
        text: What is asked.
        ask: Button that asks.
        explained: Whose words are shown.
        near: Button that looks for the nearest training examples.
        read: Reads the table, where somebody has it already; the run's own is read when ``None``.
    """

    STEP = "try"

    def __init__(self, subject: object | None = None, **given: Unpack[Given]) -> None:
        """Ask a run's candidates.

        Args:
            subject: A run, its folder, or ``latest``; the desk's run when ``None``.
            **given: What every panel takes; see :class:`~workbench.widgets.panel.Given`.
        """
        super().__init__(**given)
        self.subject: Any = getattr(subject, "path", subject)
        self.desk = given.get("desk")
        self.asked: Asked | None = None
        self._answers: list[Answer | tuple[str, WorkbenchError]] = []
        self._text = ""
        self.read: Callable[[], SourceTable] | None = None
        wide = w.Layout(width="min(100%, 760px)", height="auto")
        self.text = self.control(w.Textarea, "try.text", placeholder=self.words("try.placeholder"), rows=4, layout=wide)
        self.explained = self.control(w.Dropdown, "try.explained", self._explain)
        self.ask = self.button("try.ask", self.ask_all, primary=True)
        self.near = self.button("try.near", self.look_near)
        self.answers, self.hint, self.weights, self.examples = (w.HTML() for _ in range(4))
        self.weights.add_class("wb-weights")
        line = row(self.ask, self.explained, self.near)
        self._parts = (self.text, line, self.hint, self.answers, self.weights, self.examples)
        if given.get("desk") is None:
            self.refresh()

    def refresh(self) -> None:
        """Look again which candidates the run keeps."""
        self.work(self.words("try.opening"), lambda: tried(self._open), self._filled)

    @property
    def code(self) -> str:
        """The lines that ask the same of a candidate."""
        path = self.subject or "latest" if self.asked is None else self.asked.path
        return code_of("try", path, self.explained.value)

    def snapshot(self) -> str:
        """The answers; neither the text nor its words unless the recipe allows examples in its report."""
        with_texts = self.asked is not None and self.asked.examples
        shown = f"{super().snapshot()}{self.hint.value}{self.answers.value}"
        return f"{shown}{self.weights.value}{self.examples.value}" if with_texts else shown

    def ask_all(self) -> None:
        """Ask every candidate, the recommended one first, and then for the words that mattered."""
        text = self.text.value.strip()
        if self.asked is None or not text or len(text) > MOST_CHARACTERS:
            key = "try.too_long" if len(text) > MOST_CHARACTERS else "try.empty"
            self._tell_all([self.words(key, n=len(text))])
            return
        self._text, self._answers = text, []
        self.weights.value = self.examples.value = self.answers.value = ""
        self._tell_all([self.words("try.long", n=len(text))] if len(text) > MOST_EXPLAINED else [])
        self._ask_next(list(self.asked.names))

    def look_near(self) -> None:
        """Look for the training examples whose spelling is nearest."""
        text, asked = self.text.value.strip(), self.asked
        if asked is None or not text:
            self._tell_all([self.words("try.empty")])
            return
        asked.source = self.read or asked.source
        self.work(self.words("try.looking"), lambda: tried(lambda: asked.nearest(text)), self._show_near)

    def _open(self) -> Asked | str:
        """The finished run's candidates; else the sentence that says why there are none."""
        from workbench.pipeline.asking import Asked
        from workbench.widgets.looking import finished_run

        found = finished_run(self.subject, self.desk, self.words)
        return found if isinstance(found, str) else Asked(found)

    def _filled(self, found: Asked | str | WorkbenchError) -> None:
        if isinstance(found, str | WorkbenchError):
            self.asked, self.body.children = None, ()
            self.refuse(found)
            return
        if not found.names:
            self.block([self.words("try.no_models")])
            return
        if self.asked is None or self.asked.path != found.path:
            self.asked = found
            self.explained.options = found.names
            self.explained.index = 0
        self.body.children = self._parts
        self._settle()

    def _settle(self) -> None:
        if self._answers:
            self.state = "done"

    def _ask_next(self, names: Sequence[str]) -> None:
        asked, text = self.asked, self._text
        if not names or asked is None:
            self._explain()
            return
        name, rest = names[0], names[1:]

        def answered(found: Answer | WorkbenchError) -> None:
            self._answers.append((name, found) if isinstance(found, WorkbenchError) else found)
            self._show_answers()
            self._settle()
            self._ask_next(rest)

        self.work(self.words("try.asking", candidate=name), lambda: tried(lambda: asked.ask(name, text)), answered)

    def _show_answers(self) -> None:
        heads = ("candidate", "answer", "probability", "next", "set", "decides", "latency")
        rows, errors, flagged = [], [], []
        for one in self._answers:
            if isinstance(one, tuple):
                errors.append(f"{one[0]}: {' '.join(self.told(one[1]))}")
                continue
            rows.append(self._row(one))
            flagged += [one.name] if one.flagged else []
        table = markup.table([self.words(f"try.{one}") for one in heads], rows, self.words("try.caption"), numbers=1)
        notices = [self.words("try.flagged", candidates=", ".join(flagged))] if flagged else []
        shown = markup.notice("warning", self.words("panel.warning"), [*notices, *errors])
        self.answers.value = (table if rows else "") + shown

    def _row(self, one: Answer) -> tuple[object, ...]:
        (label, sure), *others = one.top
        following = "; ".join(f"{name} {share:.2f}" for name, share in others)
        inside = "–" if one.inside is None else "; ".join(one.inside[:MOST_IN_SET])
        if one.inside is not None and len(one.inside) > MOST_IN_SET:
            inside = self.words("try.and_more", classes=inside, n=len(one.inside) - MOST_IN_SET)
        decides = self.words("try.no_decision")
        if one.why is not None:
            whys = ", ".join(self.words.sentence(part) for part in one.why.split("; "))
            decides = self.words("try.person", why=whys) if one.why else self.words("try.alone")
        took = f"{one.milliseconds:.{0 if one.milliseconds >= 10 else 2}f}"
        return one.name, label, f"{sure:.2f}", following, inside, decides, took

    def _explain(self) -> None:
        """The words that held up the answer of the chosen candidate."""
        asked, text, name = self.asked, self._text, self.explained.value
        if asked is None or not text or len(text) > MOST_EXPLAINED or name is None:
            return
        self.work(
            self.words("try.explaining", candidate=name),
            lambda: tried(lambda: asked.explain(name, text)),
            lambda found: self._show_words(name, found),
        )

    def _show_words(self, name: str, found: list[tuple[str, float]] | WorkbenchError) -> None:
        self._settle()
        if isinstance(found, WorkbenchError):
            self.weights.value = ""
            return
        strongest = sorted(range(len(found)), key=lambda at: -abs(found[at][1]))[:MOST_WORDS]
        rows = [found[at] for at in sorted(strongest)]
        heads = [self.words(f"try.{one}") for one in ("word", "weight", "bar")]
        caption = self.words("try.words_caption", candidate=name, n=len(rows), all=len(found))
        largest = max((abs(weight) for _, weight in rows), default=0.0) or 1.0
        cells = [(word, f"{weight:+.3f}", "▬" * round(12 * abs(weight) / largest)) for word, weight in rows]
        head = f"<h3>{markup.text(self.words('try.words'))}</h3>{markup.paragraphs([self.words('try.words_why')])}"
        self.weights.value = head + markup.table(heads, cells, caption)

    def _show_near(self, found: list[Near] | WorkbenchError) -> None:
        self._settle()
        head = f"<h3>{markup.text(self.words('try.near_title'))}</h3>"
        if isinstance(found, WorkbenchError):
            sentences = [self.words("try.no_source"), *self.told(found)]
            self.examples.value = head + markup.notice("warning", self.words("panel.warning"), sentences)
            return
        unlabelled = self.words("try.unlabelled")
        rows = [(one.row, one.label or unlabelled, f"{one.similarity:.2f}", one.text) for one in found]
        heads = [self.words(f"try.{one}") for one in ("row", "class", "similarity", "example")]
        table = markup.table(heads, rows, self.words("try.near_caption")) if rows else ""
        sentences = [self.words("try.near_why") if rows else self.words("try.none_near")]
        self.examples.value = head + markup.paragraphs(sentences) + table

    def _tell_all(self, sentences: Sequence[str]) -> None:
        self.hint.value = markup.notice("info", self.words("panel.info"), sentences)
