"""The page on silence: threshold and what it keeps, conformal sets, texts that are not of the domain."""

from __future__ import annotations

from typing import Any

from workbench import storage
from workbench.metrics.scoring import may_be_recommended
from workbench.metrics.selective import risk_coverage
from workbench.metrics.wording import points
from workbench.reporting import words
from workbench.reporting.calibration import RESERVE, bounds, read_part, scored_splits, split_name
from workbench.reporting.calibration_figures import Risk, risk_figure
from workbench.reporting.evidence import Evidence, Row
from workbench.reporting.pages import Figure, Page, Table

OFF_DOMAIN = "off-domain"


def page(evidence: Evidence) -> Page | None:
    """When should it stay silent?

    Args:
        evidence: The files of the run's folder.

    Returns:
        The page; ``None`` where no decision was fitted.
    """
    name = _subject(evidence)
    decision = None if name is None else read_decision(evidence, name)
    if name is None or decision is None:
        return None
    splits = [one for one in scored_splits(evidence) if evidence.score(name, one, "kept") is not None]
    tables = [_threshold_table(evidence, splits), _set_table(evidence, splits), _foreign_table(evidence, name)]
    return Page(
        anchor="abstention",
        title="When should it stay silent?",
        verdict=_verdict(evidence, name, decision),
        sentences=[
            *_promise(evidence, name, decision),
            *_sets(evidence, name, decision, splits),
            *_foreign(evidence, name, decision),
        ],
        figures=_figures(evidence, name, decision, splits),
        tables=[table for table in tables if table is not None and table.rows],
        how=_how(decision),
        not_shown=NOT_SHOWN,
        files=[f"predictions/{name}.parquet", f"models/{name}/decision.json", *_files(evidence)],
    )


NOT_SHOWN = (
    "Promises hold for rows like validation's. Validation also chose settings and temperature, so they are a little "
    "rosy; reserve, which took no part, is their test. On shifted rows nothing is promised.",
    "A promise is about all texts together: in one class or group errors may be commoner and sets rarer right.",
    "The off-domain flag knows spelling alone: another topic in familiar words passes it. It is a hint, no safeguard.",
    "Whether a person who is handed a text decides better.",
)


def _how(decision: dict[str, Any]) -> tuple[str, ...]:
    conformal, novelty = decision["conformal"], decision["novelty"]
    return (
        f"The threshold was fitted on {decision['fitted_on']['rows']:,} validation rows: thresholds are tested one "
        "after another, from five starts, each with an exact upper bound of its error (learn then test, Angelopoulos "
        f"et al., 2021), so that the error is at most {100 * decision['target_error']:g} % with "
        f"{100 * decision['threshold_level']:g} % confidence; not the plain estimate, which is wrong half of the time.",
        f"Sets are split conformal ones ({conformal['method']}, Sadinle et al., 2019), promised to hold the right "
        f"class in {100 * conformal['coverage']:g} % of texts{_spread(conformal)}; the likeliest class is always in.",
        "The off-domain flag asks what share of a text's runs of 4 to 6 bytes recurs nowhere in training and pool; its "
        f"threshold lets {100 * novelty['false_flags']:g} % of texts like validation's be flagged"
        f"{', as if their groups were new' if novelty.get('as_new_groups') else ''}.",
        "Rows that share a group were resampled together.",
    )


def _spread(conformal: dict[str, Any]) -> str:
    if conformal.get("coverage_low") is None:
        return ""
    low, high = 100 * conformal["coverage_low"], 100 * conformal["coverage_high"]
    return f" (fitted on {conformal['rows']:,} rows, the true share lies between {low:.0f} and {high:.0f} %)"


def _subject(evidence: Evidence) -> str | None:
    decided = [one for one in evidence.candidates if evidence.score(one, evidence.headline, "kept") is not None]
    return evidence.recommended if evidence.recommended in decided else next(iter(decided), None)


def read_decision(evidence: Evidence, name: str) -> dict[str, Any] | None:
    """The content of a candidate's decision.json; ``None`` in runs that have none."""
    file = evidence.folder / "models" / name / "decision.json"
    return dict(storage.read_json(file)) if file.is_file() else None


def _files(evidence: Evidence) -> list[str]:
    return ["evidence/novelty.parquet"] if "novelty" in evidence.checks else []


