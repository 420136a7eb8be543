"""What may be said of differential privacy: the statement of an ε, when none may be made, and a test that finds it out.

An ε is a promise under stated assumptions; it is stated whole or not at all. Pure functions; nothing here trains.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from scipy.special import bdtrc, expit, logit

AGREEMENT = 0.01
SLACK = 0.05
UNIT = "one labelled row added or taken away"


@dataclass(frozen=True)
class Spent:
    """What a training with differential privacy spent, and how.

    Attributes:
        epsilon: By Opacus's accountant.
        epsilon_checked: The same by dp-accounting.
        delta: Chance that the promise does not hold.
        noise_multiplier: Standard deviation of the noise, in clipping bounds.
        clip: Longest gradient of one row.
        sample_rate: Chance of each row to be in a step.
        steps: Their number.
        rows: Labelled rows.
        noise_seen: Standard deviation of the noise that was found in the steps, in clipping bounds.
        noise_drawn: Numbers behind it.
        secret: Whether noise and sampling came from a seed that was drawn for this training and is not kept.
        accountant: How steps are added up.
        sampling: How rows are drawn.
        unit: What neighbouring tables differ in.
    """

    epsilon: float
    epsilon_checked: float
    delta: float
    noise_multiplier: float
    clip: float
    sample_rate: float
    steps: int
    rows: int
    noise_seen: float
    noise_drawn: int
    secret: bool
    accountant: str = "Rényi differential privacy (Opacus; checked with dp-accounting)"
    sampling: str = "Poisson"
    unit: str = UNIT

    def to_json(self) -> dict[str, Any]:
        """As JSON."""
        return asdict(self)

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Spent:
        """From what :meth:`to_json` gave."""
        return cls(**values)


@dataclass(frozen=True)
class Learned:
    """From what a student learned, as far as it touches the private rows of its teacher.

    Attributes:
        labelled: Private labelled rows, or their labels, were learned from (also by smoothing from them).
        validation: Validation rows chose or stopped something.
        temperature: A calibration temperature was fitted on private rows.
        others: Other teachers than the private one that saw private rows (members of an ensemble, the baseline).
    """

    labelled: bool = False
    validation: bool = False
    temperature: bool = False
    others: bool = False


@dataclass(frozen=True)
class Statement:
    """What is said of a candidate's ε.

    Attributes:
        epsilon: The ε; ``None`` where none is stated.
        sentences: The whole statement, or why there is none.
        reasons: What stands against a statement.
        parts: Unit, δ, accountant and so on, by name.
    """

    epsilon: float | None
    sentences: tuple[str, ...]
    reasons: tuple[str, ...] = ()
    parts: Mapping[str, str] = field(default_factory=dict)


def epsilon_statement(candidate: str, spent: Spent | None, learned: Learned | None = None) -> Statement:
    """State a candidate's ε with all that belongs to it, or say why none is stated.

    Args:
        candidate: Its name.
        spent: What its training, or that of its teacher, spent; ``None`` without differential privacy.
        learned: For a student: from what it learned. ``None`` for the private teacher itself.

    Returns:
        The statement. A student of soft targets of pool rows alone has its teacher's ε, since what is made from the
        outcome of a private training alone is as private (Dwork and Roth 2014, proposition 2.1).
    """
    if spent is None:
        return _none(candidate, ("it was not trained with differential privacy",))
    reasons = (*_faults(spent), *(_breaches(learned) if learned is not None else ()))
    if reasons:
        return _none(candidate, reasons)
    epsilon = max(spent.epsilon, spent.epsilon_checked)
    parts = _parts(spent, epsilon)
    whose = "" if learned is None else " It learned from its teacher's soft targets of pool rows alone."
    sentences = (
        f"{candidate} is ({epsilon:.2f}, {spent.delta:.0e})-differentially private.{whose}",
        *(f"{name}: {value}." for name, value in parts.items()),
        *ASSUMPTIONS,
    )
    return Statement(epsilon, sentences, (), parts)


def noise_fits(seen: float, stated: float, drawn: int) -> bool:
    """Whether noise that was found is as large as stated, within 5 % and what chance does to so few numbers.

    Args:
        seen: Standard deviation that was found.
        stated: As stated.
        drawn: Numbers behind it; the standard deviation of so many varies by ``1 / sqrt(2 * drawn)``.
    """
    return drawn > 0 and abs(seen - stated) <= stated * max(SLACK, min(0.5, 5 / (2 * drawn) ** 0.5))


ASSUMPTIONS = (
    "It holds for the rows that were trained on: not for pool, validation and test rows, not for the texts that the"
    " encoder was trained on before, and not for the same text where it also stands in the pool.",
    "Validation rows, without noise, said whether the teacher is better than guessing the largest class; that it was"
    " let stand is known to everybody who has it.",
    "It has no decision.json and no novelty.json, and no temperature: thresholds, sets and the off-domain flag are made"
    " from labelled rows.",
    "It holds if rows do not share a person: somebody with k rows has the weaker promise of a group of k.",
    "Number of rows, classes and settings count as known. Settings that were tried on the same rows are not paid for.",
    "The noise is made by PyTorch's generator in floating point, not by a cryptographic one.",
    "It is about what lies in the candidate's own folder. Predictions, evidence, figures of quality and the choice of a"
    " candidate come from labelled rows without any noise, and the run's other candidates may be without privacy.",
)


def _parts(spent: Spent, epsilon: float) -> dict[str, str]:
    return {
        "ε": f"{epsilon:.4g} (Opacus {spent.epsilon:.4g}, dp-accounting {spent.epsilon_checked:.4g})",
        "δ": f"{spent.delta:.2g}",
        "Unit": f"{spent.unit}, of {spent.rows:,} rows",
        "Accountant": spent.accountant,
        "Sampling": f"{spent.sampling}, each row with chance {spent.sample_rate:.4g} a step",
        "Clip": f"gradients of one row longer than {spent.clip:g} (L2) are shortened to it",
        "Noise": f"multiplier {spent.noise_multiplier:.4g}; found in the steps: {spent.noise_seen:.4g}",
        "Steps": f"{spent.steps:,}",
    }


def _faults(spent: Spent) -> tuple[str, ...]:
    """What is wrong with the training itself."""
    gap = abs(spent.epsilon - spent.epsilon_checked) / max(spent.epsilon_checked, 1e-12)
    found = {
        "no noise was added": spent.noise_multiplier <= 0,
        f"the steps show noise of {spent.noise_seen:.3g} clipping bounds, not of {spent.noise_multiplier:.3g}": (
            not noise_fits(spent.noise_seen, spent.noise_multiplier, spent.noise_drawn)
        ),
        "the seed of its noise is known, so that the noise can be taken away again": not spent.secret,
        f"Opacus and dp-accounting differ by {100 * gap:.1f} %": not gap <= AGREEMENT,
        f"δ of {spent.delta:g} is not below one in {spent.rows:,} rows": not 0 < spent.delta < 1 / max(spent.rows, 1),
    }
    return tuple(name for name, wrong in found.items() if wrong)


def _breaches(learned: Learned) -> tuple[str, ...]:
    """Ways around the noise that a student took."""
    found = {
        "it learned from labelled rows themselves, whose labels no noise covers": learned.labelled,
        "validation rows, which no noise covers, chose or stopped its training": learned.validation,
        "its calibration temperature was fitted on labelled rows": learned.temperature,
        "another model that saw the labelled rows without noise labelled for it": learned.others,
    }
    return tuple(name for name, wrong in found.items() if wrong)


def _none(candidate: str, reasons: Sequence[str]) -> Statement:
    said = f"No ε is stated for {candidate}: {'; '.join(reasons)}."
    return Statement(None, (said,), tuple(reasons))


def epsilon_at_least(right: int, guesses: int, delta: float = 0.0, confidence: float = 0.95) -> float:
    """An ε that a training exceeds, judged by how often one can tell which canaries it saw.

    Each canary was in or out by a fair coin. Under (ε, 0) the number of right guesses is at most that of a binomial
    with chance e^ε / (1 + e^ε) (Steinke, Nasr and Jagielski 2023); a δ takes at most ``2 * guesses * δ`` from the level
    here, a coarse form of their bound.

    Args:
        right: Guesses that were right.
        guesses: All guesses, one a canary.
        delta: As stated, 0 to 1.
        confidence: That the true ε is not below.

    Returns:
        The largest such ε, 0 where there is none. A training that states less is not what it says.
    """
    from scipy.optimize import brentq

    level = 1 - confidence - 2 * guesses * delta
    if guesses == 0 or right == 0 or level <= 0:
        return 0.0

    def tail(chance: float) -> float:
        return float(bdtrc(right - 1, guesses, chance)) - level

    if tail(0.5) >= 0:
        return 0.0
    if tail(1 - 1e-9) <= 0:
        return float(logit(1 - 1e-9))
    return float(brentq(lambda epsilon: tail(float(expit(epsilon))), 0.0, float(logit(1 - 1e-9))))
