"""From the evidence on labels to one list that a person works through, the surest reasons for doubt first."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from workbench.metrics.confident_learning import doubted, ranking, suggested
from workbench.metrics.labels import judged


@dataclass(frozen=True)
class Doubt:
    """One label in doubt.

    Attributes:
        row: Row number in the source table, counted from 0.
        split: Where it stands.
        given: The given label.
        suggested: The label that something else suggests.
        reason: Why it is in doubt, in words.
        given_probability: What models that never saw the label give to it, 0 to 1; ``None`` without models.
        suggested_probability: What they give to the suggested one.
    """

    row: int
    split: str
    given: str
    suggested: str
    reason: str
    given_probability: float | None = None
    suggested_probability: float | None = None


def doubts(tables: Mapping[str, pa.Table], classes: Sequence[str]) -> list[Doubt]:
    """Every label in doubt, a line a row of the table.

    First rows with the same text as one with another label (one of the two is wrong, or the text does not say it), then
    labels to learn from that are confidently contradicted, then rows with nearly the same words as one with another
    label, then contradicted labels of the tests.

    Args:
        tables: Evidence by name: ``labels``, ``labels-conflicts``, ``labels-tests``; any may be missing.
        classes: Names of the classes.
    """
    pairs = tables.get("labels-conflicts")
    lines = [
        *_conflicting(pairs, classes, same_text=True),
        *_contradicted(tables.get("labels"), classes),
        *_conflicting(pairs, classes, same_text=False),
        *_contradicted(tables.get("labels-tests"), classes),
    ]
    found: dict[int, Doubt] = {}
    for line in lines:
        known = found.get(line.row)
        if known is None:
            found[line.row] = line
        elif line.reason not in known.reason:
            probabilities = known if known.given_probability is not None else line
            found[line.row] = replace(
                known,
                reason=f"{known.reason}; {line.reason}",
                given_probability=probabilities.given_probability,
                suggested_probability=probabilities.suggested_probability,
            )
    return list(found.values())


def _contradicted(table: pa.Table | None, classes: Sequence[str]) -> Iterator[Doubt]:
    """Rows whose label models confidently contradict, by rank; each split of several tests by itself."""
    if table is None:
        return
    tests = [name for name in dict.fromkeys(table["split"].to_pylist()) if str(name).startswith("test")]
    for part in [table.filter(pc.equal(table["split"], name)) for name in tests] or [table]:
        given = judged(part)
        if given is None:
            continue
        said, labels = given.probabilities, given.labels
        other = suggested(said, labels)
        for at in ranking(said, labels)[: int(doubted(said, labels).sum())]:
            yield Doubt(
                int(given.rows[at]),
                str(given.splits[at]),
                classes[int(labels[at])],
                classes[int(other[at])],
                "contradicted by models that never saw the label",
                float(said[at, labels[at]]),
                float(said[at, other[at]]),
            )


def _conflicting(table: pa.Table | None, classes: Sequence[str], *, same_text: bool) -> Iterator[Doubt]:
    """Both rows of every pair of alike texts with different labels."""
    if table is None:
        return
    words = "the same text" if same_text else "nearly the same words"
    kept = table.filter(pa.array(np.asarray(table["same_text"].to_pylist(), dtype=bool) == same_text))
    for line in kept.to_pylist():
        for own, other in (("first", "second"), ("second", "first")):
            yield Doubt(
                line[f"{own}_row"],
                line[f"{own}_split"],
                classes[line[f"{own}_label"]],
                classes[line[f"{other}_label"]],
                f"row {line[f'{other}_row']} has {words} and is labelled {classes[line[f'{other}_label']]}",
            )
