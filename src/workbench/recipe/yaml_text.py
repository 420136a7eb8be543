"""Safe YAML: plain data with the line of every key, and nothing that can surprise.

Refuses aliases and anchors, tags, duplicate keys, more than one document, files over 256 KiB and nesting
deeper than 12, each with its line. It builds no objects and reads no other file.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import yaml

from workbench.errors import RecipeError

MAX_BYTES = 256 * 1024
MAX_DEPTH = 12
MAX_NODES = 20_000
PLAIN_TAGS = tuple(f"tag:yaml.org,2002:{kind}" for kind in ("map", "seq", "str", "int", "float", "bool", "null"))

Path = tuple[str | int, ...]


@dataclass(frozen=True)
class Document:
    """Plain values of a YAML text and the line that each stands on.

    Attributes:
        values: Mappings, lists, strings, numbers, booleans and ``None``.
        lines: Path of keys and indices to its line, counted from 1.
    """

    values: Any
    lines: dict[Path, int]

    def line(self, path: Path) -> int | None:
        """Line of ``path``, or of the nearest parent that has one."""
        for length in range(len(path), -1, -1):
            if path[:length] in self.lines:
                return self.lines[path[:length]]
        return None


def read_document(text: str, name: str) -> Document:
    """Read one YAML document of plain data.

    Args:
        text: The YAML text.
        name: What to call it in messages, usually the file's name.

    Raises:
        RecipeError: It is too large, too deep, not valid YAML, or uses more than plain data.
    """
    if len(text.encode()) > MAX_BYTES:
        raise RecipeError(
            f"{name} is {len(text.encode()) // 1024:,} KiB long.",
            f"A file of this kind has at most {MAX_BYTES // 1024} KiB.",
            "Keep data in a table of its own and name it in the file.",
        )
    try:
        _refuse_specials(text, name)
        node = yaml.compose(text, Loader=yaml.SafeLoader)
        builder = _Builder(name)
        values = builder.build(node, (), 0) if node is not None else None
    except yaml.YAMLError as error:
        raise RecipeError(_syntax_message(error, name), "Valid YAML: key: value, lists with - or [ ].") from error
    except RecursionError as error:
        raise RecipeError(f"{name} is nested too deeply.", f"At most {MAX_DEPTH} levels.") from error
    if builder.problems:
        raise RecipeError(
            f"{name} cannot be read." if len(builder.problems) > 1 else builder.problems[0],
            "Every key once, at most "
            f"{MAX_DEPTH} levels, plain values only (text, numbers, true, false, null, lists, mappings).",
            "Mend the lines named above.",
            problems=builder.problems,
        )
    return Document(values, builder.lines)


def write_document(values: object) -> str:
    """Plain values as YAML text, keys in the order given, that reads back to equal values."""
    return yaml.dump(values, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=110)


def scalar(text: str, name: str) -> Any:
    """A value typed on a command line, read as YAML: ``0.5``, ``true``, ``[1, 2]``, ``some words``.

    Args:
        text: The value as typed.
        name: What to call it in messages.

    Raises:
        RecipeError: It is not valid YAML, or uses more than plain data.
    """
    return read_document(text, name).values


class _Dumper(yaml.SafeDumper):
    """Writes short lists of plain values on one line, and never an alias."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def _represent_list(dumper: yaml.SafeDumper, data: list[Any]) -> yaml.Node:
    flow = all(not isinstance(item, (list, dict)) for item in data)
    return dumper.represent_sequence("tag:yaml.org,2002:seq", data, flow_style=flow)


_Dumper.add_representer(list, _represent_list)


def _refuse_specials(text: str, name: str) -> None:
    documents = 0
    depth = 0
    nodes = 0
    for event in yaml.parse(text, Loader=yaml.SafeLoader):
        line = event.start_mark.line + 1 if event.start_mark is not None else 0
        nodes += 1
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
            raise RecipeError(
                f"{name}, line {line}: uses an alias or anchor (& or *).",
                "Each value written out where it is used.",
                "Copy the value to each place; quote it if the & or * is part of a text.",
            )
        if isinstance(event, yaml.DocumentStartEvent):
            documents += 1
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
        if isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        if depth > MAX_DEPTH or documents > 1 or nodes > MAX_NODES:
            what = "nested deeper than" if depth > MAX_DEPTH else "longer than"
            limit = f"{MAX_DEPTH} levels" if depth > MAX_DEPTH else "one document of 20,000 values"
            raise RecipeError(f"{name}, line {line}: {what} {limit}.", f"At most {limit}.", "Make it shorter.")


def _syntax_message(error: yaml.YAMLError, name: str) -> str:
    mark = getattr(error, "problem_mark", None)
    where = f", line {mark.line + 1}" if mark is not None else ""
    return f"{name}{where}: not valid YAML: {getattr(error, 'problem', None) or error}"


class _Builder:
    """Turns YAML nodes into plain values, collecting lines and problems."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.lines: dict[Path, int] = {}
        self.problems: list[str] = []

    def build(self, node: yaml.Node, path: Path, depth: int) -> Any:
        line = node.start_mark.line + 1
        self.lines.setdefault(path, line)
        if node.tag not in PLAIN_TAGS:
            tag = node.tag.removeprefix("tag:yaml.org,2002:")
            if tag == "timestamp" and isinstance(node, yaml.ScalarNode):
                return node.value
            self.problems.append(f"{self.name}, line {line}: the tag '{tag}' is not plain data.")
            return None
        if isinstance(node, yaml.MappingNode):
            return self._mapping(node, path, depth)
        if isinstance(node, yaml.SequenceNode):
            return [self.build(item, (*path, index), depth + 1) for index, item in enumerate(node.value)]
        try:
            return yaml.SafeLoader("").construct_object(node)
        except ValueError:
            return str(node.value)

    def _mapping(self, node: yaml.MappingNode, path: Path, depth: int) -> dict[str, Any]:
        values: dict[str, Any] = {}
        for key_node, value_node in node.value:
            line = key_node.start_mark.line + 1
            key = str(key_node.value)
            if not isinstance(key_node, yaml.ScalarNode):
                self.problems.append(f"{self.name}, line {line}: a key must be a plain word.")
                continue
            if key in values:
                first = self.lines[(*path, key)]
                self.problems.append(f"{self.name}, line {line}: the key '{key}' stands twice (first on line {first}).")
                continue
            self.lines[(*path, key)] = line
            values[key] = self.build(value_node, (*path, key), depth + 1)
        return values
