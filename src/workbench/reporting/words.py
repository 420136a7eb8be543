"""Numbers as people read them: units, as many digits as the value bears, and no false precision."""

from __future__ import annotations

import math

MINUS = "\N{MINUS SIGN}"
EXPLAINED = {
    "macro_f1": "Macro-F1 asks of every class how much of it is found and how much of what is called so is right, "
    "and averages over the classes, small ones counting as much as large ones; 1 is perfect.",
    "micro_f1": "Micro-F1 is here the share of rows that are sorted right; 1 is perfect.",
    "weighted_f1": "Weighted F1 asks of every class how much of it is found and how much of what is called so is "
    "right, and averages over the rows; 1 is perfect.",
    "accuracy": "Accuracy is the share of rows that are sorted right; 1 is perfect.",
}


def split_name(split: str) -> str:
    """A split's name in a table."""
    return split.replace("_", " ", 1)


def score(value: float) -> str:
    """A score between 0 and 1 with three decimals."""
    return f"{value:.3f}".replace("-", MINUS)


def significant(value: float, keep: int = 2) -> str:
    """A figure with ``keep`` significant digits and thousands separated; ``0`` stays ``0``."""
    if value == 0 or not math.isfinite(value):
        return "0" if value == 0 else str(value)
    places = keep - 1 - math.floor(math.log10(abs(value)))
    rounded = round(value, places)
    places = keep - 1 - math.floor(math.log10(abs(rounded)))
    return f"{rounded:,.{max(places, 0)}f}"


def megabytes(value: float) -> str:
    """A size in MB."""
    return f"{significant(value, 2 if value < 10 else 3)} MB"


def milliseconds(value: float) -> str:
    """A latency in ms."""
    return f"{significant(value)} ms"


def per_second(value: float) -> str:
    """A rate of rows."""
    return significant(value)


def count(value: float) -> str:
    """A whole number with thousands separated."""
    return f"{round(value):,}"


def duration(seconds: float) -> str:
    """A time span: ``0.4 s``, ``38 s``, ``4 min 05 s``, ``2 h 10 min``."""
    if seconds < 10:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02d} s"
    return f"{whole // 3600} h {whole % 3600 // 60:02d} min"


def share(part: float, whole: float) -> str:
    """A share in whole per cent; ``under 1 %`` where it would round to nothing."""
    percent = 100 * part / whole
    return "under 1 %" if 0 < percent < 0.5 else f"{percent:.0f} %"


def percent(part: float) -> str:
    """A share in per cent with two decimals, never rounded up to all of them."""
    return "100 %" if part == 1 else f"{min(100 * part, 99.99):.2f} %"


def listing(names: list[str]) -> str:
    """Names in a sentence: ``a``, ``a and b``, ``a, b and c``."""
    return names[0] if len(names) == 1 else ", ".join(names[:-1]) + f" and {names[-1]}" if names else ""
