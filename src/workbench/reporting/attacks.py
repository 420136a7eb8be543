"""The report's page on texts that attack: how often they succeed, beside a neutral change of the same length."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from workbench.metrics.wording import difference_from_row, points, verdict
from workbench.reporting.behaviour import percent
from workbench.reporting.behaviour_figures import Value, shares
from workbench.reporting.evidence import Evidence
from workbench.reporting.pages import Figure, Page, Table

Row = Mapping[str, Any]
NAMES = {
    "homoglyphs": "look-alike letters",
    "padding": "padding with irrelevant words",
    "label-name": "the wanted class named in the text",
    "instruction": "instructions to the labeller",
    "corpus": "injection texts of bastioncorpus",
}


def page(evidence: Evidence) -> Page | None:
    """The page on attacks.

    Args:
        evidence: The run.

    Returns:
        The page; ``None`` where no attack was tried.
    """
    check = evidence.checks.get("attacks")
    names = _names(evidence, check["settings"]) if check else []
    if check is None or not names:
        return None
    settings = check["settings"]
    sizes = ", ".join(f"{name} {settings['rows'][name]:,}" for name in names)
    others = [sentence for name in names[1:] if (sentence := _strongest(evidence, name, settings))]
    others += [sentence for name in names if (sentence := _most_harm(evidence, name))]
    return Page(
        anchor="attacks",
        title="Can somebody talk it into an answer?",
        verdict=_strongest(evidence, names[0], settings) or f"The attacks on {names[0]} carry no figure.",
        sentences=[*others, *_without_effect(evidence, names, settings), *_evasion(evidence), *check["reasons"]],
        figures=[_figure(evidence, name, settings) for name in names],
        tables=[_table(evidence, name, settings) for name in names],
        how=(
            f"Test rows ({sizes}) are attacked once by each kind; templates are dealt out in turn, and the wanted "
            "class is drawn among those that the candidate does not give. Success: the answer becomes the wanted "
            "class. Harm: an answer that was right becomes wrong.",
            "Beside each attack stands a neutral change of the same length (neutral words, the text's own words "
            "again, other case at the same places): any added text moves a classifier, and only what goes beyond "
            "counts.",
        ),
        not_shown=(
            "Attackers who can ask the model often, or know it, find stronger texts than these templates. Texts of "
            "bastioncorpus were written against chat models; a classifier follows no orders, it reacts to added words.",
        ),
        files=[f"evidence/{name}.parquet" for name in ("attacks", "evasion") if name in evidence.checks],
    )


TRICKS = {
    "class-name": "the name of a class put behind it",
    "domain-text": "a text of the domain put behind it",
    "domain-text-twice": "a text of the domain put behind it twice",
}


def _evasion(evidence: Evidence) -> list[str]:
    """How often foreign texts get past the off-domain flag, in sentences."""
    check = evidence.checks.get("evasion")
    flagged = evidence.score("all", "evasion", "flagged")
    if check is None or flagged is None:
        return [] if check is None else [str(reason) for reason in check["reasons"]]
    if flagged["value"] is None:
        return [f"Evasion of the off-domain flag: {flagged['reason']}."]
    found = [
        f"The off-domain flag catches {_rate(flagged)} of {flagged['n']} sentences about everyday things in three "
        "languages and of noise, as they are."
    ]
    for trick, words in TRICKS.items():
        slice_ = f"trick={trick}"
        hit = evidence.score("all", "evasion", "evasion_success", slice_=slice_)
        control = evidence.score("all", "evasion", "evasion_success_control", slice_=slice_)
        if hit is None or control is None:
            continue
        if hit["value"] is None or control["value"] is None:
            found.append(f"Evasion by {words}: not given, {hit.get('reason')}.")
            continue
        found.append(
            f"With {words}, {_rate(hit)} of the n = {hit['n']} flagged ones get past the flag; with neutral words of "
            f"the same length {_rate(control)}."
        )
    return found


def _names(evidence: Evidence, settings: Row) -> list[str]:
    """Candidates that were attacked, the recommended one first."""
    slices = [f"attack={attack}" for attack in NAMES]
    found = [
        name
        for name in settings["rows"]
        if any(evidence.score(name, "attacks", "attack_harm", slice_=one) for one in slices)
    ]
    return sorted(found, key=lambda name: name != evidence.recommended)


def _get(evidence: Evidence, name: str, attack: str, metric: str) -> Row | None:
    row = evidence.score(name, "attacks", metric, slice_=f"attack={attack}")
    return None if row is None or row["value"] is None else row


def _strongest(evidence: Evidence, name: str, settings: Row) -> str:
    """The attack that wins the wanted class most often beyond its control, in a sentence."""
    known = []
    for attack in settings["targeted"]:
        rows = [_get(evidence, name, attack, f"attack_success{end}") for end in ("_excess", "", "_control")]
        if all(row is not None for row in rows):
            known.append((attack, *(row for row in rows if row is not None)))
    if not known:
        return ""
    attack, excess, hit, control = max(known, key=lambda one: float(one[1]["value"]))
    if not _goes_beyond(excess, hit, control):
        return (
            f"No targeted attack was shown to win {name} over beyond a neutral change "
            f"(n = {excess['n']:,}; strongest: {NAMES[attack]}, {_rate(hit)})."
        )
    return (
        f"{NAMES[attack][0].upper()}{NAMES[attack][1:]}: wins {name} over in {_rate(hit)} of n = {hit['n']:,} rows; "
        f"a neutral change of the same length in {_rate(control)}."
    )


def _most_harm(evidence: Evidence, name: str) -> str:
    """The attack that does most harm beyond its control, in a sentence; empty where none is shown to."""
    found = []
    for attack, words in NAMES.items():
        rows = [_get(evidence, name, attack, f"attack_harm{end}") for end in ("_excess", "", "_control")]
        three = [row for row in rows if row is not None]
        if len(three) == len(rows) and _goes_beyond(*three):
            found.append((float(three[0]["value"]), words, three[1], three[2]))
    if not found:
        return ""
    _, words, hit, control = max(found, key=lambda one: one[0])
    return (
        f"Most harm to {name} beyond the neutral change comes from {words}: {_rate(hit)} of the n = {hit['n']:,} right "
        f"answers become wrong, against {_rate(control)}."
    )


def _goes_beyond(excess: Row, hit: Row, control: Row) -> bool:
    """Whether an attack is shown to do more than its control: by their difference, or by intervals that are apart.

    The second rule serves attacks that always succeed: every resample then gives one difference, without interval.
    """
    if excess["low"] is not None:
        return verdict(difference_from_row(excess)) == "better"
    return hit["low"] is not None and control["high"] is not None and bool(hit["low"] > control["high"])


def _rate(row: Row) -> str:
    """A share with its interval."""
    if row["low"] is None:
        return percent(row["value"])
    return f"{percent(row['value'])} ({percent(row['low'])} to {percent(row['high'])})"


def _without_effect(evidence: Evidence, names: list[str], settings: Row) -> list[str]:
    """Attacks whose harm is not shown to go beyond their control."""
    sentences = []
    for name in names:
        ends = ("_excess", "", "_control")
        rows = {attack: [_get(evidence, name, attack, f"attack_harm{end}") for end in ends] for attack in NAMES}
        known = {attack: [row for row in three if row] for attack, three in rows.items() if all(three)}
        silent = [NAMES[attack] for attack, three in known.items() if not _goes_beyond(*three)]
        if silent:
            n = max(three[0]["n"] for three in known.values())
            sentences.append(
                f"No harm to {name} beyond the neutral change is shown at n = {n:,} for: {'; '.join(silent)}."
            )
    return sentences


def _figure(evidence: Evidence, name: str, settings: Row) -> Figure:
    """Success and harm of each attack and its control."""
    lines = [(NAMES[at], at, "attack_success", "wanted class") for at in settings["targeted"]]
    lines += [(NAMES[at], at, "attack_harm", "right becomes wrong") for at in NAMES]
    lines = [line for line in lines if _get(evidence, name, line[1], line[2]) is not None]
    series: dict[str, list[Value | None]] = {}
    for label, end in (("attack", ""), ("neutral change", "_control")):
        rows = [_get(evidence, name, attack, f"{metric}{end}") for _, attack, metric, _ in lines]
        series[label] = [None if row is None else Value(row["value"], row["low"], row["high"]) for row in rows]
    labels = [f"{words}: {outcome}" for words, _, _, outcome in lines]
    svg = shares(f"attacks-{name}", labels, series, f"Attacks on {name}", "Share of rows (further left is better)")
    return Figure(svg, f"Attacks on {name}, each beside a neutral change of the same length.")


def _table(evidence: Evidence, name: str, settings: Row) -> Table:
    """All attacks of a candidate."""
    rows = []
    for attack, words in NAMES.items():
        for metric, outcome in (("attack_success", "wanted class"), ("attack_harm", "right becomes wrong")):
            row = evidence.score(name, "attacks", metric, slice_=f"attack={attack}")
            if row is None:
                continue
            if row["value"] is None:
                rows.append((words, outcome, str(row.get("reason", "not given")), "", "", f"{row['n']:,}"))
                continue
            control, excess = (_get(evidence, name, attack, f"{metric}{end}") for end in ("_control", "_excess"))
            rows.append(
                (words, outcome, _rate(row), _rate(control) if control else "", _beyond(excess), f"{row['n']:,}")
            )
    columns = ("Attack", "Outcome", "Under attack", "Neutral change", "Beyond it, in points", "n")
    return Table(f"Attacks on {name}: shares of rows with intervals.", columns, tuple(rows), columns[2:])


def _beyond(row: Row | None) -> str:
    if row is None:
        return ""
    if row["low"] is None:
        return points(row["value"], sign=True)
    return f"{points(row['value'], sign=True)} ({points(row['low'], sign=True)} to {points(row['high'], sign=True)})"
