"""p-values of several tests at once: Holm for claims, Benjamini–Hochberg for exploring.

Holm keeps the chance of even one false claim below alpha. Benjamini–Hochberg lets alpha of what is found be false on
average, which is right for a list of leads and wrong for a claim. Both return adjusted p-values in the order given.
"""

from __future__ import annotations

from collections.abc import Sequence


def holm(p_values: Sequence[float]) -> list[float]:
    """Adjust p-values for being several claims (Holm, 1979): reject where the adjusted one is below alpha.

    Args:
        p_values: Each in [0, 1]; may be empty.

    Returns:
        Adjusted p-values in the same order.

    Raises:
        ValueError: If one is not in [0, 1].
    """
    order = _from_smallest(p_values)
    adjusted, running = [0.0] * len(p_values), 0.0
    for rank, place in enumerate(order):
        running = max(running, min(1.0, (len(p_values) - rank) * p_values[place]))
        adjusted[place] = running
    return adjusted


def benjamini_hochberg(p_values: Sequence[float]) -> list[float]:
    """Adjust p-values for exploring (Benjamini and Hochberg, 1995): of those below alpha, alpha are false on average.

    Holds for independent tests and for tests that depend on each other positively, as slices of one table do.

    Args:
        p_values: Each in [0, 1]; may be empty.

    Returns:
        Adjusted p-values in the same order.

    Raises:
        ValueError: If one is not in [0, 1].
    """
    order = _from_smallest(p_values)
    adjusted, running = [0.0] * len(p_values), 1.0
    for rank, place in reversed(list(enumerate(order, start=1))):
        running = min(running, p_values[place] * len(p_values) / rank)
        adjusted[place] = running
    return adjusted


def _from_smallest(p_values: Sequence[float]) -> list[int]:
    """Places in order of their p-values, ties as they came."""
    if not all(0 <= p <= 1 for p in p_values):
        raise ValueError(f"p-values must lie in [0, 1]; got {list(p_values)}")
    return sorted(range(len(p_values)), key=lambda place: p_values[place])
