"""Puts a suite of behaviour tests to candidates and keeps every text with every answer.

After Ribeiro et al. (2020), “Beyond Accuracy: Behavioral Testing of NLP Models with CheckList”. The texts come from the
suite, not from the table, so they may be kept and shown. Whether a case passed is not decided here: it follows from the
evidence (workbench.metrics.behaviour).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pyarrow as pa

from workbench.errors import RecipeError
from workbench.evaluation.check import Check, Subject
from workbench.evaluation.perturbations import perturb
from workbench.metrics.behaviour import SCHEMA
from workbench.recipe.suite_parts import DirectionCase, InvarianceCase, InvarianceTest, MinimumCase, Test
from workbench.recipe.suites import Suite, class_named, read_suite, suite_of
from workbench.runs.events import Listener, Progress, ignore, never

Line = dict[str, Any]


def check_behaviour(
    subject: Subject,
    suite: Suite | None = None,
    *,
    listener: Listener = ignore,
    stop: Callable[[], bool] = never,
) -> Check:
    """Put a given suite, or the one shipped for the recipe, to the candidates; a reason where there is none that fits.

    Args:
        subject: A finished comparison.
        suite: The suite; None for the shipped one of the recipe's name.
        listener: Told of each candidate.
        stop: Looked at between candidates.

    Returns:
        Evidence ``behaviour-<suite>``, or the reason why there is none.
    """
    if suite is not None:
        return check_suite(subject, suite, listener=listener, stop=stop)
    path = suite_of(subject.recipe.name)
    if path is None:
        reason = (
            f"No suite of behaviour tests is shipped for the recipe {subject.recipe.name}; write one "
            "(docs/suites.md) and run: workbench evaluate RUN --suite my-suite.yaml"
        )
        return Check("behaviour", None, {}, (reason,))
    try:
        found = read_suite(path, subject.splits.classes)
    except RecipeError as error:
        reason = f"The shipped suite {path.stem} does not fit this run: {error.problem} {'; '.join(error.problems[:3])}"
        return Check("behaviour", None, {}, (f"{reason} Name a suite of its own with --suite.",))
    return check_suite(subject, found, listener=listener, stop=stop)


def check_suite(
    subject: Subject,
    suite: Suite,
    *,
    listener: Listener = ignore,
    stop: Callable[[], bool] = never,
) -> Check:
    """Put a suite to every candidate that somebody might use.

    Args:
        subject: A finished comparison.
        suite: The suite, read with the run's classes so that its problems are told by line.
        listener: Told of each candidate.
        stop: Looked at between candidates; what was answered stays.

    Returns:
        Evidence ``behaviour-<suite>``: a line for each candidate, case and variant (0 is the text as it stands).

    Raises:
        RecipeError: The suite names a class that the run does not have.
    """
    lines = list(_lines(suite, subject.splits.classes, subject.seed))
    texts = list(dict.fromkeys(line["text"] for line in lines))
    parts, asked = [], subject.asked()
    for done, name in enumerate(asked):
        if stop():
            break
        candidate = subject.candidates[name]
        probabilities = np.asarray(candidate.predict_proba(texts))
        place = {text: at for at, text in enumerate(texts)}
        own = probabilities[[place[line["text"]] for line in lines]]
        parts.append(_answers(name, subject.seed, lines, own, candidate.classes))
        listener(Progress("behaviour", done + 1, len(asked)))
    left = asked[len(parts) :]
    reasons = (f"Stopped before {', '.join(left)}; evaluate again for the rest.",) if left else ()
    table = pa.concat_tables(parts) if parts else None
    return Check(f"behaviour-{suite.name}", table, _settings(suite, subject), reasons)


def _settings(suite: Suite, subject: Subject) -> dict[str, Any]:
    """What the scorer and a reader need."""
    return {
        "suite": suite.name,
        "about": suite.about,
        "digest": suite.digest,
        "cases": suite.size,
        "confidence": subject.recipe.evaluation.confidence,
        "seed": subject.seed,
        "tests": [
            {"name": test.name, "kind": test.kind, "about": test.about, "cases": len(test.cases)}
            for test in suite.tests
        ],
    }


def _answers(
    name: str, seed: int, lines: list[Line], probabilities: np.ndarray[Any, Any], classes: tuple[str, ...]
) -> pa.Table:
    """Lines of evidence of one candidate."""
    best = probabilities.argmax(axis=1)
    made = []
    for line, own, top in zip(lines, probabilities, best, strict=True):
        watched = float(own[classes.index(line["watched"])]) if line["watched"] else None
        answer = {"prediction": classes[top], "probability": float(own[top]), "p_watched": watched}
        made.append({"candidate": name, "seed": seed, **line, **answer})
    return pa.Table.from_pylist(made, schema=SCHEMA)


def _lines(suite: Suite, classes: tuple[str, ...], seed: int) -> Iterator[Line]:
    """Every text of a suite, the changed ones after the one they come from."""
    for at, test in enumerate(suite.tests):
        for place, case in enumerate(test.cases):
            wish = _wish(case, suite, classes)
            same = {"test": test.name, "kind": test.kind, "case": place, "line": suite.lines.get((at, place), 0)}
            for variant, text in enumerate([case.text, *_variants(test, case, seed)]):
                yield same | wish | {"variant": variant, "text": text, "note": case.note}


def _variants(test: Test, case: Any, seed: int) -> list[str]:
    """The changed texts of a case, those that differ from it, each once."""
    found: list[str] = []
    if isinstance(case, DirectionCase):
        return [case.changed]
    if isinstance(case, InvarianceCase):
        found += case.variants
    if isinstance(test, InvarianceTest) and test.perturb is not None:
        change = test.perturb
        found += [
            perturb(case.text, change.name, change.chosen_level, seed=seed + copy, words=change.words or None, fewest=1)
            for copy in range(change.copies)
        ]
    return [text for text in dict.fromkeys(found) if text != case.text]


def _wish(case: Any, suite: Suite, classes: tuple[str, ...]) -> Line:
    """What a case asks for, with the run's own names of classes."""
    wish: Line = {"expected": None, "move": "", "watched": "", "by": 0.0}
    if isinstance(case, MinimumCase):
        return wish | {"expected": [_class(word, suite, classes) for word in case.expect]}
    if isinstance(case, DirectionCase):
        move = "rises" if case.rises else "falls" if case.falls else "changes"
        word = case.rises or case.falls
        return wish | {"move": move, "watched": _class(word, suite, classes) if word else "", "by": case.by}
    return wish


def _class(word: str, suite: Suite, classes: tuple[str, ...]) -> str:
    found = class_named(word, suite.classes, classes)
    if found is None:
        raise RecipeError(
            f"The suite {suite.file} names a class that this run does not have: '{suite.classes.get(word, word)}'.",
            f"One of: {', '.join(classes[:6])}{' …' if len(classes) > 6 else ''}",
            "Write the suite for the classes of the run's recipe.",
        )
    return found
