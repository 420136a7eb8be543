"""``recipes`` and ``check``: what can be made, and what a recipe would take, before anything starts."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from workbench.cli import messages

if TYPE_CHECKING:
    from workbench.pipeline import Checked, Estimate

RecipeName = Annotated[str, typer.Argument(metavar="RECIPE", help="A shipped name or a YAML file.")]
Settings = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="FIELD=VALUE", help="Change a field, e.g. evaluation.seeds=3; may be repeated."),
]


def recipes(
    fields: Annotated[bool, typer.Option("--fields", help="Describe every field of a recipe.")] = False,
    schema: Annotated[bool, typer.Option("--schema", help="Print the JSON schema of a recipe.")] = False,
    as_json: messages.AsJson = False,
) -> None:
    """List the recipes that come with the package."""
    from workbench import recipe

    if schema:
        messages.print_json(recipe.json_schema())
        return
    if fields:
        described = recipe.fields()
        if as_json:
            messages.print_json({"fields": [asdict(field) for field in described]})
            return
        rows = [(field.path, field.range, field.default, field.description) for field in described]
        messages.table("", ("field", "takes", "default", "what it is"), rows)
        return
    shipped = {name: recipe.recipe_header(path) for name, path in recipe.shipped_recipes().items()}
    if as_json:
        listed = [{"name": name, "about": about} for name, about in shipped.items()]
        messages.print_json({"recipes": listed})
        return
    messages.table("", ("recipe", "what it makes"), [(name, "\n".join(about)) for name, about in shipped.items()])
    messages.say(
        "Look before: workbench check NAME.  Make it: workbench run NAME.  Your own: workbench new DIR --from CSV"
    )


def check(
    recipe: RecipeName,
    settings: Settings = None,
    download: messages.Download = False,
    as_json: messages.AsJson = False,
) -> None:
    """Check a recipe and its data, and estimate minutes, memory and energy. Trains nothing."""
    messages.quiet_and_offline(download)
    from workbench import pipeline
    from workbench.recipe import digest

    source = Path(recipe) if Path(recipe).is_file() else recipe
    checked = pipeline.check(source, overrides=settings or (), download=download)
    if as_json:
        messages.print_json(
            {
                "ok": True,
                "recipe": checked.recipe.plain(),
                "digest": digest(checked.recipe),
                "health": checked.health.to_json(),
                "estimate": estimate_values(checked.estimate),
                "weights": checked.weights,
                "sentences": checked.sentences,
            }
        )
        return
    _show(checked)


def _show(checked: Checked) -> None:
    from workbench.reporting.words import duration

    messages.say(f"{checked.recipe.name}: the recipe and its table can go together.", style="bold green")
    messages.say(checked.recipe.purpose)
    messages.say()
    for sentence in checked.sentences:
        messages.say(f"- {sentence}")
    messages.say()
    rows = [(stage, duration(seconds)) for stage, seconds in checked.estimate.stages.items()]
    messages.table("Where the time is likely to go", ("stage", "about"), rows, right=("about",))
    for name, where in checked.weights.items():
        messages.say(f"Weights of {name}: {where}")


def estimate_values(estimate: Estimate) -> dict[str, Any]:
    """An estimate as plain values: seconds in all and by stage, MB, Wh and grams as ranges."""
    return {
        "seconds": estimate.seconds,
        "stages": estimate.stages,
        "memory_mb": estimate.memory_mb,
        "disk_mb": estimate.disk_mb,
        "energy_wh": estimate.energy_wh.to_json(),
        "emissions_g": estimate.grams.to_json(),
        "class": estimate.emission.class_,
    }
