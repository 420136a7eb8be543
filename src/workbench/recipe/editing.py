"""Changes one value in a recipe's YAML text and leaves the rest as the person wrote it: comments, order, spacing.

A path is that of ``--set``, and the result means the same. Where a text is written too unusually to be spliced
safely, it is written anew with its comments at the top: no change is ever lost or made half.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import Any

import yaml

from workbench.errors import RecipeError
from workbench.recipe.overrides import Override, apply_overrides
from workbench.recipe.reading import known_keys
from workbench.recipe.yaml_text import Document, Path, read_document, write_document

WIDTH = 110
LONG_TEXT = 80
COMMENT = re.compile(r"(?<!\S)#[^\n]*")
NULL, TEXT, MAPPING = (f"tag:yaml.org,2002:{kind}" for kind in ("null", "str", "map"))


def set_value(text: str, path: str, value: Any) -> str:
    """Change one value; parents that are missing are added.

    Args:
        text: YAML text of a recipe.
        path: Dotted path as for ``--set``; an item of a list by its index or its name.
        value: Plain values: text, number, boolean, ``None``, list or mapping.

    Raises:
        RecipeError: The text is not plain YAML, or the path leads nowhere.
    """
    document = _read(text)
    override = Override(tuple(path.split(".")), value, f"{path}={value}")
    wanted, told = apply_overrides(document.values, [override])
    return _checked(text, wanted, lambda: _set(text, next(iter(told)), value))


def remove_value(text: str, path: str) -> str:
    """Take one field, or one item of a list, out; its comments stay. A field that is not there stays away.

    Raises:
        RecipeError: The text is not plain YAML, or the path leads nowhere.
    """
    document = _read(text)
    found = _resolve(document.values, path)
    if found is None:
        return text
    wanted, _ = apply_overrides(document.values, ())
    del _at(wanted, found[:-1])[found[-1]]
    return _checked(text, wanted, lambda: _remove(text, found))


def add_item(text: str, path: str, value: Any) -> str:
    """Add an item at the end of a list; the list is made where there is none.

    Raises:
        RecipeError: The text is not plain YAML, or the path leads nowhere.
    """
    document = _read(text)
    found = _resolve(document.values, path)
    if found is None or not _at(document.values, found):
        return set_value(text, path, [value])
    wanted, _ = apply_overrides(document.values, ())
    _at(wanted, found).append(value)
    return _checked(text, wanted, lambda: _append(text, found, value))


@lru_cache(maxsize=8)
def _read(text: str) -> Document:
    document = read_document(text, "recipe")
    if document.values is not None and not isinstance(document.values, dict):
        raise RecipeError("The text holds no recipe.", "A mapping of fields.", "Start from a shipped recipe.")
    return Document(document.values or {}, document.lines)


def _resolve(values: Any, path: str) -> Path | None:
    """Keys and indices of a dotted path; ``None`` where a field of it is not there."""
    place: Any = values
    found: Path = ()
    for part in path.split("."):
        key: str | int = part
        if isinstance(place, list):
            _, told = apply_overrides({"list": place}, [Override(("list", part), None, path)])
            key = next(iter(told))[1]
        elif not isinstance(place, dict) or part not in place:
            return None
        place, found = place[key], (*found, key)
    return found


def _at(values: Any, path: Path) -> Any:
    for key in path:
        values = values[key]
    return values


def _checked(text: str, wanted: Any, edit: Callable[[], str]) -> str:
    """The edited text where it says what is wanted; else the whole written anew below its comments."""
    before = sorted(one for _, one in _comments(text))
    try:
        edited = edit()
        if _same(_read(edited).values, wanted) and before == sorted(one for _, one in _comments(edited)):
            return edited
    except RecipeError:
        pass
    return "".join(f"{one}\n" for _, one in _comments(text)) + write_document(_plain(wanted))


def _same(one: Any, other: Any) -> bool:
    """Equal, numbers and booleans told apart; the order of keys counts for nothing."""
    if isinstance(one, dict) and isinstance(other, dict):
        return set(one) == set(other) and all(_same(one[key], other[key]) for key in one)
    if isinstance(one, (list, tuple)) and isinstance(other, (list, tuple)):
        return len(one) == len(other) and all(map(_same, one, other))
    return bool(one == other) and isinstance(one, bool) == isinstance(other, bool)


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(key): _plain(one) for key, one in value.items()}
    return [_plain(one) for one in value] if isinstance(value, (list, tuple)) else value


@lru_cache(maxsize=8)
def _comments(text: str) -> list[tuple[int, str]]:
    """Where each comment stands, and the comment."""
    found, place = [], 0
    for token in yaml.scan(text, Loader=yaml.SafeLoader):
        if isinstance(token, (yaml.ScalarToken, yaml.StreamEndToken)):
            start, end = token.start_mark.index, token.end_mark.index
            if isinstance(token, yaml.ScalarToken) and token.style in ("|", ">"):
                start = text.find("\n", start)
            found += [(one.start(), one.group().rstrip()) for one in COMMENT.finditer(text, place, start)]
            place = end
    return found


def _walk(text: str, path: Path) -> Iterator[tuple[yaml.Node, bool, tuple[yaml.Node, yaml.Node] | None]]:
    """Each parent on a path, whether it stands within brackets, and its entry: key and value, or an item twice."""
    node: Any = yaml.compose(text, Loader=yaml.SafeLoader)
    in_flow = False
    for key in path:
        in_flow = in_flow or bool(node.flow_style)
        entry: tuple[yaml.Node, yaml.Node] | None
        if isinstance(node, yaml.SequenceNode):
            entry = (node.value[int(key)], node.value[int(key)])
        else:
            entry = next((one for one in node.value if str(one[0].value) == key), None)
        yield node, in_flow, entry
        if entry is None:
            return
        node = entry[1]


def _set(text: str, path: Path, value: Any) -> str:
    if yaml.compose(text, Loader=yaml.SafeLoader) is None:
        return text + ("" if text.endswith("\n") or not text else "\n") + write_document(_nested(path, _plain(value)))
    for depth, (node, in_flow, entry) in enumerate(_walk(text, path), start=1):
        below = _nested(path[depth:], value)
        if entry is None:
            return _insert(text, node, path[:depth], below, in_flow)
        if depth == len(path) or entry[1].tag == NULL:
            return _replace(text, node, entry, below, in_flow)
    raise AssertionError("a path has at least one key")


def _nested(path: Path, value: Any) -> Any:
    for key in reversed(path):
        value = {key: value}
    return value


def _insert(text: str, node: yaml.Node, path: Path, value: Any, in_flow: bool) -> str:
    """A new key in a mapping, after the last one that comes before it in the description of recipes."""
    key, order = str(path[-1]), known_keys(path[:-1])
    earlier = set(order[: order.index(key)]) if key in order else set()
    fitting = [one[1] for one in node.value if one[0].value in earlier] or [one[1] for one in node.value]
    if in_flow:
        place = _end(text, fitting[-1]) if fitting else node.start_mark.index + 1
        return f"{text[:place]}{', ' if fitting else ''}{on_one_line({key: value})[1:-1]}{text[place:]}"
    column = node.start_mark.column
    return _new_line(
        text, _end(text, fitting[-1]), f"{' ' * column}{on_one_line(key)}:{_shown(value, column, len(key))}"
    )


def _append(text: str, path: Path, value: Any) -> str:
    *_, (node, in_flow, _) = _walk(text, (*path, 0))
    place = _end(text, node.value[-1])
    if in_flow:
        return f"{text[:place]}, {on_one_line(value)}{text[place:]}"
    column = node.start_mark.column
    return _new_line(text, place, " " * column + _item(value, column))


def _new_line(text: str, place: int, line: str) -> str:
    """A line put after the one that ``place`` stands on."""
    end = text.find("\n", place)
    return f"{text}\n{line}\n" if end < 0 else f"{text[:end]}\n{line}{text[end:]}"


def _replace(text: str, parent: yaml.Node, entry: tuple[yaml.Node, yaml.Node], value: Any, in_flow: bool) -> str:
    key, old = entry
    start, end = old.start_mark.index, _end(text, old)
    if in_flow:
        space = " " if text[start - 1] == ":" else ""
        return f"{text[:start]}{space}{on_one_line(value)}{text[end:]}"
    if isinstance(parent, yaml.MappingNode):
        shown = _shown(value, parent.start_mark.column, len(key.value))
        if isinstance(old, yaml.ScalarNode) and not shown.startswith("\n"):
            return f"{text[:start]}{shown if text[start - 1] == ':' else shown[1:]}{text[end:]}"
        start = text.index(":", key.end_mark.index) + 1
        return _cut(text, start, end, shown)
    return _cut(text, start, end, _item(value, parent.start_mark.column)[2:])


def _remove(text: str, path: Path) -> str:
    *_, (parent, in_flow, _) = _walk(text, path)
    listed = isinstance(parent, yaml.SequenceNode)
    entries = [(one, one) if listed else one for one in parent.value]
    if len(entries) == 1:
        return _set(text, path[:-1], [] if listed else {}) if len(path) > 1 else ""
    place = next(at for at, one in enumerate(entries) if path[-1] == (at if listed else one[0].value))
    start, end = entries[place][0].start_mark.index, _end(text, entries[place][1])
    line = text.rfind("\n", 0, start) + 1
    if in_flow and place + 1 == len(entries):
        return _cut(text, _end(text, entries[place - 1][1]), end, "")
    if in_flow or (not listed and text[line:start].strip()):
        return _cut(text, start, entries[place + 1][0].start_mark.index, "")
    stop = text.find("\n", end) + 1
    return _cut(text, line, stop or len(text), "")


def _cut(text: str, start: int, end: int, new: str) -> str:
    """The text with a part replaced; comments of that part move to lines of their own above it."""
    line = text.rfind("\n", 0, start) + 1
    indent = text[line:][: len(text[line:]) - len(text[line:].lstrip(" "))]
    kept = "".join(f"{indent}{one}\n" for at, one in _comments(text) if start <= at < end)
    return f"{text[:line]}{kept}{text[line:start]}{new}{text[end:]}"


def _end(text: str, node: yaml.Node) -> int:
    """Where a value's own characters end; the end mark of a block lies behind the comments that follow it."""
    if isinstance(node, yaml.CollectionNode) and not node.flow_style and node.value:
        last = node.value[-1]
        return _end(text, last[1] if isinstance(node, yaml.MappingNode) else last)
    if isinstance(node, yaml.ScalarNode) and node.style in ("|", ">"):
        return len(text[: node.end_mark.index].rstrip())
    return int(node.end_mark.index)


