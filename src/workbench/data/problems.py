"""Problems with a table, collected first and told all at once.

A person who repairs a file wants the whole list, not one line a try. A problem has the three parts of
every message; ``refuse`` raises one ``DataError`` for all of them.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from workbench.errors import DataError

MOST_LISTED = 40


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong, in three parts.

    Attributes:
        what: What is wrong, with the value.
        right: What would be right.
        do: What to do.
    """

    what: str
    right: str
    do: str

    def __str__(self) -> str:
        """The three parts on one line."""
        return f"{self.what} {self.right} {self.do}"


def refuse(problems: Sequence[Problem], about: str) -> None:
    """Raise one error that lists every problem; do nothing when there is none.

    Args:
        problems: What was collected.
        about: What the problems are about, for example the file's name.

    Raises:
        DataError: If there is at least one problem.
    """
    if not problems:
        return
    if len(problems) == 1:
        raise DataError(problems[0].what, problems[0].right, problems[0].do)
    raise DataError(
        f"{about} has {len(problems)} problems:",
        "A table without any of them.",
        "Put them right one by one; each line above says how.",
        problems=[str(problem) for problem in problems],
    )


def nearest(name: str, known: Iterable[str]) -> str | None:
    """The known name that looks most like the given one, if any is near."""
    by_folded = {one.casefold().strip(): one for one in reversed(list(known))}
    found = difflib.get_close_matches(name.casefold().strip(), list(by_folded), n=1, cutoff=0.6)
    return by_folded[found[0]] if found else None


def listed(names: Iterable[str], most: int = MOST_LISTED) -> str:
    """Names with commas, cut after ``most`` of them with the number that is not shown."""
    every = [str(name) for name in names]
    more = f" and {len(every) - most} more" if len(every) > most else ""
    return ", ".join(every[:most]) + more


def count(number: int, noun: str) -> str:
    """A number with its noun, in the plural where it has to be."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def rows_listed(rows: Iterable[int], most: int = 5) -> str:
    """Row numbers for people, counted from 1 without the header, from numbers counted from 0."""
    every = [f"{row + 1:,}" for row in rows]
    return ("row " if len(every) == 1 else "rows ") + listed(every, most)
