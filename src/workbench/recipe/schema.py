"""A recipe's fields as JSON schema and as text: one source for form, comments and documentation."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from workbench.recipe.parts import Recipe
from workbench.recipe.yaml_text import write_document


@dataclass(frozen=True)
class FieldText:
    """What a person needs to know of one field.

    Attributes:
        path: Dotted path; items of a list carry ``[]``.
        title: A few words.
        description: One sentence.
        range: The values it takes, in words.
        default: The default as YAML, or ``required``.
    """

    path: str
    title: str
    description: str
    range: str
    default: str


def json_schema() -> dict[str, Any]:
    """JSON Schema (2020-12) of a recipe, with title, range, default and description of every field."""
    schema = Recipe.model_json_schema()
    schema["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    return schema


def fields() -> list[FieldText]:
    """Every field of a recipe, in the order of the file."""
    schema = json_schema()
    return list(_walk(schema, schema["$defs"], ""))


def _walk(part: dict[str, Any], defs: dict[str, Any], prefix: str) -> Iterator[FieldText]:
    required = set(part.get("required", ()))
    for name, field in part["properties"].items():
        path = f"{prefix}{name}"
        inner, suffix = _inner(field, defs)
        default = "required" if name in required else _default(field)
        told = {**(inner or {}), **field} if not suffix else field
        yield FieldText(path, told.get("title", name), told.get("description", ""), _range(field), default)
        if inner is not None and not (prefix and inner is part):
            yield from _walk(inner, defs, f"{path}{suffix}.")


def _inner(field: dict[str, Any], defs: dict[str, Any]) -> tuple[dict[str, Any] | None, str]:
    for option in field.get("anyOf", [field]):
        if "$ref" in option:
            return defs[option["$ref"].rsplit("/", 1)[-1]], ""
        for key, suffix in (("items", "[]"), ("additionalProperties", ".<name>")):
            inner = option.get(key)
            if isinstance(inner, dict) and "$ref" in inner:
                return defs[inner["$ref"].rsplit("/", 1)[-1]], suffix
    return None, ""


def _default(field: dict[str, Any]) -> str:
    if field.get("default") is None:
        return "left out"
    return write_document(field["default"]).strip().removesuffix("\n...").strip()


def _range(field: dict[str, Any]) -> str:
    options = [option for option in field.get("anyOf", [field]) if option.get("type") != "null"]
    return " or ".join(_range_of(option) for option in options)


def _range_of(option: dict[str, Any]) -> str:
    if "enum" in option:
        return " | ".join(str(value) for value in option["enum"])
    if "const" in option:
        return str(option["const"])
    signs = (("minimum", ">="), ("exclusiveMinimum", ">"), ("maximum", "<="), ("exclusiveMaximum", "<"))
    bounds = [f"{sign} {option[key]:g}" for key, sign in signs if key in option]
    names = {"object": "mapping", "array": "list", "string": "text", "integer": "whole number", "number": "number"}
    kind = names.get(option.get("type", "object"), option.get("type", "object"))
    return " ".join([kind, ", ".join(bounds)]).strip()
