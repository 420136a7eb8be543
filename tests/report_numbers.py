"""Looks for every number of ``report.html`` in the files beside it: a second reader that shares no code with the first.

Uses the standard library, pyarrow, numpy, scipy and scikit-learn alone (the values come from ``run_values.py``). A
number counts as found where a value of the run's JSON files, or one computed anew from ``predictions/`` and
``evidence/``, rounds to it; a value with its interval and its n has to stand in one record; and where the text names
candidates or a split, the record is theirs. Numbers that belong to a method and not to the run are on the list
``CONSTANTS``. Drawings are left out: they repeat the tables.

    python tests/report_numbers.py RUN
"""

from __future__ import annotations

import html.parser
import re
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from run_values import SOURCES, Record, Run, differing_scores, general, numbers, open_run, plain

CONSTANTS = (
    # levels and rules of methods
    r"\b9[05] % (?:interval|confidence|of draws|range)s?",
    r"95 %(?= intervals?\b)",
    r"simultaneous 95 %",
    r"\bat 1 % false alarms",
    r"\((?:0 to 2)\)",
    r"(?:fewer than|below|under) (?:30|10|20)\b",
    r"\b19 (?:in|of) 20\b",
    r"\(\.5 is guessing, 1 is certainty\)|(?:above|contains|leave out|below|from|little below) \.5|At \.5\b",
    r"at least 0\.9\b",
    r"\b1 is perfect",
    r"(?:holds|hold|around|leaves? out|leans? below|is) 0\b",
    r"4 to 6 bytes|one for every 40 independent rows, at most 15",
    r"by a factor of 2:|up to 1\.75 times slower|Interval around 0",
    r"--seeds 5",
    r"\(0 to 1\)",
    r"10 to 50 % of full",
    r"half filled",
    # units, names of measures, papers and standards
    r"\b(?:1,000|1000) (?:predictions|texts|of the other|of its own|of the candidate's own)",
    r"[Mm](?:acro|icro)-F1|[Ww]eighted F1|\bF1\b|fp16|fp32|int8|8 bits|16 bits|SHA-256",
    r"\(?(?:[A-Z][\w’'-]+(?: et al\.| and [A-Z][\w’'-]+)?,? ?)\(?(?:19|20)\d\d\)?",
    r"\b(?:19|20)\d\d\b(?=\))",
    r"for 95 %",
    r"p < 0\.001|(?<=^)< 0\.001",
    r"over 99\.99 %|under 0\.01 %|under 1 %",
    r"[Nn]eeds Python 3\.\d+",
)
"""What belongs to a method, a unit or a reference: the same in every report."""

NUMBER = re.compile(
    r"(?:(?P<h>\d+) h (?P<hm>\d+) min)|(?:(?P<m>\d+) min(?: (?P<s>\d\d) s)?)"
    r"|(?P<sign>[+\u2212-])?(?P<number>(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?|\.\d+)(?P<unit> %| s\b)?"
)
VOID = {"meta", "link", "br", "hr", "img", "input", "rect", "line", "path", "circle", "use"}
BLOCKS = {"p", "li", "caption", "figcaption", "dt", "dd", "h1", "h2", "h3", "pre"}


@dataclass(frozen=True)
class Text:
    """A piece of the page: a sentence, or a cell with what stands over and before it."""

    section: str
    text: str
    context: str = ""
    head: str = ""


