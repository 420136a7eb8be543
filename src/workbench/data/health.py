"""The health of a table and its splits, in numbers and in plain sentences, before anything is trained.

``Health`` refuses nothing by itself; ``preparing`` raises for what it lists. Labels of pool rows
are not looked at.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from workbench.data.duplicates import repeated_rows
from workbench.data.leakage import Fingerprints
from workbench.data.problems import Problem, listed
from workbench.data.roles import Roles
from workbench.data.table import Labelled, Rows, Splits
from workbench.recipe import Data

LEAST_TO_LEARN = 3
FEW_ROWS = 30
ROUGH_ROWS = 200
WORDS_READ = 90
"""Words that an encoder reading 128 tokens sees of an English text, as a rule."""


@dataclass(frozen=True)
class Health:
    """What was found.

    Attributes:
        sentences: Everything worth knowing, in plain English.
        refusals: Reasons not to go on that ``allow_leakage`` has overruled; empty for a healthy table.
        allow_leakage: The recipe's reason for going on all the same.
        leaks: ``group``, ``text``, ``near_text``: rows to learn from that leak test, before and after removal.
        unlabelled: Number of rows with text and without a label.
        removed: Rows that are not used, by reason.
        counts: Of each split ``rows``, ``groups``, and (not of the pool) rows by class.
        duplicates: Of each split ``exact`` and ``near``; ``conflicting`` texts with more than one label.
        lengths: Words a text: ``median``, ``p95``, ``longest``, ``share_over_90``.
        seed: Seed of the label draw.
    """

    sentences: tuple[str, ...]
    refusals: tuple[str, ...]
    allow_leakage: str | None
    leaks: Mapping[str, Mapping[str, int]]
    unlabelled: int
    removed: Mapping[str, int]
    counts: Mapping[str, Mapping[str, Any]]
    duplicates: Mapping[str, Any]
    lengths: Mapping[str, float]
    seed: int

    def to_json(self) -> dict[str, Any]:
        """Plain values for ``data/health.json``."""
        found = asdict(self)
        found["sentences"] = list(self.sentences)
        found["refusals"] = list(self.refusals)
        return found

    @classmethod
    def from_json(cls, found: Mapping[str, Any]) -> Health:
        """Health as ``to_json`` gave it.

        Raises:
            TypeError: If keys are missing or unknown.
        """
        return cls(**{**found, "sentences": tuple(found["sentences"]), "refusals": tuple(found["refusals"])})


def split_rows(splits: Splits) -> dict[str, Rows]:
    """Row numbers of each split, in the order in which splits are named."""
    learning = {name: getattr(splits, name).rows for name in ("train", "validation", "pool", "reserve")}
    return {**learning, **{name: test.rows for name, test in splits.tests.items()}}


def labelled_splits(splits: Splits) -> dict[str, Labelled]:
    """The splits that have labels."""
    return {"train": splits.train, "validation": splits.validation, "reserve": splits.reserve, **splits.tests}


def counted(splits: Splits, by_role: Roles) -> dict[str, dict[str, Any]]:
    """Rows, groups and rows by class of each split."""
    found: dict[str, dict[str, Any]] = {}
    with_labels = labelled_splits(splits)
    for name, rows in split_rows(splits).items():
        found[name] = {"rows": len(rows)}
        if by_role.groups is not None:
            found[name]["groups"] = len(np.unique(by_role.group_codes[rows]))
        if name in with_labels:
            sizes = np.bincount(with_labels[name].labels, minlength=len(splits.classes))
            found[name]["classes"] = dict(zip(splits.classes, sizes.tolist(), strict=True))
    return found


def duplicated(splits: Splits, prints: Fingerprints, threshold: float) -> dict[str, Any]:
    """Rows whose text, exactly or nearly, stands earlier in the same split, and texts with several labels."""
    found: dict[str, Any] = {}
    for name, rows in split_rows(splits).items():
        exact = np.ones(len(rows), dtype=bool)
        exact[np.unique(prints.keys[rows], return_index=True)[1]] = False
        near = repeated_rows(prints.words, prints.bands, rows, threshold) & ~exact
        found[name] = {"exact": int(exact.sum()), "near": int(near.sum())}
    parts = list(labelled_splits(splits).values())
    keys = prints.keys[np.concatenate([part.rows for part in parts])]
    labels = np.concatenate([part.labels for part in parts])
    pairs = np.unique(np.stack([keys, labels.astype(np.int64)]), axis=1)
    found["conflicting"] = int((np.unique(pairs[0], return_counts=True)[1] > 1).sum())
    return found


def text_lengths(words: npt.NDArray[np.int64]) -> dict[str, float]:
    """Words a text, from the number of words of each text that is used."""
    if len(words) == 0:
        return {}
    return {
        "median": float(np.median(words)),
        "p95": float(np.percentile(words, 95)),
        "longest": float(words.max()),
        "share_over_90": float(np.mean(words > WORDS_READ)),
    }


def size_problems(splits: Splits, data: Data) -> list[Problem]:
    """Tests without rows, and classes too small to learn."""
    problems = []
    for name, test in splits.tests.items():
        if len(test) == 0:
            problems.append(
                Problem(
                    f"The split {name} has no rows.",
                    "Some labelled rows of each class to test on.",
                    "Raise data.splits.test_share, or correct test_where and further_tests.",
                )
            )
    small = small_classes(splits, data)
    if small:
        problems.append(
            Problem(
                f"{len(small)} classes have too few labelled rows to learn from, once test is taken out: "
                f"{listed((f'{name!r} ({size})' for name, size in small.items()), 20)}.",
                f"At least {least_to_learn(data)} of each (50 are a good start), in more than one group where groups "
                "are held out.",
                "Add rows of these classes, or leave them out with data.exclude_classes.",
            )
        )
    return problems


def least_to_learn(data: Data) -> int:
    """Fewest labelled rows that a class may have; a smaller budget asks for fewer."""
    return min(LEAST_TO_LEARN, data.labelled.per_class or LEAST_TO_LEARN)


def small_classes(splits: Splits, data: Data) -> dict[str, int]:
    """Classes with too few labelled rows to learn from, with their number."""
    sizes = per_class(splits.train, splits) + per_class(splits.validation, splits)
    sized = zip(splits.classes, sizes.tolist(), strict=True)
    return {name: size for name, size in sized if size < least_to_learn(data)}


def per_class(part: Labelled, splits: Splits) -> npt.NDArray[np.int64]:
    """Rows of each class, shape ``(classes,)``."""
    return np.bincount(part.labels, minlength=len(splits.classes))