def _verdict(evidence: Evidence, name: str, decision: dict[str, Any]) -> str:
    """What the threshold does on the headline split, or that there is none."""
    target = f"{100 * decision['target_error']:g} %"
    if decision["threshold"] is None:
        reason = decision["threshold_reason"]
        return f"{name} should decide nothing alone if at most {target} of its answers may be wrong: {reason}."
    kept, error = (evidence.score(name, evidence.headline, metric) for metric in ("kept", "error_kept"))
    where = split_name(evidence, evidence.headline)
    if kept is None or kept.get("value") is None or error is None or error.get("value") is None:
        reason = str((error or kept or {}).get("reason", "it was not measured"))
        return f"What {name} does on {where} above its threshold of {decision['threshold']:.2f} is not given: {reason}."
    return (
        f"Below a probability of {decision['threshold']:.2f} a text should go to a person: on {where} {name} then "
        f"answers {100 * kept['value']:.0f} % of texts ({bounds(kept)}), and {points(error['value'])} % of these "
        f"answers are wrong ({bounds(error)})."
    )


def _promise(evidence: Evidence, name: str, decision: dict[str, Any]) -> list[str]:
    """Whether the promised error was kept on rows that took no part in fitting, and on shifted ones."""
    if decision["threshold"] is None:
        return []
    told = []
    for split in scored_splits(evidence):
        row = evidence.score(name, split, "error_kept")
        if row is not None and row.get("low") is not None:
            promised = "the promise is made for rows like these" if split == RESERVE else "nothing is promised there"
            told.append(f"On {split_name(evidence, split)}, {kept_or_not(row, decision['target_error'])}; {promised}.")
    return told


def kept_or_not(row: Row, target: float) -> str:
    """Whether an error is within a target, in the words that its interval carries."""
    limit, seen = f"{100 * target:g} %", f"{points(row['value'])} % wrong, {bounds(row)}"
    if row["high"] <= target:
        return f"the error among answered texts lies within {limit} ({seen})"
    if row["low"] > target:
        return f"the error among answered texts is above {limit} ({seen})"
    return f"it is not shown whether the error among answered texts lies within {limit} ({seen})"


def _sets(evidence: Evidence, name: str, decision: dict[str, Any], splits: list[str]) -> list[str]:
    """Whether the sets hold the label as often as promised."""
    conformal = decision["conformal"]
    if conformal.get("quantile") is None:
        return [f"There are no conformal sets: {conformal['reason']}."]
    told = []
    for split in splits:
        row, size = evidence.score(name, split, "coverage"), evidence.score(name, split, "set_size")
        if row is None or row.get("low") is None or size is None or size.get("value") is None:
            continue
        promised = f"{100 * conformal['coverage']:g} %"
        within = "as promised" if row["low"] <= conformal["coverage"] <= row["high"] else None
        within = within or ("less often than promised" if row["high"] < conformal["coverage"] else "more often")
        if split != RESERVE and within == "as promised":
            within = "no deviation is detectable"
        told.append(
            f"Sets with a promised coverage of {promised} hold the right class in {points(row['value'])} % on "
            f"{split_name(evidence, split)} ({bounds(row)}): {within}; they hold {size['value']:.1f} classes on "
            "average."
        )
    return told


def _foreign(evidence: Evidence, name: str, decision: dict[str, Any]) -> list[str]:
    """What becomes of texts that are not of the domain."""
    novelty = decision["novelty"]
    if novelty.get("threshold") is None:
        return [f"Texts off the domain are not flagged: {novelty['reason']}."]
    found = [row for row in _foreign_rows(evidence, name) if row["metric"] == "flagged" and row["value"] is not None]
    false = evidence.score(name, evidence.headline, "false_flags")
    if not found or false is None or false.get("value") is None:
        return []
    best, worst = max(found, key=lambda row: row["value"]), min(found, key=lambda row: row["value"])
    least, most = f"{100 * worst['value']:.0f} %", f"{100 * best['value']:.0f} %"
    where = split_name(evidence, evidence.headline)
    return [
        f"Of texts that are not of the domain, between {least} ({_kind(worst)}; {bounds(worst)}) and {most} "
        f"({_kind(best)}; {bounds(best)}) are flagged; of {where}, {points(false['value'])} % are flagged by mistake "
        f"({bounds(false)})."
    ]


