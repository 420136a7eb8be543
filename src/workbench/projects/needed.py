"""What a recipe needs beside the workbench itself: a data package, extras, weights; and the line that installs each."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from importlib import import_module, util

from workbench.errors import ModelError
from workbench.models.packages import KNOWN, KnownPackage, PartedPackage
from workbench.recipe import Located, Member, Recipe

MODULES = {
    "train": ("torch", "transformers", "accelerate", "model2vec"),
    "lora": ("peft",),
    "onnx": ("onnx", "onnxruntime", "onnxscript"),
    "privacy": ("opacus", "dp_accounting"),
}


@dataclass(frozen=True)
class Missing:
    """Something that is not installed.

    Attributes:
        kind: ``data``, ``extra`` or ``weights``.
        name: Of the package, the extra or the model.
        line: What to type to get it; empty where nobody knows.
    """

    kind: str
    name: str
    line: str


def missing(located: Located) -> list[Missing]:
    """What is not installed of what a recipe needs; empty where all is there. Imports none of it.

    Args:
        located: The recipe.
    """
    return [*_data_package(located.recipe), *_extras(located.recipe), *_weights(located)]


def members_of(recipe: Recipe) -> tuple[Member, ...]:
    """The single teachers behind the recipe's teacher; empty without one."""
    return () if recipe.teacher is None else recipe.teacher.ensemble or (recipe.teacher,)


def _data_package(recipe: Recipe) -> Iterator[Missing]:
    from workbench.data.readers import MODULES as READERS

    source = recipe.data.source
    if source.reader in READERS:
        package = import_module(READERS[source.reader]).PACKAGE
        if util.find_spec(package.module) is None:
            yield Missing("data", package.name, f"pip install {package.name}=={package.version}")


def _extras(recipe: Recipe) -> Iterator[Missing]:
    members = members_of(recipe)
    wanted = {
        "train": any(one.model for one in members) or any(one.kind != "linear" for one in recipe.students),
        "lora": any(one.method == "lora" for one in members),
        "onnx": any(one.compress for one in recipe.students),
        "privacy": recipe.teacher is not None and recipe.teacher.privacy is not None,
    }
    for extra, is_wanted in wanted.items():
        if is_wanted and any(util.find_spec(name) is None for name in MODULES[extra]):
            yield Missing("extra", extra, f"pip install 'specialist-workbench[{extra}]'")


def _weights(located: Located) -> Iterator[Missing]:
    """Encoders without a folder; whether the files in it are the right ones is looked at when they are used."""
    names: dict[str, str | None] = {one.model: None for one in located.recipe.students if one.model}
    names |= {one.model: one.revision for one in members_of(located.recipe) if one.model}
    for name, revision in names.items():
        known = [one for one in KNOWN if name.lower() in one.names()]
        if not (located.base / name).is_dir() and not any(_is_there(one) for one in known):
            line = known[0].install() if known else ""
            if not _in_cache(name, revision):
                yield Missing("weights", name, line)


def _is_there(package: KnownPackage | PartedPackage) -> bool:
    if isinstance(package, PartedPackage):
        from workbench.models.assembling import cached_folder, find_parts

        return cached_folder(package).is_dir() or all(find_parts(package))
    return package.folder() is not None


def _in_cache(name: str, revision: str | None) -> bool:
    """Whether the hub's local cache has a model; only asked where no package carries it."""
    from workbench.models.weights import find_weights

    try:
        find_weights(name, revision=revision)
    except ModelError:
        return False
    return True
