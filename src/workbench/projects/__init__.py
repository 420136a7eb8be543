"""A folder of one's own to begin with: a shipped recipe copied, or a recipe proposed for a table."""

from workbench.projects.commented import commented_yaml
from workbench.projects.starting import Started, from_recipe, from_table

__all__ = ["Started", "commented_yaml", "from_recipe", "from_table"]
