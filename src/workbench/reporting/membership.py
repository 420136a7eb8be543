"""The report's page on membership inference: which rows a model learned from, told by somebody who asks it.

The page says nothing of a leak before the controls allow it: words alone must not tell members, shuffled membership
must not be found, a head that memorised must be.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from workbench.metrics.membership import SPLIT, is_finding
from workbench.metrics.wording import p_value
from workbench.reporting import privacy, words
from workbench.reporting.evidence import Evidence
from workbench.reporting.membership_figure import areas_figure
from workbench.reporting.pages import Figure, Page, Table

Row = Mapping[str, Any]

CHECK = "membership"
TITLE = "Can rows it learned from be told?"
ATTACKS = {"loss": "loss threshold", "rmia": "RMIA", "lira": "LiRA"}
KEPT = 0.9
"""An over-fitted head must be found with at least this area."""


def page(evidence: Evidence) -> Page | None:
    """The page.

    Args:
        evidence: The files of the run's folder.

    Returns:
        ``None`` where the check was not made.
    """
    check = evidence.checks.get(CHECK)
    if check is None:
        return None
    reasons, settings = list(check.get("reasons", ())), check.get("settings", {})
    rows = areas(evidence)
    if not rows:
        said = reasons[0] if reasons else "Membership was not audited."
        return Page(CHECK, TITLE, said, reasons[1:], not_shown=CONCLUDED)
    return Page(
        CHECK,
        TITLE,
        verdict(evidence, rows),
        sentences=[*_sentences(evidence, rows), *privacy.pointer(evidence), *reasons],
        figures=[Figure(areas_figure(rows, _seen(evidence)), FIGURE)],
        tables=[_table(evidence, rows), _controls(evidence)],
        how=_how(settings),
        not_shown=CONCLUDED,
        files=(f"evidence/{CHECK}.parquet",),
    )


FIGURE = (
    "Area under the ROC curve of every attack on every candidate, with its 95 % interval. At .5 the attack guesses; the"
    " grey band cannot be told from guessing with so many rows. Filled: found beyond doubt (Holm)."
)
CONCLUDED = (
    "An audit is a lower bound on what leaks: it finds leaks, it does not show that there are none. A stronger attack,"
    " or one that sees the weights, may find more.",
    "It asks whether a row was learned from, by somebody who has the row and its label. It does not ask whether texts"
    " can be read out of a model.",
    "It looks at labelled rows. Whether a text stood in the pool is not asked: pool rows are not drawn like reserve.",
    "An average hides single rows: somebody with a rare text may be found more easily than these figures say.",
    "Distillation is no barrier by itself: a student can give away its teacher's rows (Jagielski et al. 2023). A bound"
    " that holds against every attack needs differential privacy, and is a promise under the assumptions it states.",
)


def areas(evidence: Evidence) -> list[Row]:
    """Rows of the attacks' areas that have a value, in the order of candidates and attacks."""
    found = []
    for candidate in evidence.candidates:
        for attack in ATTACKS:
            row = evidence.score(candidate, SPLIT, f"membership_auc:{attack}")
            if row is not None and row.get("value") is not None:
                found.append(row)
    return found


def control(evidence: Evidence, name: str) -> Row | None:
    """The row of a control; it stands with the candidate that the audit began with."""
    for row in evidence.metrics:
        if row["metric"] == f"membership_{name}_auc" and row["split"] == SPLIT:
            return row
    return None


def troubles(evidence: Evidence) -> list[str]:
    """What the controls say against the audit; empty where they allow it."""
    blind, memorised, null = (control(evidence, name) for name in ("blind", "memorised", "null"))
    found = []
    if blind is None or blind.get("low") is None:
        found.append("the blind baseline could not be scored")
    elif blind["low"] > 0.5:
        found.append(f"words alone tell members from the others ({_area(blind)}), so the two groups differ in kind")
    if memorised is None or memorised.get("value") is None or memorised["value"] < KEPT:
        value = "" if memorised is None or memorised.get("value") is None else f" ({_area(memorised)})"
        found.append(f"a head that has its rows by heart was not found{value}")
    if null is None or not null["low"] <= 0.5 <= null["high"] or null.get("false_alarms", 0) > 0.1:
        found.append("shuffled membership is found more often than chance allows")
    return found


def verdict(evidence: Evidence, rows: list[Row]) -> str:
    """One sentence: what the strongest attack found, or what the controls say against it."""
    wrong = troubles(evidence)
    if wrong:
        return f"This audit cannot be relied on: {'; '.join(wrong)}."
    found = [row for row in rows if is_finding(row)]
    if not found:
        most, seen = max(rows, key=lambda row: row["value"]), _seen(evidence)
        limit = "" if seen is None else f"; areas under {seen:.2f} cannot be relied on to be seen"
        return (
            f"That rows were learned from is not detectable at n = {most['n']:,}: the strongest attack,"
            f" {ATTACKS[attack_of(most)]} on {most['candidate']}, reaches an area of {_numbers(most)}{limit}."
        )
    worst = max(found, key=lambda row: row["value"])
    own = [row for row in found if row["candidate"] == evidence.recommended]
    lead = max(own, key=lambda row: row["value"], default=worst)
    more = f" Most is given away by {worst['candidate']}: {worst['value']:.3f}." if lead is not worst else ""
    return (
        f"Yes, better than by chance: who has a text and its label and asks {lead['candidate']} can tell whether it"
        f" learned from it, with an area of {_numbers(lead)}, {p_value(lead.get('p_holm', lead['p']))} (.5 is"
        f" guessing, 1 is certainty).{more}"
    )


