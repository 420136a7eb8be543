"""What every panel of the Guide is: a title, a state, what blocks it, a body, and the code that does the same.

The header of the Guide reads ``state`` and ``blockers`` only. Work goes through an injected executor, so that a click
answers at once; what goes wrong becomes a sentence at the place where it happened, and the rest stays usable.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from typing import Any, ClassVar, TypedDict, TypeVar, Unpack

import ipywidgets as w
import traitlets

from workbench.errors import WorkbenchError
from workbench.projects.desk import Desk
from workbench.widgets import markup, saved
from workbench.widgets.words import Words
from workbench.widgets.work import background

T = TypeVar("T")
W = TypeVar("W", bound=w.Widget)
STATES = ("blocked", "ready", "running", "done", "failed")
WIDE = {"description_width": "initial"}
HIDDEN = {"display": "none"}


class Given(TypedDict, total=False):
    """What every panel takes by name, beside what it is about.

    Attributes:
        desk: The recipe and the runs that the Guide works at; a panel without one stands alone.
        words: The words of a language, where several panels share them.
        language: ISO 639 code of a shipped language; the locale's when ``None``.
        executor: Who does the work; a thread when ``None``.
    """

    desk: Desk | None
    words: Words | None
    language: str | None
    executor: Executor | None


class Panel(w.VBox):
    """A part of the Guide that also stands alone.

    Attributes:
        state: ``blocked``, ``ready``, ``running``, ``done`` or ``failed``.
        blockers: Sentences that say why one cannot go on; empty where one can.
        body: What the panel shows; a subclass fills it.
        show_code: Button that shows ``code``.
    """

    STEP: ClassVar[str] = "panel"

    state = traitlets.Enum(STATES, default_value="ready")
    blockers = traitlets.Tuple()

    def __init__(self, **given: Unpack[Given]) -> None:
        """Make an empty panel.

        Args:
            **given: As described at :class:`Given`.

        Raises:
            ValueError: The language is not shipped.
        """
        self.words = given.get("words") or Words(given.get("language"))
        self.executor = given.get("executor") or background()
        self._turn = 0
        self.style_sheet = w.HTML(markup.style())
        self.heading = w.HTML(f"<h2>{markup.text(self.words(f'{self.STEP}.title'))}</h2>")
        self.status = w.HTML(markup.status(""))
        self.notices = w.HTML()
        self.body = w.VBox()
        self.show_code = w.ToggleButton(value=False, description=self.words("panel.show_code"))
        self.show_code.observe(lambda _: self._show_code(), "value")
        self.code_view = w.HTML()
        self.foot = row(self.show_code)
        parts = (self.style_sheet, self.heading, self.notices, self.body, self.status, self.foot, self.code_view)
        super().__init__(parts)
        self.add_class("wb-panel")

    @property
    def code(self) -> str:
        """The few lines of Python that do what the panel did."""
        raise NotImplementedError

    def snapshot(self) -> str:
        """The present state as plain HTML, for a saved notebook; no text of a row unless the recipe allows it."""
        return f"{self.heading.value}{self.notices.value}"

    def _ipython_display_(self) -> None:
        """Show the panel in a notebook, and below it what a saved notebook keeps of it."""
        self.observe(saved.show(self, self.snapshot, self.words).update, "state")

    def refresh(self) -> None:
        """Show again what is on disk now."""

    def tell(self, sentence: str) -> None:
        """Say how things stand, beside the work."""
        self.status.value = markup.status(sentence)

    def say(self, kind: str, sentences: Sequence[str]) -> None:
        """Put sentences that matter above the body; none clears it.

        Args:
            kind: One of ``info``, ``ok``, ``warning``, ``error``.
            sentences: In the reader's language.
        """
        self.notices.value = markup.notice(kind, self.words(f"panel.{kind}"), sentences)

    def block(self, sentences: Sequence[str]) -> None:
        """Say why one cannot go on, or with none that one can."""
        self.blockers = tuple(sentences)
        self.state = "blocked" if sentences else "ready"
        self.say("warning", sentences)

    def work(self, doing: str, act: Callable[[], T], then: Callable[[T], Any]) -> None:
        """Do something that takes time; ``then`` shows its result.

        A newer work makes an older one's result void. A ``WorkbenchError`` is told here, and so is what nobody
        expected, with its type: the panel stays usable.

        Args:
            doing: What is being done, in the reader's language.
            act: The work; it touches no widget.
            then: Takes the result and shows it.
        """
        self._turn += 1
        turn = self._turn
        self.state = "running"
        self.tell(doing)
        self.executor.submit(self._do, turn, act, then)

    def _do(self, turn: int, act: Callable[[], T], then: Callable[[T], Any]) -> None:
        try:
            result = act()
            if turn != self._turn:
                return
            self.tell("")
            self.state = "ready"
            self.say("info", ())
            then(result)
        except Exception as error:
            if turn == self._turn:
                self.fail(error)

    def fail(self, error: BaseException) -> None:
        """Tell an error at this panel; a ``WorkbenchError`` in its three parts."""
        self.state = "failed"
        self.tell("")
        self.say("error", self.told(error))

    def refuse(self, why: str | WorkbenchError) -> None:
        """Say why there is nothing to show: a sentence blocks, an error has failed."""
        self.fail(why) if isinstance(why, WorkbenchError) else self.block([why])

    def told(self, error: BaseException) -> list[str]:
        """An error as sentences in the reader's language."""
        if not isinstance(error, WorkbenchError):
            return [self.words("panel.unexpected", error=f"{type(error).__name__}: {error}")]
        parts = [*(error.problems or (error.problem,)), error.would_be_right, error.what_to_do]
        return [self.words.sentence(part) for part in parts if part]

    def button(self, key: str, act: Callable[[], Any], *, primary: bool = False, **values: Any) -> w.Button:
        """A button in the panel's language, as :func:`button` makes it."""
        return button(self.words, key, act, primary=primary, **values)

    def control(self, kind: type[W], key: str, act: Callable[[], Any] | None = None, **more: Any) -> W:
        """A stock control in the panel's language, as :func:`control` makes it."""
        return control(self.words, kind, key, act, **more)

    def h3(self, key: str, **values: Any) -> w.HTML:
        """A heading inside the panel, with the words of a key."""
        return w.HTML(f"<h3>{markup.text(self.words(key, **values))}</h3>")

    def _show_code(self) -> None:
        self.code_view.value = markup.code(self.code) if self.show_code.value else ""


def button(words: Words, key: str, act: Callable[[], Any], *, primary: bool = False, **values: Any) -> w.Button:
    """A button that calls a method; its words are those of a key, its tooltip those of ``<key>.tip``."""
    tip = words.texts.get(f"{key}.tip", "")
    made = w.Button(description=words(key, **values), tooltip=tip, button_style="primary" if primary else "")
    made.on_click(lambda _: act())
    return made


def control(words: Words, kind: type[W], key: str, act: Callable[[], Any] | None = None, **more: Any) -> W:
    """A stock control whose label is the words of a key, and takes the room it needs.

    Args:
        words: The language.
        kind: Class of the control.
        key: Of its label.
        act: What is called when its value changes.
        **more: Further arguments of the class.
    """
    made: W = kind(description=words(key), style=WIDE, **more)
    if act is not None:
        made.observe(lambda _: act(), "value")
    return made


def row(*parts: w.Widget, kind: str = "wb-row") -> w.HBox:
    """Controls beside each other, on a further line where the column is narrow.

    Args:
        parts: The controls.
        kind: Their class of the style sheet: ``wb-row``, ``wb-two`` or ``wb-cards``.
    """
    made = w.HBox(parts)
    made.add_class(kind)
    return made
