"""Which checks a run makes, in their order: those that fit into two minutes at once, the others on ``evaluate``."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from workbench import storage
from workbench.errors import RecipeError, RunError
from workbench.evaluation.check import Check, Subject
from workbench.pipeline.gathering import Planned
from workbench.pipeline.session import Session

FEW_FOREIGN_TEXTS = 60
"""Of each kind, so that even a teacher that reads a few hundred texts a second is asked for seconds."""


def plans(
    subject: Subject, base: Path, *, suite: str | Path | None = None, only: Sequence[str] = (), soon: bool = False
) -> list[Planned]:
    """The checks of a run.

    Args:
        subject: What is looked at.
        base: Folder that the recipe's relative paths start from.
        suite: A file of behaviour tests, put to the candidates beside the recipe's own.
        only: Topics; all when empty.
        soon: Only those that ``workbench run`` makes.

    Raises:
        RunError: There is no such topic.
        RecipeError: The suite has problems.
    """
    decisions = read_decisions(subject)
    made = [
        Planned("personal", _personal),
        Planned("teacher-audit", _teacher_audit),
        Planned("novelty", lambda one, session: _novelty(one, session, decisions), more={"decisions": decisions}),
        Planned("slices", lambda one, session: _slices(one, decisions), more={"thresholds": _thresholds(decisions)}),
        *_behaviour(subject, suite, base),
        Planned("evasion", lambda one, session: _evasion(one), more={"decisions": decisions}),
        Planned("flips", _flips, soon=False),
        Planned("robustness", _robustness, soon=False),
        Planned("attacks", _attacks, soon=False),
        Planned("labels", _labels, soon=False),
        Planned("membership", _membership, soon=False),
        Planned("personal-recall", _personal_recall, soon=False),
    ]
    unknown = sorted(set(only) - {one.topic for one in made})
    if unknown:
        raise RunError(
            f"There is no check '{unknown[0]}'.",
            f"One of: {', '.join(one.topic for one in made)}.",
            "Leave --only out for all of them.",
        )
    return [one for one in made if (not only or one.topic in only) and (one.soon or not soon)]


def read_decisions(subject: Subject) -> dict[str, dict[str, Any]]:
    """Candidate to its ``decision.json``; those without one are left out."""
    folder = getattr(subject.candidates, "folder", None)
    if folder is None:
        return {}
    return {file.parent.name: storage.read_json(file) for file in sorted(folder.glob("*/decision.json"))}


def _thresholds(decisions: dict[str, dict[str, Any]]) -> dict[str, float]:
    found = {name: one.get("threshold") for name, one in decisions.items()}
    return {name: float(value) for name, value in found.items() if value is not None}


def _personal(subject: Subject, session: Session) -> list[Check]:
    from workbench.evaluation.personal import check_personal

    return [check_personal(subject, listener=session.listener, stop=session.stop)]


def _personal_recall(subject: Subject, session: Session) -> list[Check]:
    from workbench.evaluation.personal import check_personal_recall

    return [check_personal_recall(subject, listener=session.listener, stop=session.stop)]


def _teacher_audit(subject: Subject, session: Session) -> list[Check]:
    from workbench.evaluation.decision import validation_of
    from workbench.evaluation.teacher_audit import audit_teacher

    if "teacher" not in subject.predictions:
        return [Check("teacher-audit", None, {}, ("There is no teacher in this run, so none was audited.",))]
    said = validation_of(subject, "teacher").probabilities
    return [audit_teacher(subject.splits, said, stop=session.stop)[0]]


def _novelty(subject: Subject, session: Session, decisions: dict[str, dict[str, Any]]) -> list[Check]:
    from workbench.evaluation.novelty import check_novelty

    each = FEW_FOREIGN_TEXTS
    return [check_novelty(subject, decisions, each=each, listener=session.listener, stop=session.stop)]


def _slices(subject: Subject, decisions: dict[str, dict[str, Any]]) -> list[Check]:
    from workbench.evaluation.slices import check_found_slices, check_slices

    return [check_slices(subject, thresholds=_thresholds(decisions)), check_found_slices(subject)]


def _behaviour(subject: Subject, suite: str | Path | None, base: Path) -> list[Planned]:
    """Behaviour tests of the recipe's own suite and of a given one, which is read at once, to tell its problems."""
    from workbench.evaluation.behaviour import check_behaviour
    from workbench.recipe.suites import read_suite, suite_of

    own = suite_of(subject.recipe.name, subject.recipe.evaluation.suite, base)
    digest = None if own is None else storage.sha256_file(own)

    def make(one: Subject, session: Session) -> list[Check]:
        chosen = own is not None and one.recipe.evaluation.suite is not None
        wanted = read_suite(own, one.splits.classes) if own is not None and chosen else None
        return [check_behaviour(one, wanted, listener=session.listener, stop=session.stop)]

    planned = [Planned("behaviour", make, more={"suite": digest})]
    if suite is None:
        return planned
    given = read_suite(suite, subject.splits.classes)
    theirs = None if own is None else read_suite(own)
    if theirs is None:
        planned = []
    elif theirs.name == given.name:
        if theirs.digest == given.digest:
            return planned
        raise RecipeError(
            f"The suite {given.file} is called '{given.name}', as the recipe's own suite is, and is another one.",
            "A name of its own, so that both stand in the run.",
            f"Change its name: {given.name}-mine, for example.",
        )

    def make_given(one: Subject, session: Session) -> list[Check]:
        return [check_behaviour(one, given, listener=session.listener, stop=session.stop)]

    return [*planned, Planned("behaviour", make_given, more={"suite": given.digest}, part=given.name)]


def _evasion(subject: Subject) -> list[Check]:
    from workbench.evaluation.evasion import check_evasion
    from workbench.models.novelty import Judge

    folder = getattr(subject.candidates, "folder", None)
    name = subject.chosen()[0]
    judge = None if folder is None else Judge.load(folder / name)
    return [check_evasion(subject, None if judge is None else judge.is_new)]


def _flips(subject: Subject, session: Session) -> list[Check]:
    from workbench.evaluation.flips import check_flips

    return [check_flips(subject, subject.recipe.evaluation.flips, listener=session.listener, stop=session.stop)]


def _robustness(subject: Subject, session: Session) -> list[Check]:
    from workbench.evaluation.robustness import check_robustness

    return [check_robustness(subject, listener=session.listener, stop=session.stop)]


def _attacks(subject: Subject, session: Session) -> list[Check]:
    from workbench.evaluation.attacks import check_attacks

    return [check_attacks(subject, listener=session.listener, stop=session.stop)]


def _labels(subject: Subject, session: Session) -> list[Check]:
    from workbench.evaluation.labels import check_conflicts, check_labels, check_test_labels

    judged = check_labels(subject, listener=session.listener, stop=session.stop)
    return [judged, check_test_labels(subject), check_conflicts(subject)]


def _membership(subject: Subject, session: Session) -> list[Check]:
    from workbench.evaluation.membership import check_membership

    return [check_membership(subject, listener=session.listener, stop=session.stop)]