def attack_of(row: Row) -> str:
    """The attack that a row is about."""
    return str(row["metric"]).partition(":")[2]


def _sentences(evidence: Evidence, rows: list[Row]) -> list[str]:
    told = []
    for candidate in dict.fromkeys(str(row["candidate"]) for row in rows):
        own = [row for row in rows if row["candidate"] == candidate]
        strongest = max(own, key=lambda row: row["value"])
        marked = " (recommended)" if candidate == evidence.recommended else ""
        said = "members can be told" if any(map(is_finding, own)) else "not detectable"
        told.append(
            f"{candidate}{marked}: {said}; strongest attack {ATTACKS[attack_of(strongest)]},"
            f" area {_numbers(strongest)}. {_hits(evidence, candidate)}".rstrip()
        )
    exposure = next((row for row in evidence.metrics if row["metric"] == "membership_exposure"), None)
    if exposure is not None:
        told.append(
            f"{exposure['n']} canaries put into a head like the teacher's have a mean exposure of"
            f" {exposure['value']:.1f} bits ({exposure['low']:.1f} to {exposure['high']:.1f});"
            f" {exposure['expected']:.1f} is what one that was not put in has,"
            f" {exposure['ceiling']:.1f} the most that can be seen."
        )
    return told


def _hits(evidence: Evidence, candidate: str) -> str:
    """The most members that an attack finds at 1 % false alarms."""
    found = [evidence.score(candidate, SPLIT, f"membership_tpr:{attack}") for attack in ATTACKS]
    known = [row for row in found if row is not None]
    given = [row for row in known if row.get("value") is not None]
    if not given:
        return f"Hits at 1 % false alarms are not given: {known[0]['reason']}." if known else ""
    most = max(given, key=lambda row: row["value"])
    return (
        f"At 1 % false alarms {ATTACKS[attack_of(most)]} finds {100 * most['value']:.1f} % of the members"
        f" ({100 * most['low']:.1f} to {100 * most['high']:.1f} %)."
    )


def _table(evidence: Evidence, rows: list[Row]) -> Table:
    cells = []
    for row in rows:
        hits = evidence.score(str(row["candidate"]), SPLIT, f"membership_tpr:{attack_of(row)}")
        share = "–"
        if hits is not None and hits.get("value") is not None:
            share = f"{100 * hits['value']:.1f} % ({100 * hits['low']:.1f} to {100 * hits['high']:.1f})"
        p = p_value(row.get("p_holm", row["p"]))
        cells.append((str(row["candidate"]), ATTACKS[attack_of(row)], _interval(row), p, share))
    columns = ("Candidate", "Attack", "Area (95 % interval)", "p (Holm)", "Members found at 1 % false alarms")
    first = rows[0]
    caption = f"Attacks on {first['members']:,} rows that were learned from and {first['others']:,} that were not."
    return Table(caption, columns, tuple(cells), columns[2:])


def _controls(evidence: Evidence) -> Table:
    """The controls, what they should be, and what they are."""
    wanted = {
        "blind": ("Words alone, no model asked", "interval not above .5"),
        "memorised": ("A head that has its rows by heart", f"at least {KEPT:g}"),
        "null": ("Membership shuffled", "range contains .5"),
    }
    cells = []
    for name, (what, right) in wanted.items():
        row = control(evidence, name)
        given = "–" if row is None or row.get("value") is None else _interval(row)
        if row is not None and name == "null" and "false_alarms" in row:
            given += f"; intervals leave out .5 in {words.share(row['false_alarms'], 1)} of shuffles"
        cells.append((what, right, given))
    return Table("Controls of the audit.", ("Control", "Should be", "Is"), tuple(cells), ("Is",))


def _how(settings: Mapping[str, Any]) -> list[str]:
    told = [
        f"Members are {settings.get('members', 0):,} rows of train, the others {settings.get('others', 0):,} of"
        " reserve, with the same share of both in every class; which is which was decided by the draw of the labels."
        f" {settings.get('left_out', 0):,} rows were left out for that.",
        "Loss threshold: Yeom et al. 2018. RMIA: Zarifzadeh et al. 2024. LiRA: Carlini et al. 2022, online with one"
        " spread. Shadow models learned from random halves of members and others.",
        "The blind baseline is scored out of fold, five folds; where nothing tells members, that comes out a little"
        " below .5, for what one fold has too much of the others lack.",
    ]
    for name, about in settings.get("references", {}).items():
        near = ""
        if about["distance"] is not None:
            weak = "" if about["alike"] else ", so that they are a weak likeness"
            near = f"; one trained on the members differs from it by {about['distance']:.3f} in probability{weak}"
        told.append(
            f"{name}: {about['shadows']} shadows ({about['family']}){near}. {' '.join(about['approximated'])}".rstrip()
        )
    return told


def _seen(evidence: Evidence) -> float | None:
    row = control(evidence, "detectable")
    return None if row is None or row.get("value") is None else float(row["value"])


def _area(row: Row) -> str:
    return f"area {_interval(row)}"


def _interval(row: Row) -> str:
    if row.get("low") is None:
        return f"{row['value']:.3f}"
    return f"{row['value']:.3f} ({row['low']:.3f} to {row['high']:.3f})"


def _numbers(row: Row) -> str:
    return f"{row['value']:.3f} (95 % interval {row['low']:.3f} to {row['high']:.3f}, n = {row['n']:,})"
