"""What to make: a strict, frozen description that a form, a YAML file and ``--set`` flags share."""

from workbench.recipe.base import Part
from workbench.recipe.data_parts import Data, FurtherTest, LabelBudget, Source, SplitRules
from workbench.recipe.distillation_parts import Distillation, Smoothing
from workbench.recipe.parts import Carbon, Evaluation, Member, Recipe, Student, Teacher
from workbench.recipe.privacy_parts import Privacy
from workbench.recipe.reading import Located, digest, digest_as_written, from_values, parse, read, to_yaml
from workbench.recipe.schema import FieldText, fields, json_schema
from workbench.recipe.shipped import recipe_header, shipped_folder, shipped_recipes
from workbench.recipe.tuning_parts import Cut, Losses, Tuning

__all__ = [
    "Carbon",
    "Cut",
    "Data",
    "Distillation",
    "Evaluation",
    "FieldText",
    "FurtherTest",
    "LabelBudget",
    "Located",
    "Losses",
    "Member",
    "Part",
    "Privacy",
    "Recipe",
    "Smoothing",
    "Source",
    "SplitRules",
    "Student",
    "Teacher",
    "Tuning",
    "digest",
    "digest_as_written",
    "fields",
    "from_values",
    "json_schema",
    "parse",
    "read",
    "recipe_header",
    "shipped_folder",
    "shipped_recipes",
    "to_yaml",
]
