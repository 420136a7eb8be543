"""The simple dial, from smaller to better: a few named positions, each a teacher and the kinds of students.

Turning it changes the recipe's text and keeps what fits: students of a kind that stays keep all their settings.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from workbench.errors import MissingExtraError, ModelError, WorkbenchError
from workbench.projects.draft import new_student, parsed
from workbench.recipe import Recipe, editing

TUNED = ("finetune", "lora")
TUNING = {"epochs": 6, "batch_size": 32, "learning_rate": 5e-5}


POSITIONS: dict[str, tuple[str | None, tuple[str, ...]]] = {
    "baseline": (None, ()),
    "linear": ("head", ("linear",)),
    "static": ("head", ("linear", "static")),
    "layers": ("head", ("linear", "static", "transformer")),
    "finetune": ("finetune", ("linear", "static", "transformer")),
}
"""Name to the teacher's method (``None``: no teacher) and the kinds of students, from smaller to better."""


@dataclass(frozen=True)
class Possible:
    """What the dial can be turned to here.

    Attributes:
        names: Of the positions, from smaller to better.
        encoder: The encoder whose weights are here; ``None`` where none is.
        layers: How many layers it has.
        missing: What was looked for and how to get it, where none is here.
    """

    names: tuple[str, ...]
    encoder: str | None = None
    layers: int = 6
    missing: WorkbenchError | None = None


def position_of(recipe: Recipe) -> str | None:
    """The position that a recipe stands at; ``None`` where it is like none of them."""
    kinds = {student.kind for student in recipe.students}
    method = None if recipe.teacher is None else "finetune" if recipe.teacher.method in TUNED else "head"
    return next((name for name, (how, those) in POSITIONS.items() if how == method and set(those) == kinds), None)


def possible(recipe: Recipe, base: Path) -> Possible:
    """Look for an encoder: the recipe's own, whose paths start from ``base``, else a known one that is installed."""
    from workbench import storage
    from workbench.models import find_weights
    from workbench.models.packages import KNOWN
    from workbench.pipeline.embedding import members_of, weights_name

    own = [member.model for member in members_of(recipe) if member.model]
    missing: WorkbenchError | None = None
    if find_spec("torch") is None:
        return Possible(("baseline",), missing=MissingExtraError("train", "a teacher and its students"))
    for name in [*own, *(student.model for student in recipe.students if student.model), *(one.model for one in KNOWN)]:
        try:
            found = find_weights(weights_name(name, base))
        except ModelError as error:
            missing = missing or error
            continue
        layers = int(storage.read_json(found.folder / "config.json").get("num_hidden_layers", 6))
        fixed = recipe.teacher is not None and (recipe.teacher.file or recipe.teacher.ensemble)
        return Possible(tuple(POSITIONS)[: 4 if fixed else 5], name, layers)
    return Possible(("baseline",), missing=missing)


def turned(text: str, name: str, here: Possible) -> str:
    """The text of a valid recipe with the dial at another position."""
    (method, kinds), recipe = POSITIONS[name], parsed(text)
    if method is None:
        return editing.set_value(editing.set_value(text, "students", []), "teacher", None)
    if recipe.teacher is None:
        text = editing.set_value(text, "teacher", {"model": here.encoder, "method": "head"})
    elif recipe.teacher.method in TUNED and method == "head":
        text = editing.remove_value(editing.set_value(text, "teacher.method", "head"), "teacher.tuning")
    if recipe.teacher is not None and recipe.teacher.model not in (None, here.encoder):
        text = editing.set_value(text, "teacher.model", here.encoder)
        text = editing.remove_value(editing.remove_value(text, "teacher.revision"), "teacher.layers")
    if method == "finetune" and (recipe.teacher is None or recipe.teacher.method not in TUNED):
        text = editing.set_value(editing.set_value(text, "teacher.method", "finetune"), "teacher.tuning", TUNING)
        text = editing.remove_value(text, "teacher.privacy")
    for student in recipe.students:
        if student.kind not in kinds:
            text = editing.remove_value(text, f"students.{student.name}")
    there = {student.kind for student in recipe.students}
    names = {student.name for student in recipe.students}
    for kind in kinds:
        if kind not in there:
            text = editing.add_item(text, "students", new_student(kind, names, here.layers))
    return text
