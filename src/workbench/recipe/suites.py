"""From a suite's file or shipped name to checked tests, with every problem told at once, by file and line.

Reading a suite runs nothing. Texts of a suite are the writer's own: they are kept as evidence and shown in the report,
so no text of a person belongs into one.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError

from workbench.errors import RecipeError
from workbench.recipe.reading import digest
from workbench.recipe.shipped import shipped_folder
from workbench.recipe.suite_parts import (
    DirectionCase,
    DirectionTest,
    InvarianceCase,
    InvarianceTest,
    MinimumCase,
    MinimumTest,
    Perturb,
    SuiteFile,
    Test,
)
from workbench.recipe.yaml_text import Document, read_document

KINDS: dict[str, tuple[type[BaseModel], type[BaseModel]]] = {
    "minimum": (MinimumTest, MinimumCase),
    "invariance": (InvarianceTest, InvarianceCase),
    "direction": (DirectionTest, DirectionCase),
}
Place = tuple[str | int, ...]


@dataclass(frozen=True)
class Suite:
    """A checked suite.

    Attributes:
        name: Its name.
        about: How its cases were found.
        classes: Short name to what it stands for.
        tests: Its tests, in the order of the file.
        file: Name of its file, for messages.
        digest: SHA-256 of its content, 64 hex digits.
        lines: (test, case), counted from 0, to the line where the case begins.
    """

    name: str
    about: str
    classes: Mapping[str, str]
    tests: tuple[Test, ...]
    file: str
    digest: str
    lines: Mapping[tuple[int, int], int] = field(default_factory=dict)

    @property
    def size(self) -> int:
        """Number of cases."""
        return sum(len(test.cases) for test in self.tests)


def shipped_suites() -> dict[str, Path]:
    """Name to file of every shipped suite, sorted by name."""
    return {path.stem: path for path in sorted((shipped_folder("recipes") / "suites").glob("*.yaml"))}


def suite_of(recipe_name: str, wanted: str | None = None, base: Path = Path()) -> Path | None:
    """The suite of a recipe: the wanted one, else the shipped one of its name, or of the name that its own begins with.

    Args:
        recipe_name: For example clinical-coding-full, which clinical-coding serves.
        wanted: A file, relative to ``base``, or the name of a shipped suite; None for what is shipped.
        base: The recipe's folder.

    Returns:
        Its file; ``None`` where none is wanted and no suite is shipped for it.

    Raises:
        RecipeError: The wanted one is not there.
    """
    if wanted is not None:
        return _found(base / wanted if (base / wanted).is_file() else wanted)
    suites = shipped_suites()
    fitting = [name for name in suites if recipe_name == name or recipe_name.startswith(f"{name}-")]
    return suites[max(fitting, key=len)] if fitting else None


def read_suite(source: str | Path, classes: Sequence[str] | None = None) -> Suite:
    """Read a suite from a YAML file or by its shipped name.

    Args:
        source: Path of a YAML file, or the name of a shipped suite.
        classes: The classes of the run that it will be put to; None leaves its class names unchecked.

    Raises:
        RecipeError: It is not found, cannot be read, or has problems; all of them are listed.
    """
    path = _found(source)
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise RecipeError(
            f"{path.name} is not UTF-8 text.", "A suite is a YAML file in UTF-8.", "Save it again as UTF-8."
        ) from error
    return parse_suite(text, path.name, classes)


def parse_suite(text: str, name: str = "suite", classes: Sequence[str] | None = None) -> Suite:
    """Check the YAML text of a suite.

    Args:
        text: The text.
        name: What to call it in messages.
        classes: The classes of the run, or None.

    Raises:
        RecipeError: It has problems; all of them are listed.
    """
    document = read_document(text, name)
    if not isinstance(document.values, dict):
        raise RecipeError(
            f"{name} holds no suite.",
            "A mapping with name, about and tests.",
            f"Start from a shipped one: {', '.join(map(str, shipped_suites().values()))}",
        )
    problems: list[str] = []
    suite = None
    try:
        suite = SuiteFile.model_validate(document.values)
    except ValidationError as error:
        problems += [_sentence(one, document, name) for one in _own(error.errors())]
    problems += list(_repeated(document, name))
    if classes is not None:
        problems += list(_unknown_classes(document, name, classes))
    if problems or suite is None:
        raise _refused(name, problems)
    lines = {
        (at, place): document.line(("tests", at, "cases", place)) or 0
        for at, test in enumerate(suite.tests)
        for place in range(len(test.cases))
    }
    return Suite(suite.name, suite.about, suite.classes, suite.tests, name, digest(suite), lines)


def class_named(word: str, short: Mapping[str, str], classes: Sequence[str]) -> str | None:
    """The class that a suite means.

    Args:
        word: A class, the beginning that only one class has, other words of it that no other class has (always whole
            words), or a short name.
        short: The suite's short names.
        classes: The run's classes.

    Returns:
        The class; ``None`` where none or several would fit.
    """
    word = short.get(word, word)
    if word in classes:
        return word
    fitting = [one for one in classes if one.startswith(f"{word} ")]
    inside = re.compile(rf"(?<!\w){re.escape(word)}(?!\w)")
    fitting = fitting or [one for one in classes if inside.search(one)]
    return fitting[0] if len(fitting) == 1 else None


def _found(source: str | Path) -> Path:
    path = Path(source)
    if path.is_file():
        return path
    suites = shipped_suites()
    if str(source) in suites:
        return suites[str(source)]
    close = difflib.get_close_matches(path.stem, suites, n=1, cutoff=0.5)
    raise RecipeError(
        f"'{source}' is neither a file nor a shipped suite.",
        f"A YAML file, or one of: {', '.join(suites)}",
        f"Did you mean '{close[0]}'?" if close else "Give the path of your suite.",
    )


def _refused(name: str, problems: Sequence[str]) -> RecipeError:
    single = len(problems) == 1
    return RecipeError(
        problems[0] if single else f"{name} has {len(problems)} problems.",
        "A suite's fields are described in docs/suites.md; classes are those of the run.",
        f"Mend {'it' if single else 'them'} and try again; nothing was evaluated.",
        problems=problems,
    )


def _at(document: Document, name: str, path: Place) -> str:
    line = document.line(path)
    return f"{name}, line {line}" if line else name


def _own(errors: Sequence[Any]) -> list[Any]:
    """Errors without the echo of a list that is too short only because its items have errors of their own."""
    places = [tuple(one["loc"]) for one in errors]

    def echo(one: Any) -> bool:
        loc = tuple(one["loc"])
        return one["type"] == "too_short" and any(
            len(place) > len(loc) and place[: len(loc)] == loc for place in places
        )

    return [one for one in errors if not echo(one)]


def _sentence(error: Any, document: Document, name: str) -> str:
    """One problem of the schema in words."""
    tagged: Place = error["loc"]
    path = tuple(part for at, part in enumerate(tagged) if not (at == 2 and tagged[0] == "tests"))
    where, name_of = _at(document, name, path), ".".join(map(str, path)) or "the suite"
    kind = error["type"]
    if kind == "extra_forbidden":
        known = list(_model_at(tagged[:-1]).model_fields)
        close = difflib.get_close_matches(str(path[-1]), known, n=1, cutoff=0.5)
        tail = f"; did you mean '{close[0]}'?" if close else f"; known here: {', '.join(known)}"
        return f"{where}: unknown field '{name_of}'{tail}"
    if kind == "missing":
        return f"{where}: '{name_of}' is missing."
    if kind.startswith("union_tag"):
        return f"{where}: '{name_of}.kind' must be one of {', '.join(KINDS)}."
    message = str(error["msg"]).removeprefix("Value error, ")
    given = "" if isinstance(error["input"], dict | list | BaseModel) else f" (it is {error['input']!r})"
    return f"{where}: '{name_of}': {message[0].lower()}{message[1:]}{given}."


def _model_at(tagged: Place) -> type[BaseModel]:
    """The part of the schema at a path with the kinds of tests in it."""
    if len(tagged) < 3 or str(tagged[2]) not in KINDS:
        return SuiteFile
    test, case = KINDS[str(tagged[2])]
    return case if "cases" in tagged[3:] else Perturb if "perturb" in tagged[3:] else test


def _tests(document: Document) -> Iterator[tuple[int, dict[str, Any]]]:
    """Tests as they stand in the file, those that are mappings."""
    tests = document.values.get("tests")
    for at, test in enumerate(tests if isinstance(tests, list) else []):
        if isinstance(test, dict):
            yield at, test


def _cases(test: Mapping[str, Any]) -> Iterator[tuple[int, dict[str, Any]]]:
    cases = test.get("cases")
    for place, case in enumerate(cases if isinstance(cases, list) else []):
        if isinstance(case, dict):
            yield place, case


def _repeated(document: Document, name: str) -> Iterator[str]:
    """Tests with one name, cases with one text (and one change)."""
    names: dict[str, int | None] = {}
    for at, test in _tests(document):
        own = str(test.get("name", ""))
        if own and own in names:
            where = _at(document, name, ("tests", at, "name"))
            yield f"{where}: the test '{own}' stands twice (first on line {names[own]})."
        names.setdefault(own, document.line(("tests", at, "name")))
        seen: dict[tuple[str, str], int | None] = {}
        for place, case in _cases(test):
            key = (str(case.get("text", "")).strip(), str(case.get("changed", "")).strip())
            path: Place = ("tests", at, "cases", place)
            if key[0] and key in seen:
                yield f"{_at(document, name, path)}: the same case as on line {seen[key]}: {key[0]!r}."
            seen.setdefault(key, document.line(path))


def _unknown_classes(document: Document, name: str, classes: Sequence[str]) -> Iterator[str]:
    """Words that stand for no class of the run, or for several."""
    given = document.values.get("classes")
    short = {key: value for key, value in given.items() if isinstance(value, str)} if isinstance(given, dict) else {}
    for key, value in short.items():
        if class_named(value, {}, classes) is None:
            yield _no_class(_at(document, name, ("classes", key)), value, {}, classes)
    for at, test in _tests(document):
        for place, case in _cases(test):
            for key in ("expect", "rises", "falls"):
                words = case.get(key)
                for word in [words] if isinstance(words, str) else words if isinstance(words, list) else []:
                    if isinstance(word, str) and word not in short and class_named(word, short, classes) is None:
                        yield _no_class(_at(document, name, ("tests", at, "cases", place, key)), word, short, classes)


def _no_class(where: str, word: str, short: Mapping[str, str], classes: Sequence[str]) -> str:
    fitting = [one for one in classes if one.startswith(word)]
    if len(fitting) > 1:
        return f"{where}: '{word}' is the beginning of {len(fitting)} classes: {', '.join(fitting[:4])}."
    known = [*short, *classes]
    close = difflib.get_close_matches(word, known, n=1, cutoff=0.5)
    tail = f"did you mean '{close[0]}'?" if close else f"the run has: {', '.join(classes[:6])}"
    return f"{where}: the run has no class '{word}'; {tail}{'' if close or len(classes) <= 6 else ' …'}"
