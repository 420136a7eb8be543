"""What stands between a finished run and the door: each a line with yes or no, and why.

Read from the run's folder; nothing is computed anew, and nothing is let through or held back here.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from workbench.releasing.card import missing_fields
from workbench.reporting import personal
from workbench.reporting.card_fields import CARD_FIELDS, read_card_fields
from workbench.reporting.evidence import Evidence, read_evidence
from workbench.runs import RunFolder

UNKNOWN = ("", "unknown", "not stated")
WHAT = {
    "done": "The run is done.",
    "verified": "Files and numbers hold.",
    "recommended": "A candidate is recommended.",
    "card": "The card's required fields are filled in.",
    "leakage": "Test rows do not leak into training.",
    "licence": "The data's licence allows what is planned, or a person has checked it.",
    "weights": "The licences of base weights are known.",
    "personal": "No personal data was found in the texts.",
    "checks": "Every check that was asked for could be made.",
    "examples": "No texts of rows stand in the report.",
}


@dataclass(frozen=True)
class GateLine:
    """One thing that should hold before a model leaves the house: ``what``, whether it does, and ``why``, in sentences.

    What is not known does not hold.
    """

    key: str
    ok: bool
    what: str
    why: tuple[str, ...]


def gate(run: Path, verified: Any = None) -> tuple[GateLine, ...]:
    """What holds and what does not, before a model of a run leaves the house.

    Args:
        run: The run's folder.
        verified: What ``pipeline.verify`` answered (``ok``, ``findings``); ``None`` when it was not asked.

    Returns:
        A line a question; of a run that is not done only the first, since nothing else can be known.

    Raises:
        RunError: It is no run's folder, or one of its files cannot be understood.
        RecipeError: Its recipe cannot be read.
    """
    state = RunFolder(run).state
    if state.status != "done":
        return (_line("done", False, f"Its status is '{state.status}'."),)
    evidence = read_evidence(run)
    parts = (_recommended, _card, _leakage, _licence, _weights, _personal, _checks, _examples)
    return (
        _line("done", True, f"It was finished on {state.finished}."),
        _holds(verified),
        *(one(evidence) for one in parts),
    )


def _line(key: str, ok: bool, *why: str) -> GateLine:
    return GateLine(key, ok, WHAT[key], why)


def _holds(verified: Any) -> GateLine:
    if verified is None:
        return _line("verified", False, "This was not verified yet.")
    if verified.ok:
        told = "Every file is as the run left it, and every score follows from the stored predictions."
        return _line("verified", True, told)
    found = [detail for one in verified.findings if not one.ok for detail in one.details]
    more = [f"And {len(found) - 3} more."] if len(found) > 3 else []
    return _line("verified", False, *found[:3], *more)


def _recommended(evidence: Evidence) -> GateLine:
    name = evidence.recommended
    if name is None:
        return _line("recommended", False, "The run recommends none.")
    kept = (evidence.folder / "models" / name / "candidate.json").is_file()
    return _line(
        "recommended", kept, f"{name} is recommended, {'and its model is kept' if kept else 'but its model is gone'}."
    )


def _card(evidence: Evidence) -> GateLine:
    missing = missing_fields(read_card_fields(evidence.folder))
    needed = sum(one.required for one in CARD_FIELDS.values())
    told = f"{len(missing)} of {needed} required fields are not stated yet." if missing else f"All {needed} are stated."
    return _line("card", not missing, told)


def _leakage(evidence: Evidence) -> GateLine:
    reason = evidence.recipe.data.allow_leakage
    if reason:
        return _line("leakage", False, "They do, and the run was allowed to go on.", f"Reason given: {reason}")
    return _line("leakage", True, "What was found was taken out.")


def _licence(evidence: Evidence) -> GateLine:
    described = evidence.environment.get("data") or {}
    licence = f"The licence: {described.get('licence') or 'not stated'}."
    if described.get("redistributable"):
        return _line("licence", True, "The data may be passed on.", licence)
    checked = read_card_fields(evidence.folder).get("licence_checked_by")
    if checked:
        return _line("licence", True, f"Checked by: {checked}.", licence)
    told = "It is not known that the data may be passed on."
    return _line("licence", False, told, "Name in the card who has checked it.", licence)


def _weights(evidence: Evidence) -> GateLine:
    names = {str(one.get("name") or "unnamed"): str(one.get("licence") or "") for one in evidence.encoders()}
    unknown = [name for name, licence in names.items() if licence.lower() in UNKNOWN]
    if unknown:
        return _line("weights", False, f"Not stated for: {', '.join(unknown)}.")
    told = f"Base weights: {'; '.join(f'{name}, {licence}' for name, licence in names.items())}."
    return _line("weights", True, told if names else "There are none: everything was learned from the table.")


def _personal(evidence: Evidence) -> GateLine:
    settings = (evidence.checks.get("personal") or {}).get("settings") or {}
    if not settings.get("rows"):
        return _line("personal", False, "The table was not searched, so it is not known.")
    n = sum(settings["rows"][settings["text"]].values())
    touched, others = personal.total(evidence, settings, "any"), personal.other_columns(evidence, settings)
    if not touched and not others:
        return _line("personal", True, f"None was found in {n:,} texts.", "The report says what the search cannot see.")
    found = [f"{touched:,} of {n:,} texts hold what looks like it."] * bool(touched)
    found += ["Other columns hold what looks like it."] * bool(others)
    return _line("personal", False, *found, "Look at them before a model is passed on.")


def _checks(evidence: Evidence) -> GateLine:
    """A check that has nothing to look at in this run was not asked for."""
    recipe = evidence.recipe
    idle = {"teacher-audit": recipe.teacher is None, "behaviour": recipe.evaluation.suite is None}
    failed = [name for name, one in evidence.checks.items() if not one.get("made") and not idle.get(name)]
    if not evidence.checks:
        return _line("checks", False, "The run holds no further evidence.")
    if failed:
        return _line("checks", False, f"Not made: {', '.join(failed)}.", "The report says why.")
    return _line("checks", True, f"{sum(bool(one.get('made')) for one in evidence.checks.values())} were made.")


def _examples(evidence: Evidence) -> GateLine:
    if evidence.recipe.report.examples:
        told = "The recipe allows examples, so the report shows texts."
        return _line("examples", False, told, "It is left out of what is exported.")
    return _line("examples", True, "The recipe allows none.")
