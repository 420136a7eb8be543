"""What every check has in common: whom it looks at, and what it leaves behind."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa

from workbench.data import Splits
from workbench.metrics.scoring import may_be_recommended
from workbench.models import Candidate
from workbench.recipe import Recipe


@dataclass(frozen=True)
class Subject:
    """A finished comparison, as a check sees it.

    Attributes:
        recipe: What ran.
        splits: Rows of the seed that is looked at.
        candidates: Name to the saved candidate, calibrated as it will be used.
        predictions: Name to its table of predictions (``seed, row, split, label, prediction, p_<class>``) on
            validation, reserve and every test.
        recommended: Name of the recommended candidate; ``None`` where none is.
        seed: Seed of splits and candidates.
    """

    recipe: Recipe
    splits: Splits
    candidates: Mapping[str, Candidate]
    predictions: Mapping[str, pa.Table]
    recommended: str | None = None
    seed: int = 0

    def asked(self) -> tuple[str, ...]:
        """Names of the candidates that checks look at: those that somebody might use, not controls."""
        return tuple(name for name in self.candidates if may_be_recommended(name))

    def chosen(self) -> tuple[str, ...]:
        """The recommended candidate and the teacher: whom the expensive checks ask. The first one where there is none.

        Returns:
            One or two names, the recommended one first.
        """
        wanted = [name for name in (self.recommended, "teacher") if name is not None and name in self.candidates]
        return tuple(dict.fromkeys(wanted)) or self.asked()[:1]


@dataclass(frozen=True)
class Check:
    """What a check leaves behind.

    Attributes:
        name: Of its file, ``evidence/<name>.parquet``: lower-case letters, digits, hyphens.
        table: Evidence, a line an example; ``None`` where the check could not be made.
        settings: All that its scorer needs besides the table, as JSON.
        reasons: What was left out, and what would be needed for it, in sentences.
    """

    name: str
    table: pa.Table | None
    settings: dict[str, Any] = field(default_factory=dict)
    reasons: tuple[str, ...] = ()
