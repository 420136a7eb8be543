"""Who does a panel's work: a thread in a notebook, the caller itself in tests."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from typing import Any, TypeVar

T = TypeVar("T")


class AtOnce(Executor):
    """Does everything in the calling thread before ``submit`` returns."""

    def submit(self, fn: Callable[..., T], /, *args: Any, **kwargs: Any) -> Future[T]:
        """Call a function; what it raises is kept in the future, as an executor does."""
        future: Future[T] = Future()
        try:
            future.set_result(fn(*args, **kwargs))
        except Exception as error:
            future.set_exception(error)
        return future


def background() -> Executor:
    """One thread of its own for a panel: its works never overtake each other."""
    return ThreadPoolExecutor(max_workers=1, thread_name_prefix="workbench-panel")
