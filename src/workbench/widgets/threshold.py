"""How sure an answer has to be: a slider that shows what a threshold answers and how often it errs, and calibration."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import ipywidgets as w

from workbench.widgets import markup
from workbench.widgets.panel import Panel, row
from workbench.widgets.slider import Slider
from workbench.widgets.words import Words

if TYPE_CHECKING:
    from workbench.metrics.thresholds import Sweep
    from workbench.reporting.evidence import Evidence
    from workbench.reporting.looking import Look

STEPS = 100
COLOURS = {"ink": "#1f1f1f", "soft": "#555555", "line": "#b5b5b5", "paper": "#ffffff", "accent": "#0b5cad"}
OTHER = "#8a4b00"


class Threshold(w.VBox):
    """Coverage and error at any threshold, the run's own marked, and whether probabilities mean what they say.

    Attributes:
        slider: The threshold that is tried.
        back: Button that goes back to the run's own threshold.
        live: What the threshold does, on every split.
        picture: The reliability figure.
    """

    def __init__(self, panel: Panel) -> None:
        """Make it without rows.

        Args:
            panel: Who does the work, in which language.
        """
        self.panel = panel
        self.words = panel.words
        self._sweeps: dict[str, Sweep] = {}
        self._split, self._candidate = "", ""
        self._chosen: float | None = None
        self.slider = Slider(description=self.words("inspect.threshold"), step=1 / STEPS)
        self.slider.observe(lambda _: self._move(), "value")
        self.back = panel.button("inspect.own_threshold", self._to_chosen)
        self.own, self.said, self.live, self.kept, self.picture = (w.HTML() for _ in range(5))
        super().__init__([self.own, row(self.slider, self.back), self.said, self.live, self.kept, self.picture])

    def show(self, evidence: Evidence, look: Look) -> None:
        """Show a candidate's thresholds; every step of the slider is computed beforehand."""
        self._candidate, self._split = look.candidate, look.split
        self.panel.work(
            self.words("inspect.reading"),
            lambda: _prepare(evidence, look.candidate, look.split, self.words),
            lambda found: self._fill(evidence, *found),
        )

    def snapshot(self) -> str:
        """What the threshold does, and the figure."""
        return "".join(one.value for one in (self.own, self.said, self.live, self.kept, self.picture))

    def _fill(self, evidence: Evidence, decision: dict[str, Any] | None, sweeps: dict[str, Sweep], svg: str) -> None:
        self._sweeps = sweeps
        self._chosen = None if decision is None else decision["threshold"]
        self.back.disabled = self._chosen is None
        self.own.value = markup.paragraphs([self._own(decision)])
        self.kept.value = self._measured(evidence) if self._chosen is not None else ""
        told = self.words("inspect.reliability", candidate=self._candidate)
        head = f"<h3>{markup.text(self.words('inspect.calibration'))}</h3>"
        self.picture.value = f"{head}{markup.picture(svg, told)}{markup.paragraphs([told])}" if svg else ""
        self._to_chosen()
        self._move()

    def _own(self, decision: dict[str, Any] | None) -> str:
        if decision is None:
            return self.words("inspect.no_decision", candidate=self._candidate)
        target = f"{100 * decision['target_error']:g} %"
        if self._chosen is None:
            reason = self.words.sentence(str(decision["threshold_reason"]))
            return self.words("inspect.no_threshold", target=target, reason=reason)
        return self.words("inspect.chosen_threshold", threshold=f"{self._chosen:.3f}", target=target)

    def _place(self) -> int:
        """Place of the slider's threshold; the last one is the run's own, which lies between two steps."""
        step = round(self.slider.value * STEPS)
        return STEPS + 1 if self._chosen is not None and step == round(self._chosen * STEPS) else step

    def _move(self) -> None:
        """Show what the threshold does: looked up, nothing is computed."""
        at = self._place()
        say = self.words
        heads = [say(f"inspect.{one}") for one in ("split", "answered", "rows", "error_rate", "interval")]
        rows = [(name, *self._cells(one, at)) for name, one in self._sweeps.items()]
        mark = say("inspect.is_own") if at > STEPS else ""
        sentence = say("inspect.at_threshold", threshold=f"{self.slider.value:.2f}", mark=mark)
        if self._split in self._sweeps:
            share, n, error, bounds = self._cells(self._sweeps[self._split], at)
            key = "inspect.live" if bounds else "inspect.live_few"
            sentence += " " + say(key, split=self._split, share=share, n=n, error=error, interval=bounds)
        self.said.value = markup.status(sentence)
        self.live.value = markup.table(heads, rows, say("inspect.live_caption"), numbers=4) if rows else ""

    def _cells(self, sweep: Sweep, at: int) -> tuple[str, int, str, str]:
        answered = int(sweep.answered[at])
        share = markup.percent(answered / max(1, sweep.n))
        if sweep.errors[at] != sweep.errors[at]:  # not a number
            return share, answered, self.words("inspect.too_few"), ""
        return share, answered, markup.percent(sweep.errors[at]), markup.between(sweep.low[at], sweep.high[at])

    def _measured(self, evidence: Evidence) -> str:
        """What the run measured at its own threshold, on each split."""
        rows = []
        for split in self._sweeps:
            found = [evidence.score(self._candidate, split, metric) for metric in ("kept", "error_kept")]
            rows.append((split, *(cell for one in found for cell in _scored(one, self.words))))
        heads = [self.words(f"inspect.{one}") for one in ("split", "answered", "interval", "error_rate", "interval")]
        return markup.table(heads, rows, self.words("inspect.measured_caption"), numbers=4)

    def _to_chosen(self) -> None:
        if self._chosen is not None:
            self.slider.value = round(self._chosen * STEPS) / STEPS


def _scored(row: Any, words: Words) -> tuple[str, str]:
    if row is None or row.get("value") is None:
        return "–", words.sentence(str((row or {}).get("reason") or ""))
    return markup.percent(row["value"]), markup.between(row.get("low"), row.get("high"))


def _prepare(
    evidence: Evidence, candidate: str, split: str, words: Words
) -> tuple[dict[str, Any] | None, dict[str, Sweep], str]:
    """Decision, every step of the slider on every split, and the reliability figure."""
    import numpy as np

    from workbench.reporting import looking
    from workbench.reporting.abstention import read_decision

    decision = read_decision(evidence, candidate)
    chosen = None if decision is None else decision["threshold"]
    steps = np.append(np.arange(STEPS + 1) / STEPS, np.inf if chosen is None else chosen)
    sweeps = looking.sweeps(evidence, candidate, steps)
    drawn = looking.reliability(evidence, candidate, dict.fromkeys((split, "reserve")))
    return decision, sweeps, _standalone(drawn, words) if drawn else ""


def _standalone(svg: str, words: Words) -> str:
    """A figure of the report as a file of its own: colours in place of the page's, words in the reader's language."""
    svg = re.sub(r"var\(--(\w+)\)", lambda found: COLOURS.get(found[1], OTHER), svg)
    svg = re.sub(r">([^<>]+)</text>", lambda found: f">{words.sentence(found[1])}</text>", svg)
    return svg.replace("<svg", '<svg xmlns:xlink="http://www.w3.org/1999/xlink" font-family="sans-serif"', 1)
