"""A folder of one’s own: a recipe to begin with, and the desk on which one chooses, plans, trains and comes back."""

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