def _foreign_rows(evidence: Evidence, name: str) -> list[Row]:
    return [row for row in evidence.metrics if row["candidate"] == name and row["split"] == OFF_DOMAIN]


def _kind(row: Row) -> str:
    return str(row["slice"]).removeprefix("kind=")


def _cell(row: Row | None, scale: float = 100.0) -> str:
    """A share in per cent with its interval; ``scale`` 1 for a plain number."""
    if row is None or row.get("value") is None:
        return "not given"
    value = f"{scale * row['value']:.1f}"
    return value if row.get("low") is None else f"{value} ({scale * row['low']:.1f} to {scale * row['high']:.1f})"


def _threshold_table(evidence: Evidence, splits: list[str]) -> Table:
    columns = ["candidate", "threshold"]
    for split in splits:
        columns += [f"answered on {words.split_name(split)}, %", f"wrong of these on {words.split_name(split)}, %"]
    rows = []
    for name in evidence.candidates:
        decision = read_decision(evidence, name)
        if may_be_recommended(name) and decision is not None:
            threshold = decision["threshold"]
            cells = ["none" if threshold is None else f"{threshold:.2f}"]
            for split in splits:
                cells += [_cell(evidence.score(name, split, metric)) for metric in ("kept", "error_kept")]
            rows.append((name, *cells))
    caption = "Texts answered without a person, and how many of these answers are wrong; intervals in brackets."
    return Table(caption, tuple(columns), tuple(rows), tuple(columns[1:]))


def _set_table(evidence: Evidence, splits: list[str]) -> Table:
    columns = ["candidate"]
    for split in splits:
        columns += [f"coverage on {words.split_name(split)}, %", f"classes on {words.split_name(split)}"]
    rows = []
    for name in evidence.candidates:
        if may_be_recommended(name) and any(evidence.score(name, split, "coverage") for split in splits):
            cells = []
            for split in splits:
                cells.append(_cell(evidence.score(name, split, "coverage")))
                cells.append(_cell(evidence.score(name, split, "set_size"), 1.0))
            rows.append((name, *cells))
    caption = "Conformal sets: how often they hold the right class, and how many classes they hold on average."
    return Table(caption, tuple(columns), tuple(rows), tuple(columns[1:]))


def _foreign_table(evidence: Evidence, name: str) -> Table | None:
    """Flagged and sent, for each kind of text."""
    rows: list[tuple[str, ...]] = []
    kinds = dict.fromkeys(_kind(row) for row in _foreign_rows(evidence, name))
    for kind in kinds:
        slice_ = f"kind={kind}"
        found = [evidence.score(name, OFF_DOMAIN, metric, slice_=slice_) for metric in ("flagged", "sent")]
        rows.append((kind, str((found[1] or {}).get("n", "")), *(_cell(row) for row in found)))
    for split in (*evidence.splits, RESERVE):
        found = [evidence.score(name, split, metric) for metric in ("false_flags", "sent_own")]
        if found[0] is not None and kinds:
            own = f"of the domain: {words.split_name(split)}"
            rows.append((own, str(found[0].get("n", "")), *(_cell(row) for row in found)))
    columns = ("texts", "n", "flagged as not the domain, %", "sent to a person for any reason, %")
    caption = f"What {name} does with texts that are not of the domain, and with those that are."
    return Table(caption, columns, tuple(dict.fromkeys(rows)), columns[1:]) if rows else None


def _figures(evidence: Evidence, name: str, decision: dict[str, Any], splits: list[str]) -> list[Figure]:
    """Error against coverage on the headline and the reserve."""
    risks = []
    for split in dict.fromkeys([evidence.headline, *(one for one in splits if one == RESERVE)]):
        part = read_part(evidence, name, split)
        if part is None:
            continue
        coverage, error = risk_coverage(part.confidence, part.wrong)
        kept, wrong = (evidence.score(name, split, metric) for metric in ("kept", "error_kept"))
        at = ((kept or {}).get("value"), (wrong or {}).get("value"))
        risks.append(Risk(words.split_name(split), coverage, error, *at))
    if not risks:
        return []
    mark = " The mark is the chosen threshold." if any(one.kept is not None for one in risks) else ""
    caption = (
        f"If {name} answers only the texts that it is surest of (further left: fewer), this share of its answers is "
        f"wrong.{mark}"
    )
    return [Figure(risk_figure(risks, name, decision["target_error"]), caption)]
