"""A recipe as YAML in which every field is explained: set ones with their sentence above, others commented out."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from typing import Any

from workbench.recipe import FieldText, fields
from workbench.recipe.yaml_text import write_document

WIDTH = 110


def commented_yaml(values: Mapping[str, Any], header: Sequence[str] = ()) -> str:
    """Plain values of a recipe as YAML with the description of every field; reads back to the same values.

    Args:
        values: What the recipe says; fields left out appear commented out with their default.
        header: Comment lines to put first, without ``#``.
    """
    lines = [f"# {line}".rstrip() for line in header]
    return "\n".join([*lines, *_part(values, fields(), "", "")]) + "\n"


def _part(values: Mapping[str, Any], described: Sequence[FieldText], prefix: str, indent: str) -> list[str]:
    lines: list[str] = []
    for field in _children(described, prefix):
        name = field.path.removeprefix(prefix)
        if name not in values:
            lines += _absent(field, name, described, indent)
        else:
            lines += _present(field, name, values[name], described, indent)
    return lines


def _present(field: FieldText, name: str, value: Any, described: Sequence[FieldText], indent: str) -> list[str]:
    if isinstance(value, Mapping) and _children(described, f"{field.path}."):
        inner = _part(value, described, f"{field.path}.", indent + "  ")
        return [*_comment(field.description, indent), f"{indent}{name}:{'' if value else ' {}'}", *inner]
    lines = _comment(f"{field.description} ({field.range})", indent)
    items = [one for one in described if one.path.startswith(f"{field.path}[].")]
    if isinstance(value, Sequence) and value and items:
        lines.append(f"{indent}{name}:")
        for item in items:
            inside = item.path.removeprefix(f"{field.path}[].")
            lines += _comment(f"{inside}: {item.description} ({_takes(item)})", indent + "  ")
        return lines + [f"{indent}  - {_flow(one)}" for one in value]
    return lines + textwrap.indent(write_document({name: value}), indent).rstrip("\n").split("\n")


def _absent(field: FieldText, name: str, described: Sequence[FieldText], indent: str) -> list[str]:
    parts = _part({}, described, f"{field.path}.", "")
    plain = not parts and field.default not in {"left out", "required"}
    said = f"{name}: {' '.join(field.default.split())}" if plain else f"{name}:"
    lines = _comment(f"{said}  # {field.description} ({field.range})", indent)
    return lines + [f"{indent}#   {line.removeprefix('# ')}" for line in parts]


def _comment(text: str, indent: str) -> list[str]:
    lead = f"{indent}# "
    return textwrap.wrap(
        text,
        WIDTH,
        initial_indent=lead,
        subsequent_indent=f"{lead}  ",
        break_long_words=False,
        break_on_hyphens=False,
    )


def _takes(field: FieldText) -> str:
    default = "" if field.default in {"left out", "required"} else f"; {field.default} when left out"
    return f"{field.range}{default}"


def _flow(value: Any) -> str:
    """A value on one line, as YAML."""
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{name}: {_flow(inner)}" for name, inner in value.items()) + "}"
    if isinstance(value, Sequence) and not isinstance(value, str):
        return "[" + ", ".join(_flow(inner) for inner in value) + "]"
    return write_document({"value": value}).strip().removeprefix("value:").strip()


def _children(described: Sequence[FieldText], prefix: str) -> list[FieldText]:
    """Fields directly below a prefix that ends in a dot, or the top ones."""
    return [
        field for field in described if field.path.startswith(prefix) and "." not in field.path.removeprefix(prefix)
    ]
