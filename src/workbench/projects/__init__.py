"""A folder of one’s own: a recipe to begin with, and the desk on which one chooses, plans, trains and comes back.

Names are loaded when they are first used: a panel that only stands on the desk waits for no table library.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from workbench.projects.commented import commented_yaml
    from workbench.projects.keeping import keep_table, shipped_project, table_project
    from workbench.projects.needed import Missing, missing
    from workbench.projects.starting import Started, from_recipe, from_table, recipe_name

__all__ = [
    "Missing",
    "Started",
    "commented_yaml",
    "from_recipe",
    "from_table",
    "keep_table",
    "missing",
    "recipe_name",
    "shipped_project",
    "table_project",
]

_HOMES = {
    "Missing": "needed",
    "Started": "starting",
    "commented_yaml": "commented",
    "from_recipe": "starting",
    "from_table": "starting",
    "keep_table": "keeping",
    "missing": "needed",
    "recipe_name": "starting",
    "shipped_project": "keeping",
    "table_project": "keeping",
}


def __getattr__(name: str) -> Any:
    """Load a name from its module."""
    if name not in _HOMES:
        raise AttributeError(f"module 'workbench.projects' has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"workbench.projects.{_HOMES[name]}"), name)
