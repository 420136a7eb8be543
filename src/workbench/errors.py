"""The errors a user can meet, and the three parts every one of them tells.

WorkbenchError
├── RecipeError        the recipe asks for something that is not possible
├── DataError          the table is not fit for the job
├── ModelError         weights are missing, wrong or refused
├── RunError           a run's folder is not what it should be
│   ├── LockHeld       another process is at work in it
│   └── Stopped        the person asked the run to stop
└── MissingExtraError  an optional part of the package is not installed

Wrong arguments to a function stay ``ValueError`` and ``TypeError``. This module imports nothing.
"""

from __future__ import annotations

from collections.abc import Sequence


class WorkbenchError(Exception):
    """Something a person can put right: says what is wrong, what would be right, what to do."""

    def __init__(
        self,
        problem: str,
        would_be_right: str = "",
        what_to_do: str = "",
        *,
        problems: Sequence[str] = (),
    ) -> None:
        """Keep the three parts.

        Args:
            problem: What is wrong, with the value.
            would_be_right: What would be right.
            what_to_do: The next thing to do.
            problems: Every single problem, where several were collected before raising.
        """
        super().__init__(problem)
        self.problem = problem
        self.would_be_right = would_be_right
        self.what_to_do = what_to_do
        self.problems = tuple(problems) or (problem,)

    def __str__(self) -> str:
        """The whole message, a part a line."""
        listed = [f"  - {one}" for one in self.problems] if len(self.problems) > 1 else []
        parts = [self.problem, *listed, self.would_be_right, self.what_to_do]
        return "\n".join(part for part in parts if part)


class RecipeError(WorkbenchError):
    """The recipe asks for something that is not possible."""


class DataError(WorkbenchError):
    """The table is not fit for the job."""


class ModelError(WorkbenchError):
    """Weights are missing, wrong or refused."""


class RunError(WorkbenchError):
    """A run's folder is not what it should be."""


class LockHeld(RunError):  # noqa: N818  (reads as a state, like Stopped)
    """Another process is at work in the same folder."""


class Stopped(RunError):  # noqa: N818  (not a failure: the person asked for it)
    """The person asked the run to stop; what was finished is kept."""


class MissingExtraError(WorkbenchError):
    """An optional part of the package is needed and not installed."""

    def __init__(self, extra: str, needed_for: str) -> None:
        """Name the extra and the line that installs it.

        Args:
            extra: Name of the extra in pyproject.toml.
            needed_for: What cannot be done without it, as the end of a sentence.
        """
        super().__init__(
            f"The extra '{extra}' is not installed, and is needed for {needed_for}.",
            f"An environment made with: pip install 'specialist-workbench[{extra}]'",
            f"Run: pip install 'specialist-workbench[{extra}]'"
            f"  (in a clone: pip install -e '.[{extra}]' -c constraints.txt)",
        )
        self.extra = extra
