"""The ε of DP-SGD by two accountants that share no code; neither trains anything."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager


def opacus_epsilon(noise: float, rate: float, steps: int, delta: float) -> float:
    """ε of Poisson-sampled Gaussian steps by Opacus (Rényi differential privacy, Mironov et al. 2019).

    Args:
        noise: Standard deviation of the noise, in clipping bounds.
        rate: Chance of each row to be in a step.
        steps: Their number.
        delta: Chance that the promise does not hold.
    """
    from opacus.accountants import RDPAccountant

    accountant = RDPAccountant()
    accountant.history = [(noise, rate, steps)]
    return float(accountant.get_epsilon(delta))


def checked_epsilon(noise: float, rate: float, steps: int, delta: float) -> float:
    """The same by Google's dp-accounting.

    Args:
        noise: Standard deviation of the noise, in clipping bounds.
        rate: Chance of each row to be in a step.
        steps: Their number.
        delta: Chance that the promise does not hold.
    """
    with _quiet():
        import dp_accounting
        from dp_accounting.rdp import RdpAccountant

        one = dp_accounting.PoissonSampledDpEvent(rate, dp_accounting.GaussianDpEvent(noise))
        return float(RdpAccountant().compose(dp_accounting.SelfComposedDpEvent(one, steps)).get_epsilon(delta))


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep to itself which orders its series did not converge for: those are left out, which only raises ε."""
    log = logging.getLogger("absl")
    before = log.level
    log.setLevel(logging.ERROR)
    try:
        yield
    finally:
        log.setLevel(before)
