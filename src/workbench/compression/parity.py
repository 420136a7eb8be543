"""What a compressed candidate lost, on real rows: logits, agreement, and the primary metric with its interval."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from workbench.metrics.paired import Difference, bootstrap_difference
from workbench.metrics.wording import metric_name, points
from workbench.models.candidate import Texts

Floats = npt.NDArray[np.float32]


class Logits(Protocol):
    """A candidate that shows its logits: kinds ``transformer``, ``static`` and ``onnx``."""

    @property
    def classes(self) -> tuple[str, ...]:
        """Names of the classes."""
        ...

    def logits(self, texts: Texts) -> Floats:
        """Logits of texts, shape ``(rows, classes)``."""
        ...


@dataclass(frozen=True)
class Parity:
    """A compressed candidate beside the one it was made of, on the same rows.

    Attributes:
        largest_logit_difference: Over rows and classes, both divided by their temperatures.
        agreement: Share of rows with the same most likely class, from 0 to 1.
        change: The compressed one's metric less the original's, with its interval.
        metric: Name of the metric.
        n: Rows compared.
    """

    largest_logit_difference: float
    agreement: float
    change: Difference
    metric: str
    n: int

    @property
    def sentences(self) -> list[str]:
        """What may be said of it, one sentence each."""
        if self.n == 0:
            return ["No rows were compared."]
        said = [
            f"On {self.n:,} rows the largest difference of a logit is {self.largest_logit_difference:.2g}.",
            f"The same class is the likeliest on {_share(self.agreement)} of them.",
        ]
        change, name = self.change, metric_name(self.metric)
        if change.value is None or change.low is None or change.high is None:
            return [*said, f"The change in {name} has no interval: {change.reason}."]
        between = f"{points(change.low, sign=True)} to {points(change.high, sign=True)}"
        value = points(change.value, sign=True)
        return [*said, f"{_upper(name)} changes by {value} points ({100 * change.confidence:g} % interval {between})."]

    def loses_more_than(self, margin: float) -> bool:
        """Whether a loss of the margin or more is not ruled out: the candidate is then not to be recommended.

        Args:
            margin: Largest loss of the metric that is put up with, above 0, as a share.
        """
        return not self.change.non_inferior(margin)


def parity(
    original: Logits,
    compressed: Logits,
    texts: Texts,
    labels: npt.NDArray[np.int32],
    *,
    metric: str = "macro_f1",
    groups: npt.NDArray[np.generic] | None = None,
    resamples: int = 10_000,
    seed: int = 0,
    confidence: float = 0.95,
) -> Parity:
    """Compare a compressed candidate with the one it was made of.

    Args:
        original: What was compressed.
        compressed: What came of it.
        texts: Real rows that neither was trained on.
        labels: Their classes, shape ``(rows,)``.
        metric: The primary metric.
        groups: The group of each row, or ``None``.
        resamples: Number of resamples.
        seed: Seed of the draws.
        confidence: Coverage of the interval.

    Raises:
        ValueError: The two do not have the same classes.
    """
    if original.classes != compressed.classes:
        raise ValueError("the two candidates do not have the same classes")
    before, after = original.logits(texts), compressed.logits(texts)
    was, became = before.argmax(axis=1), after.argmax(axis=1)
    change = bootstrap_difference(
        metric,
        np.asarray(labels, dtype=np.int64),
        became,
        was,
        len(original.classes),
        groups=groups,
        resamples=resamples,
        seed=seed,
        confidence=confidence,
    )
    n = len(texts)
    agreement = float((was == became).mean()) if n else 0.0
    return Parity(float(np.abs(before - after).max(initial=0.0)), agreement, change, metric, n)


def _share(share: float) -> str:
    """A share in percent that is never rounded up to all."""
    return "100 %" if share == 1 else f"{min(100 * share, 99.99):.2f} %"


def _upper(name: str) -> str:
    return name[0].upper() + name[1:]
