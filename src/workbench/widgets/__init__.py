"""The Guide and its panels: the second face of the workbench, for JupyterLab, Notebook 7 and Voilà.

    from workbench.widgets import Guide
    Guide()

A panel only shows and asks: what it knows is in the recipe's file and the run's folder, and the work is done by the
rooms below, training in a process of its own. Names are loaded when they are first used, so that the first panel
stands before anything heavy is imported.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from workbench.widgets.choose import Choose
    from workbench.widgets.comparison import Comparison
    from workbench.widgets.data_health import DataHealth
    from workbench.widgets.guide import Guide
    from workbench.widgets.inspection import Inspection
    from workbench.widgets.plan import Plan
    from workbench.widgets.release import Release
    from workbench.widgets.train import Train
    from workbench.widgets.try_it import TryIt

__all__ = ["Choose", "Comparison", "DataHealth", "Guide", "Inspection", "Plan", "Release", "Train", "TryIt"]

_HOMES = {
    "Choose": "choose",
    "Comparison": "comparison",
    "DataHealth": "data_health",
    "Guide": "guide",
    "Inspection": "inspection",
    "Plan": "plan",
    "Release": "release",
    "Train": "train",
    "TryIt": "try_it",
}


def __getattr__(name: str) -> Any:
    """Load a panel from its module."""
    if name not in _HOMES:
        raise AttributeError(f"module 'workbench.widgets' has no attribute {name!r}")
    from importlib import import_module, util

    from workbench.errors import MissingExtraError

    absent = next((one for one in ("ipywidgets", "anywidget") if util.find_spec(one) is None), None)
    if absent is not None:
        raise MissingExtraError("lab", absent)
    value = getattr(import_module(f"workbench.widgets.{_HOMES[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    """The public names, for completion."""
    return __all__