class _Reader(html.parser.HTMLParser):
    """Collects sentences and cells by section; drawings and styles are passed over."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.found: list[Text] = []
        self.section, self.hidden, self.held = "head", 0, ""
        self.caption, self.group = "", ""
        self.heads: list[str] = []
        self.row: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag in ("style", "svg", "nav"):
            self.hidden += 1
        elif tag == "section":
            self.section = given.get("id") or ""
        elif tag == "table":
            self.caption, self.heads, self.group = "", [], ""
        elif tag == "tr":
            self.row = []
        elif tag in BLOCKS or tag in ("td", "th"):
            self.held = ""
        elif tag == "br" or (tag == "span" and given.get("class", "") != "value"):
            self.held += " \u27e8"

    def handle_endtag(self, tag: str) -> None:
        if tag in ("style", "svg", "nav"):
            self.hidden -= 1
        elif tag == "span":
            self.held += " "
        elif tag in ("td", "th"):
            self.row.append(plain(self.held))
        elif tag == "tr":
            self._end_row()
        elif tag == "caption":
            self.caption = plain(self.held)
        if tag in BLOCKS:
            self.found.append(Text(self.section, plain(self.held)))
            self.held = ""

    def _end_row(self) -> None:
        if not self.heads:
            self.heads = self.row
            self.found.append(Text(self.section, " | ".join(self.row), self.caption))
            return
        if len(self.row) == 1:
            self.group = self.row[0]
        over = f"{self.caption} | {self.group}"
        for at, cell in enumerate(self.row):
            head = self.heads[at] if at < len(self.heads) else ""
            self.found.append(Text(self.section, cell, f"{over} | {head} | {self.row[0] if at else ''}", head))

    def handle_data(self, data: str) -> None:
        if not self.hidden:
            self.held += data


def texts_of(page: str) -> list[Text]:
    """Every piece of a page in its order."""
    reader = _Reader()
    reader.feed(page)
    return [one for one in reader.found if one.text]


@dataclass(frozen=True)
class Token:
    """A number as it is printed: its value, the places it was rounded to, and where it stands."""

    shown: str
    value: float
    half: float
    start: int
    end: int
    seconds: bool = False
    signed: bool = False


def tokens_of(text: str) -> list[Token]:
    """The numbers of a text."""
    found = []
    for one in NUMBER.finditer(text):
        before, after = text[max(one.start() - 1, 0) : one.start()], text[one.end() : one.end() + 1]
        if one["h"]:
            seconds, half = 3600 * int(one["h"]) + 60 * int(one["hm"]), 31.0
        elif one["m"]:
            seconds, half = 60 * int(one["m"]) + int(one["s"] or 0), 0.51 if one["s"] else 31.0
        else:
            if before.isalpha() or after.isalpha() or before == "_":
                continue
            sign = one["sign"] if one["sign"] and not (before.isalnum() or before in "%)") else None
            number = one["number"].replace(",", "")
            places = len(number.partition(".")[2])
            value = float(number) * (-1 if sign and sign != "+" else 1)
            half = 0.5000001 * 10.0**-places
            found.append(Token(one[0].strip(), value, half, one.start(), one.end(), one["unit"] == " s", bool(sign)))
            continue
        found.append(Token(one[0], seconds, half, one.start(), one.end(), True))
    return found


def says(token: Token, value: Any, scale: float = 1.0, *, rough: bool = False) -> bool:
    """Whether a value rounds to what is printed; ``rough`` lets the zeros at the end of a whole number be rounding."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    half = token.half
    if rough and half > 0.4 and abs(token.value) >= 100:
        digits = str(int(abs(token.value)))
        zeros = min(len(digits) - len(digits.rstrip("0")), len(digits) - 2)
        half = 0.5000001 * 10.0**zeros
    scaled = value * scale
    if abs(scaled - token.value) <= half * (1 + 1e-9) + 1e-9 * abs(scaled):
        return True
    return not token.signed and scaled < 0 and abs(-scaled - token.value) <= half


ROUGH = {"head", "comparison", "payback", "energy", "compression", "tuning"}
"""Parts of the page that round to two significant digits, and show thousandths of a unit."""


@dataclass(frozen=True)
class Missing:
    """A number that no file of the run gives.

    Attributes:
        text: Where it stands.
        shown: The number, or the value with its interval that should stand in one record.
    """

    text: Text
    shown: str

    def __str__(self) -> str:
        """For a person."""
        return f"[{self.text.section}] {self.shown!r} in {self.text.text!r} ({self.text.context})"


def groups_of(text: str, tokens: list[Token]) -> list[list[Token]]:
    """Numbers that belong together: a value with its interval and n, two ends of an interval, “3 of 20”."""
    groups: list[list[Token]] = []
    at = 0
    while at < len(tokens):
        group = [tokens[at]]
        while at + 1 < len(tokens):
            between = text[tokens[at].end : tokens[at + 1].start]
            to = re.fullmatch(r"(?: %| points| Wh| g)? (?:to|of) ", between)
            to = None if text[: tokens[at].start].endswith("from ") else to
            opens = re.fullmatch(r" ?(?:%|points|ms|Wh|g|mWh)? ?[(\u27e8] ?(?:95 % interval |interval )?", between)
            counted = re.fullmatch(r"(?: %)?, n = ", between)
            if not (to or opens or counted):
                break
            at += 1
            group.append(tokens[at])
        groups.append(group)
        at += 1
    return groups


