"""The report's page on differential privacy: the ε of each candidate with all that belongs to it, or why it has none.

A run without differential privacy has no such page. In one with it every candidate is named, since the baseline, the
controls and the self-trained ones learned from the same labelled rows without any noise.
"""

from __future__ import annotations

from collections.abc import Mapping

from workbench import storage
from workbench.metrics.differential_privacy import ASSUMPTIONS, Learned, Spent, Statement, epsilon_statement
from workbench.reporting import words
from workbench.reporting.evidence import Evidence
from workbench.reporting.pages import Page, Table

ANCHOR = "privacy"
TITLE = "Differential privacy"


def statements(evidence: Evidence) -> dict[str, Statement]:
    """What is said of every candidate's ε; empty for a run without differential privacy.

    Args:
        evidence: The files of the run's folder.
    """
    files = {name: evidence.folder / "models" / name / "privacy.json" for name in evidence.candidates}
    kept = {name: storage.read_json(file) for name, file in files.items() if file.is_file()}
    return {name: _statement(name, kept.get(name)) for name in files} if kept else {}


def _statement(name: str, about: Mapping[str, Mapping[str, object] | None] | None) -> Statement:
    if about is None:
        return epsilon_statement(name, None)
    spent, learned = about["spent"] or {}, about["learned"]
    flags = None if learned is None else {flag: bool(value) for flag, value in learned.items()}
    return epsilon_statement(name, Spent.from_json(spent), None if flags is None else Learned(**flags))


def page(evidence: Evidence) -> Page | None:
    """The page.

    Args:
        evidence: The files of the run's folder.

    Returns:
        ``None`` for a run without differential privacy.
    """
    said = statements(evidence)
    if not said:
        return None
    private = [name for name, one in said.items() if one.epsilon is not None]
    parts = said[private[0]].parts if private else {}
    tables = [_candidates(said)]
    if parts:
        caption = f"What belongs to the ε of {words.listing(private)}."
        tables.insert(0, Table(caption, ("Part", "Value"), tuple(parts.items())))
    return Page(
        ANCHOR,
        TITLE,
        _verdict(evidence, said),
        sentences=_seeds(evidence) if private else (),
        tables=tables,
        how=HOW,
        not_shown=ASSUMPTIONS if private else (),
        files=tuple(f"models/{name}/privacy.json" for name in said if _has_file(evidence, name)),
    )


HOW = (
    "The teacher's head was trained by DP-SGD (Abadi et al. 2016; Opacus). What it added to the sums of gradients was"
    " measured in every step; where that is not the noise that is stated, or where Opacus and dp-accounting count"
    " differently, the run ends without a teacher.",
    "What is made from the outcome of a private training alone is as private (Dwork and Roth 2014, proposition 2.1):"
    " students learned from the teacher's soft targets of pool rows, without labelled rows, without validation.",
    "The page follows from the candidates' privacy.json alone: whoever has one can state the same.",
)


def sentences(evidence: Evidence) -> list[str]:
    """The same for the model card: the whole statement once, and who has none; nothing without differential privacy.

    Args:
        evidence: The files of the run's folder.
    """
    said = statements(evidence)
    private = [one for one in said.values() if one.epsilon is not None]
    parts = [f"{name}: {value}." for name, value in private[0].parts.items()] if private else []
    told = [one.sentences[0] for one in private] + parts + (_seeds(evidence) if private else [])
    told += [one.sentences[0] for one in said.values() if one.epsilon is None]
    return [*told, *(ASSUMPTIONS if private else ())]


def pointer(evidence: Evidence) -> list[str]:
    """For other pages: who has an ε, who has none, and where it stands."""
    said = statements(evidence)
    if not said:
        return []
    private = [name for name, one in said.items() if one.epsilon is not None]
    others = [name for name in said if name not in private]
    stated = f"An ε is stated for {words.listing(private)}, whole, under “{TITLE}”" if private else "No ε is stated"
    return [f"{stated}; there is none for {words.listing(others)}." if others else f"{stated}."]


def remark(evidence: Evidence, name: str) -> str:
    """What is added to a candidate's description where candidates stand side by side; nothing without privacy."""
    said = statements(evidence).get(name)
    if said is None:
        return ""
    return "; no differential privacy" if said.epsilon is None else "; with differential privacy"


def limits(evidence: Evidence) -> list[str]:
    """A sentence for the head of report and card where the recommended candidate has no ε though others have."""
    said = statements(evidence)
    mine = said.get(evidence.recommended or "")
    if mine is None or mine.epsilon is not None:
        return []
    private = [name for name, one in said.items() if one.epsilon is not None]
    others = f"; {words.listing(private)} {'has' if len(private) == 1 else 'have'} one" if private else ""
    return [f"{mine.sentences[0].rstrip('.')}{others}."]


def _verdict(evidence: Evidence, said: Mapping[str, Statement]) -> str:
    mine = said.get(evidence.recommended or "")
    if mine is None:
        private = [one for one in said.values() if one.epsilon is not None]
        return private[0].sentences[0] if private else "No ε is stated for any candidate of this run."
    return mine.sentences[0]


def _candidates(said: Mapping[str, Statement]) -> Table:
    """Every candidate: its ε, or why it has none."""
    cells = tuple((name, _epsilon(one), "; ".join(one.reasons) or "–") for name, one in said.items())
    return Table("Every candidate of the run.", ("Candidate", "ε", "Why there is none"), cells, ("ε",))


def _epsilon(said: Statement) -> str:
    return "none" if said.epsilon is None else f"{said.epsilon:.4g}"


def _has_file(evidence: Evidence, name: str) -> bool:
    return (evidence.folder / "models" / name / "privacy.json").is_file()


def _seeds(evidence: Evidence) -> list[str]:
    """What several seeds mean: as many private trainings over rows that overlap."""
    seeds = evidence.recipe.evaluation.seeds
    if seeds == 1:
        return []
    return [
        f"This run trained {seeds} private teachers, one a seed, on rows that may overlap. The ε is that of the first"
        f" seed's, whose models are kept; for somebody who also has the predictions of the others ε and δ are up to"
        f" {seeds} times as large."
    ]
