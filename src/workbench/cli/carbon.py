"""``carbon``: what a run took, when that pays back, and a wattmeter's reading typed in."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from workbench.cli import messages
from workbench.errors import RunError

if TYPE_CHECKING:
    from workbench.reporting.evidence import Evidence
    from workbench.reporting.payback_points import Case, Terms

Measured = Annotated[float | None, typer.Option("--measured-kwh", help="What a wattmeter counted for the run, in kWh.")]
Volume = Annotated[int | None, typer.Option("--volume", min=1, help="Predictions a month that the model will make.")]


def carbon(
    run: messages.RunName,
    volume: Volume = None,
    price: Annotated[float | None, typer.Option("--price", help="Price of 1,000 hosted predictions.")] = None,
    currency: Annotated[str | None, typer.Option("--currency", help="Of all prices, e.g. EUR.")] = None,
    hosted: Annotated[str | None, typer.Option("--hosted", help="Name of the hosted service.")] = None,
    kwh_price: Annotated[float | None, typer.Option("--kwh-price", help="What a kWh costs you.")] = None,
    hour_price: Annotated[
        float | None, typer.Option("--hour-price", help="What an hour of this machine costs.")
    ] = None,
    measured_kwh: Measured = None,
    idle_watts: Annotated[float | None, typer.Option("--idle-watts", help="What the meter shows at rest.")] = None,
    by: Annotated[str, typer.Option("--by", help="Who read the meter.")] = "",
    meter: Annotated[str, typer.Option("--meter", help="Which meter, and how it was read.")] = "",
    runs: messages.RunsFolder = Path("runs"),
    as_json: messages.AsJson = False,
) -> None:
    """Show what a run took, by kind of work, and when a student with its training pays back.

    With --measured-kwh, a wattmeter's reading of the whole run takes the place of the modelled figures, which are kept
    beside it; report and card are made again, and the manifest where the folder was as the run left it.
    """
    from workbench.reporting.evidence import read_evidence
    from workbench.runs import find_run

    path = find_run(run, runs)
    if measured_kwh is not None:
        _type_in(path, measured_kwh, idle_watts, by, meter)
    elif idle_watts is not None or by or meter:
        raise RunError(
            "--idle-watts, --by and --meter go with a reading, and there is none.",
            'workbench carbon RUN --measured-kwh 0.012 --by "A. Reader" --meter "plug meter, read before and after"',
            "Add --measured-kwh, or leave them out.",
        )
    evidence = read_evidence(path)
    if not evidence.emissions:
        raise RunError(
            f"The run {path.name} has no emissions.json yet.",
            "A run that is done; its stages are metered while it is at work.",
            f"Go on with it: workbench resume {path}",
        )
    given = {"volume": volume, "hosted_price": price, "currency": currency, "hosted": hosted}
    terms = _terms(evidence, given | {"kwh_price": kwh_price, "hour_price": hour_price})
    if as_json:
        messages.print_json(_values(evidence, terms))
    else:
        _show(evidence, terms)


def _type_in(path: Path, measured_kwh: float, idle_watts: float | None, by: str, meter: str) -> None:
    """Store a reading; the log says so, without a name; report, card and manifest follow."""
    from workbench import reporting
    from workbench.reporting.meter_reading import Reading, record_reading
    from workbench.runs import RunFolder, check_manifest, write_manifest

    folder = RunFolder(path)
    with folder.at_work():
        differing = check_manifest(path)
        record_reading(path, Reading(measured_kwh, by, meter, idle_watts))
        folder.log("meter reading", measured_kwh=measured_kwh, idle_watts=idle_watts)
        reporting.report(path)
        if not differing:
            write_manifest(path)
    for sentence in differing:
        messages.tell(f"- {sentence}")


def _terms(evidence: Evidence, given: dict[str, Any]) -> Terms:
    """What the recipe states, with what was given on the line in its place; refuses what is no price.

    Raises:
        RunError: A price is below 0 or has no currency.
    """
    from workbench.reporting.payback_points import Terms

    found = dataclasses.replace(Terms.of(evidence.recipe.carbon), **{k: v for k, v in given.items() if v is not None})
    prices = {"--price": found.hosted_price, "--kwh-price": found.kwh_price, "--hour-price": found.hour_price}
    wrong = [f"{name} {value}" for name, value in prices.items() if value is not None and not 0 <= value < 1e9]
    if wrong:
        raise RunError(f"{wrong[0]} is no price.", "A number from 0 up, for example --price 0.5.", "Correct it.")
    if found.currency is None and any(value is not None for value in prices.values()):
        raise RunError(
            "A price was given without its currency.", "For example --price 0.5 --currency EUR.", "Add --currency."
        )
    return found


def _all_cases(evidence: Evidence, terms: Terms) -> list[Case]:
    from workbench.reporting.payback import compared
    from workbench.reporting.payback_points import cases

    return [case for name in compared(evidence) for case in cases(evidence, name, terms)]


def _values(evidence: Evidence, terms: Terms) -> dict[str, Any]:
    """The result as plain values."""
    from workbench.reporting import spending
    from workbench.reporting.emissions import add

    expected, idle, at_work = spending.expected(evidence), spending.idle(evidence), spending.outside(evidence)
    return {
        "run": evidence.folder,
        "total": dataclasses.asdict(add(evidence.emissions)),
        "by_kind": {name: dataclasses.asdict(one) for name, one in spending.by_kind(evidence.emissions).items()},
        "by_candidate": {
            name: dataclasses.asdict(one) for name, one in spending.by_candidate(evidence.emissions).items()
        },
        "stages": [dataclasses.asdict(one) for one in evidence.emissions],
        "idle": dataclasses.asdict(idle),
        "expected": None if expected is None else dataclasses.asdict(expected),
        "between_stages": None if at_work is None else {"at_work_s": at_work[0], "in_no_stage_s": at_work[1]},
        "reading": dict(evidence.reading) or None,
        "terms": dataclasses.asdict(terms),
        "payback": [_case(case, terms) for case in _all_cases(evidence, terms)],
    }


def _case(case: Case, terms: Terms) -> dict[str, Any]:
    told = {name: value for name, value in dataclasses.asdict(case).items() if name != "payback"}
    months = case.payback.times(1 / terms.volume).to_json() if case.payback and terms.volume else None
    return told | {"predictions": case.payback.to_json() if case.payback else None, "months": months}


def _show(evidence: Evidence, terms: Terms) -> None:
    from workbench.reporting.payback import page

    told = page(evidence, terms)
    if told is None:
        return
    messages.say(told.verdict, style="bold")
    for sentence in told.sentences:
        messages.say(f"- {sentence}")
    for table in told.tables:
        messages.table(table.caption, table.columns, table.rows, right=table.right)
    for sentence in told.not_shown:
        messages.say(f"- {sentence}", style="dim")