def _shown(value: Any, column: int, key: int) -> str:
    """What stands after ``key:`` or ``-`` in a block: a space and the value on one line if it fits, else lines."""
    below = " " * (column + 2)
    flow = on_one_line(value)
    parts = isinstance(value, (list, tuple)) and any(isinstance(one, dict) for one in value)
    if isinstance(value, str) and ("\n" in value or len(value) > LONG_TEXT):
        return _folded(value, column)
    if not isinstance(value, (dict, list, tuple)) or not value:
        return f" {flow if value is None or not isinstance(value, str) else _block_text(value)}"
    if column + key + 2 + len(flow) <= WIDTH and not parts:
        return f" {flow}"
    if isinstance(value, dict):
        lines = [f"{on_one_line(str(name))}:{_shown(one, column + 2, len(str(name)))}" for name, one in value.items()]
    else:
        lines = [_item(one, column + 2) for one in value]
    return "".join(f"\n{below}{line}" for line in lines)


def _item(value: Any, column: int) -> str:
    """An item of a list in a block, with its dash."""
    shown = f"-{_shown(value, column, 0)}"
    return f"- {shown[2:].lstrip()}" if shown[1] == "\n" else shown


def _folded(value: str, column: int) -> str:
    """A long text as a folded or literal block."""
    key = yaml.ScalarNode(TEXT, "k")
    told = yaml.ScalarNode(TEXT, value, style="|" if "\n" in value else ">")
    made = yaml.serialize(yaml.MappingNode(MAPPING, [(key, told)]), width=WIDTH - column, allow_unicode=True)
    return str(made[2:]).rstrip("\n").replace("\n", "\n" + " " * column)


def _block_text(value: str) -> str:
    return str(yaml.dump({"k": value}, Dumper=_OneLine, allow_unicode=True, width=10**6)[3:]).rstrip("\n")


def on_one_line(value: Any) -> str:
    """A value as YAML on one line, fit to stand within brackets."""
    made = yaml.dump(
        {"k": _plain(value)},
        Dumper=_OneLine,
        default_flow_style=True,
        sort_keys=False,
        allow_unicode=True,
        width=10**6,
    )
    return str(made).rstrip("\n")[4:-1]


class _OneLine(yaml.SafeDumper):
    """Writes texts with line breaks in quotes, and never an alias."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


_OneLine.add_representer(str, lambda dumper, data: dumper.represent_scalar(TEXT, data, '"' if "\n" in data else None))