def without_known(run: Run, text: str) -> str:
    """The text with names, quoted strings and constants of methods blanked out."""
    for known in run.strings:
        if known in text:
            text = re.sub(rf"(?<![\d.,]){re.escape(known)}(?![\d]|\.\d)", lambda one: "\u2237" * len(one[0]), text)
    for pattern in CONSTANTS:
        text = re.sub(pattern, lambda one: "\u2237" * len(one[0]), text)
    return text


class Checker:
    """Looks numbers up in the records of a run."""

    def __init__(self, run: Run) -> None:
        """Read what may stand in each part of the page."""
        self.run = run
        self._records: dict[str, list[tuple[Record, list[float]]]] = {}

    def records(self, section: str) -> list[tuple[Record, list[float]]]:
        """Records of a part with their numbers."""
        if section not in self._records:
            made = [*SOURCES[section](self.run), *general(self.run)] if section in SOURCES else []
            self._records[section] = [(one, list(numbers(one))) for one in made]
        return self._records[section]

    def missing(self, texts: Iterable[Text]) -> list[Missing]:
        """Numbers that no record gives."""
        return [Missing(text, shown) for text in texts for shown in self._missing_in(text)]

    def _missing_in(self, text: Text) -> list[str]:
        if self.run.recipe_text and text.text in self.run.recipe_text:
            return []
        shown = without_known(self.run, text.text)
        tokens = tokens_of(shown)
        if not tokens:
            return []
        records = self._of(text)
        return [
            " ".join(one.shown for one in group)
            for group in groups_of(shown, tokens)
            if not any(self._all_in(group, own, text, shown) for _, own in records)
        ]

    def _all_in(self, group: list[Token], own: list[float], text: Text, shown: str) -> bool:
        rough = text.section in ROUGH
        is_p = shown[: group[0].start].endswith("p = ")
        for scale in (1.0,) if is_p else (1.0, 100.0, *((1000.0,) if rough else ())):
            if all(
                any(
                    says(one, value, 1.0 if one.seconds else scale, rough=rough)
                    or (len(group) > 1 and one.half > 0.4 and says(one, value, rough=rough))
                    for value in own
                )
                for one in group
            ):
                return True
        return False

    def _of(self, text: Text) -> list[tuple[Record, list[float]]]:
        """Records that a piece of text may be about."""
        found = self.records(text.section)
        prose, any_teacher = re.subn(r"\b(?:the|its|a|training,) teacher\b", "\u2237", text.text)
        said = f"{text.context} | {prose}"
        named = _named(said, self.run.candidates)
        named |= {self.run.recommended} if named and not text.context else set()
        named |= {"teacher"} if named and any_teacher else set()
        split = _named(said, [*self.run.splits, *(one.replace("_", " ") for one in self.run.splits)])
        splits = {one.replace(" ", "_") for one in split}
        known = set(self.run.splits)
        labels = _named(said, {one["label"] for one, _ in found if isinstance(one.get("label"), str)})
        inside = text.section == "confusion" and bool(text.head)
        return [
            (record, own)
            for record, own in found
            if (not labels or record.get("label", next(iter(labels))) in labels)
            and (not inside or record.get("head", text.head) == text.head)
            and (not named or record.get("candidate") not in self.run.candidates or record["candidate"] in named)
            and (len(named) < 2 or record.get("against") not in self.run.candidates or record["against"] in named)
            and (not splits or record.get("split") not in known or record["split"] in splits)
        ]


def _named(text: str, names: Iterable[str]) -> set[str]:
    """Which names a text holds; a name inside a longer one does not count."""
    found = set()
    for name in sorted(names, key=len, reverse=True):
        pattern = rf"(?<![\w.-]){re.escape(name)}(?![\w]|-\w)"
        if re.search(pattern, text):
            found.add(name)
            text = re.sub(pattern, "\u2237", text)
    return found


def missing_numbers(folder: Path) -> list[Missing]:
    """Numbers of a run's report that none of its files gives.

    Args:
        folder: The run's folder.
    """
    page = (folder / "report.html").read_text(encoding="utf-8")
    return Checker(open_run(folder)).missing(texts_of(page))


def main() -> int:
    """Tell what is not found in one run's report."""
    folder = Path(sys.argv[1])
    run = open_run(folder)
    missing, wrong = missing_numbers(folder), differing_scores(run)
    for one in (*missing, *wrong):
        sys.stdout.write(f"{one}\n")
    return 1 if missing or wrong else 0


if __name__ == "__main__":
    sys.exit(main())
