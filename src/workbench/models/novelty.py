"""Whether a text is of the domain at all: how much of its spelling does not recur in the texts of training and pool.

Runs of bytes are hashed into a bit field (Bloom, 1970), which needs neither the encoder nor the candidate, and holds
no text; what share of a text's runs is not in it is its novelty. It knows spelling, not meaning: another topic in the
same words passes. A text without anything to read is as new as can be.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from workbench import storage
from workbench.errors import ModelError
from workbench.models.candidate import Texts
from workbench.models.hashing import as_column, hashed

NAME = "novelty.json"
FORMAT = 1
NGRAMS = (4, 6)
BUCKETS = 1 << 19
CHUNK = 4096
LEAST_GROUPS = 2
"""Groups that a run of bytes must occur in to be known; so no spelling of a single group is kept."""


@dataclass(frozen=True, eq=False)
class Novelty:
    """What spelling is known.

    Attributes:
        ngrams: Shortest and longest run of bytes.
        known: True for every place that some known run is hashed to (buckets,), their number a power of two.
    """

    ngrams: tuple[int, int]
    known: npt.NDArray[np.bool_]

    @classmethod
    def learn(
        cls,
        texts: Texts,
        *,
        groups: npt.NDArray[np.int64] | None = None,
        least: int = LEAST_GROUPS,
        ngrams: tuple[int, int] = NGRAMS,
        buckets: int = BUCKETS,
    ) -> Self:
        """Note the spelling of texts, as far as it recurs: what one group alone writes is no mark of the domain.

        Args:
            texts: Those of training and pool, ``n`` of them.
            groups: A number for each text's group, shape ``(n,)``; ``None`` makes each text its own.
            least: Groups that a run must occur in. A group that lies across two pieces of the work counts twice.
            ngrams: Shortest and longest run of bytes, 1 to 8.
            buckets: Places, a power of two.
        """
        column = as_column(texts)
        codes = np.arange(len(column)) if groups is None else np.asarray(groups)
        order = np.argsort(codes, kind="stable")
        column, codes = column.take(pa.array(order)), codes[order]
        times = np.zeros(buckets, dtype=np.int64)
        for at in range(0, len(column), CHUNK):
            runs, offsets = hashed(column.slice(at, CHUNK), *ngrams, buckets)
            local = np.unique(codes[at : at + CHUNK], return_inverse=True)[1]
            pairs = np.unique(np.repeat(local, np.diff(offsets)) * buckets + runs)
            times += np.bincount(pairs % buckets, minlength=buckets)
        return cls(ngrams, times >= least)

    def score(self, texts: Texts) -> npt.NDArray[np.float64]:
        """Share of each text's runs that are not known.

        Args:
            texts: ``n`` texts.

        Returns:
            Shape ``(n,)``, from 0 to 1; 1 for a text without runs.
        """
        found = [self._piece(piece) for piece in _pieces(texts)]
        return np.concatenate(found) if found else np.zeros(0)

    def _piece(self, column: pa.Array) -> npt.NDArray[np.float64]:
        runs, offsets = hashed(column, *self.ngrams, len(self.known))
        unknown = np.concatenate([[0], np.cumsum(~self.known[runs])])
        new, all_runs = np.diff(unknown[offsets]), np.diff(offsets)
        return np.divide(new, all_runs, out=np.ones(len(column)), where=all_runs > 0)

    def save(self, folder: Path) -> None:
        """Save into ``novelty.json`` of a candidate's folder."""
        bits = base64.b64encode(np.packbits(self.known).tobytes()).decode("ascii")
        about = {"format": FORMAT, "ngrams": list(self.ngrams), "buckets": len(self.known), "known": bits}
        storage.write_json(folder / NAME, about)

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Load from a candidate's folder.

        Raises:
            ModelError: The file is missing or not what :meth:`save` wrote.
        """
        try:
            about = storage.read_json(folder / NAME)
            low, high = (int(length) for length in about["ngrams"])
            bits = np.frombuffer(base64.b64decode(about["known"], validate=True), dtype=np.uint8)
            buckets = int(about["buckets"])
            if not (1 <= low <= high <= 8 and buckets == 8 * len(bits) and buckets & (buckets - 1) == 0):
                raise ValueError(f"{8 * len(bits)} bits for {buckets} buckets, runs of {low} to {high}")
        except (OSError, KeyError, TypeError, ValueError) as error:
            raise ModelError(
                f"{folder / NAME} cannot be read: {type(error).__name__}: {error}",
                f"The file as it was saved: format {FORMAT}, ngrams, buckets (a power of two), known.",
                "Restore the folder from a copy, or run again.",
            ) from error
        return cls((low, high), np.unpackbits(bits).astype(bool))


@dataclass(frozen=True, eq=False)
class Judge:
    """What decides at run time whether a person should look: a decision, and the known spelling where there is one.

    Attributes:
        decision: Content of ``decision.json``.
        novelty: What spelling is known; ``None`` where it could not be fitted.
    """

    decision: Mapping[str, Any]
    novelty: Novelty | None

    @classmethod
    def load(cls, folder: Path) -> Self | None:
        """The judge of a candidate's folder; ``None`` where it has no ``decision.json``, as in older runs.

        Raises:
            ModelError: ``decision.json`` or ``novelty.json`` is damaged.
        """
        file = folder / "decision.json"
        if not file.is_file():
            return None
        decision = storage.read_json(file)
        if not isinstance(decision, dict) or "threshold" not in decision or decision.get("format") != FORMAT:
            raise ModelError(
                f"{file} does not hold a decision of format {FORMAT}.",
                "An object with format, threshold, target_error, conformal and novelty.",
                "Restore the folder from a copy, or run again.",
            )
        fitted = (decision.get("novelty") or {}).get("threshold") is not None
        return cls(decision, Novelty.load(folder) if fitted else None)

    def is_new(self, texts: Texts) -> npt.NDArray[np.bool_]:
        """Whether each text is judged not to be of the domain, shape ``(n,)``; never without known spelling."""
        if self.novelty is None:
            return np.zeros(len(texts), dtype=bool)
        return np.asarray(self.novelty.score(texts) > self.decision["novelty"]["threshold"])

    def reasons(self, texts: Texts, confidence: npt.NDArray[np.floating]) -> list[str]:
        """Why a person should look at each text; empty where none has to.

        Args:
            texts: ``n`` texts.
            confidence: Probability of the likeliest class, shape ``(n,)``.
        """
        threshold = self.decision["threshold"]
        below = "no threshold keeps the target error" if threshold is None else "below the threshold"
        unsure = np.asarray(confidence) < (np.inf if threshold is None else threshold)
        new = self.is_new(texts)
        whys = {(False, False): "", (True, False): below, (False, True): "not the domain"}
        whys[True, True] = f"not the domain; {below}"
        return [whys[bool(one), bool(other)] for one, other in zip(unsure, new, strict=True)]


def _pieces(texts: Texts) -> list[pa.Array]:
    column = as_column(texts)
    return [column.slice(start, CHUNK) for start in range(0, len(column), CHUNK)]
