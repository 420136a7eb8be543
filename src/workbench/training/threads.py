"""How many threads linear algebra may use: one, for problems so small that more would only wait for each other."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def one_thread() -> Iterator[None]:
    """Let BLAS work on one thread inside the block.

    L-BFGS makes thousands of calls on vectors of a few thousand numbers. On a busy machine two threads that wait for
    each other at every call took ten times as long here.
    """
    from threadpoolctl import threadpool_limits

    with threadpool_limits(limits=1, user_api="blas"):
        yield
