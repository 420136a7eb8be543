"""Compact text classifiers from few labels and a pool of unlabelled text, with the evidence beside them.

    import workbench as wb
    run = wb.run("clinical-coding")
    run.comparison

The names below are loaded when they are first used, so that ``import workbench`` costs next to nothing and
needs no torch. Everything else lives in the rooms described in ``docs/architecture.md``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from workbench.errors import WorkbenchError
    from workbench.pipeline import Run, check, verify
    from workbench.pipeline.run import resume, run
    from workbench.recipe import Recipe

__version__ = "0.1.0"

__all__ = ["Recipe", "Run", "WorkbenchError", "__version__", "check", "resume", "run", "verify"]

_HOMES = {
    "Recipe": "workbench.recipe",
    "Run": "workbench.pipeline",
    "WorkbenchError": "workbench.errors",
    "check": "workbench.pipeline",
    "resume": "workbench.pipeline",
    "run": "workbench.pipeline",
    "verify": "workbench.pipeline",
}


def __getattr__(name: str) -> Any:
    """Load a public name from its room."""
    if name not in _HOMES:
        raise AttributeError(f"module 'workbench' has no attribute {name!r}")
    from importlib import import_module

    value = getattr(import_module(_HOMES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    """The public names, for completion."""
    return __all__
