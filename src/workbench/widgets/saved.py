"""What a saved notebook shows of a panel where widgets cannot render: its last state, as plain HTML.

It is a second output below the panel, hidden by the style sheet that comes with living widgets. It holds no script, no
style sheet and no inline SVG, which viewers take out, and of the data what the panel's ``snapshot`` gives: no texts.
"""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable
from datetime import datetime
from typing import Any

from workbench.widgets import markup
from workbench.widgets.words import Words

EVERY = 2.0
"""Seconds between two updates, at least."""
BOX = "border-left: 4px solid #767676; padding: 4px 12px; margin: 6px 0; overflow-x: auto"
CELL = "text-align: left; padding: 2px 10px 2px 0; vertical-align: top"
STYLES = {
    "table": "border-collapse: collapse; margin: 6px 0",
    "caption": "text-align: left; caption-side: top",
    "th": CELL,
    "td": CELL,
    "pre": "overflow-x: auto",
    "img": "max-width: 100%; height: auto; background: #ffffff",
}
LIVING = re.compile(r' (?:role="(?:status|alert)"|aria-live="[^"]*"|tabindex="0")')
UNSAFE = re.compile(r"<(style|script|svg)\b.*?</\1\s*>", re.DOTALL | re.IGNORECASE)


def plain(html: str, words: Words) -> str:
    """A snapshot as it stands in a saved notebook: with its time, and with a look that needs no style sheet.

    Args:
        html: A panel's ``snapshot()``.
        words: The reader's language.
    """
    kept = LIVING.sub("", UNSAFE.sub("", html))
    styled = re.sub(rf"<({'|'.join(STYLES)})\b", lambda tag: f'{tag.group()} style="{STYLES[tag.group(1)]}"', kept)
    when = datetime.now().astimezone().strftime("%Y-%m-%d %H:%M")
    told = markup.text(words("saved.state", time=when))
    return f'<div class="wb-saved" lang="{words.language}" style="{BOX}"><p><em>{told}</em></p>{styled}</div>'


class Saved:
    """The saved state of one panel."""

    def __init__(self, snapshot: Callable[[], str], *, words: Words | None = None) -> None:
        """Remember whose state it is; ``show`` puts it below what the cell shows.

        Args:
            snapshot: Gives the present state as HTML.
            words: The language; the locale's when ``None``.
        """
        self.snapshot, self.words = snapshot, words or Words()
        self._handle: Any = None
        self._last, self._said = 0.0, ""
        self._lock = threading.Lock()
        self._waiting: threading.Timer | None = None

    def show(self) -> None:
        """Display it in the cell that runs; does nothing outside a kernel."""
        if not in_kernel():
            return
        from IPython.display import DisplayHandle

        self._handle = DisplayHandle()  # type: ignore[no-untyped-call]
        self._said = self.snapshot()
        self._last = time.monotonic()
        self._handle.display(self._bundle(), raw=True)

    def update(self, *_: Any) -> None:
        """Say that the state changed; it is written as soon as the last time is long enough ago. Any thread may."""
        if self._handle is None:
            return
        with self._lock:
            if self._waiting is not None:
                return
            self._waiting = threading.Timer(max(0.0, self._last + EVERY - time.monotonic()), self._write)
            self._waiting.daemon = True
            self._waiting.start()

    def _write(self) -> None:
        with self._lock:
            self._waiting, self._last = None, time.monotonic()
        said = self.snapshot()
        if said != self._said:
            self._said = said
            self._handle.update(self._bundle(), raw=True)

    def _bundle(self) -> dict[str, str]:
        return {"text/html": plain(self._said, self.words), "text/plain": self.words("saved.none")}


def show(widget: Any, snapshot: Callable[[], str], words: Words) -> Saved:
    """Display a widget, and below it its saved state; for ``_ipython_display_``.

    Returns:
        The saved state; call its ``update`` whenever the widget changed.
    """
    from IPython.display import display

    bundle = widget._repr_mimebundle_() | {"text/plain": type(widget).__name__}
    display(bundle, raw=True)  # type: ignore[no-untyped-call]
    kept = Saved(snapshot, words=words)
    kept.show()
    return kept


def in_kernel() -> bool:
    """Whether this is a notebook's kernel."""
    from IPython import get_ipython

    return getattr(get_ipython(), "kernel", None) is not None
