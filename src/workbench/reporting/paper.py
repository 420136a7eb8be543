"""A comparison as a table for a paper: LaTeX with booktabs, CSV, Markdown.

Every figure has its interval and as many digits as that carries; what it rests on stands in notes below. Runs that
cannot be compared get tables of their own. Nothing is measured here, and the same runs give the same text.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Literal, get_args

from workbench import storage
from workbench.errors import RunError
from workbench.reporting import words
from workbench.reporting.comparable import AXES, UNSTEADY, Axis, Group, groups_of, points_of, why_apart
from workbench.reporting.paper_figures import paper_figures
from workbench.reporting.paper_formats import PaperTable, csv_table, latex_table, markdown_table
from workbench.reporting.rounding import rounded

Format = Literal["latex", "csv", "markdown"]
SUFFIXES: dict[Format, str] = {"latex": "tex", "csv": "csv", "markdown": "md"}
PLACES = {"front": "on it", "possible": "perhaps", "dominated": "dominated"}


def paper_table(folders: Sequence[Path], format: Format) -> str:
    """The candidates of some runs as tables for a paper.

    Args:
        folders: Runs' folders; runs that cannot be compared get a table each, with the reason.
        format: ``latex`` (needs the packages booktabs and graphicx and, for quotation marks, fontenc with T1 and
            textcomp), ``csv`` (one table, a column for each bound, safe for spreadsheets) or ``markdown``.

    Returns:
        The text.

    Raises:
        RunError: One is no run's folder, a file of it cannot be understood, or none has a scored candidate.
        RecipeError: A run's recipe cannot be read.
        ValueError: If the format is none of the three.
    """
    if format not in get_args(Format):
        raise ValueError(f"a format is one of {', '.join(get_args(Format))}; {format!r} is none of them")
    groups, apart = compared(folders)
    return render(groups, apart, format)


def compared(folders: Sequence[Path]) -> tuple[list[Group], list[str]]:
    """The groups of comparable candidates, and why they are not one.

    Args:
        folders: Runs' folders.

    Raises:
        RunError: As for `paper_table`.
    """
    points = points_of(folders)
    groups = groups_of(points)
    if not any(group.points for group in groups):
        raise RunError(
            "None of the runs has a candidate with a score.",
            "A run that is done, or that has come as far as its scores.",
            "Finish it: workbench resume RUN",
        )
    return groups, why_apart(points)


def write_comparison(folders: Sequence[Path], out: Path) -> list[Path]:
    """Write tables and figures of a comparison into a folder.

    Args:
        folders: Runs' folders.
        out: The folder, made where it is missing; no run's folder, since a run's files are sealed by its manifest.

    Returns:
        The files: ``comparison.tex``, ``.csv``, ``.md``; ``tradeoffs`` and ``intervals`` as ``.svg`` and ``.png``,
        numbered where there is more than one group.

    Raises:
        RunError: As for `paper_table`; or the folder is part of a run, or cannot be written to.
        RecipeError: A run's recipe cannot be read.
    """
    inside = next((one for one in (out.resolve(), *out.resolve().parents) if (one / "run.json").is_file()), None)
    if inside is not None:
        raise RunError(
            f"'{out}' lies in the folder of a run, '{inside.name}'.",
            "A folder of its own: a run's files are listed in its manifest, and further ones break it.",
            "Give another folder: workbench compare RUN --out comparison",
        )
    groups, apart = compared(folders)
    written = []
    for kind, suffix in SUFFIXES.items():
        written.append(out / f"comparison.{suffix}")
        storage.write_text(written[-1], render(groups, apart, kind))
    for at, group in enumerate(groups, start=1):
        for name, content in (paper_figures(group) if group.points else {}).items():
            numbered = name if len(groups) == 1 else name.replace(".", f"-{at}.")
            written.append(out / numbered)
            storage.write_bytes(written[-1], content)
    return written


def render(groups: Sequence[Group], apart: Sequence[str], format: Format) -> str:
    """Groups as text in one of the formats."""
    if format == "csv":
        return _csv(groups)
    tables = [_table(groups, at, apart) for at in range(len(groups)) if groups[at].points]
    if format == "markdown":
        return "\n".join(markdown_table(table) for table in tables)
    return "\n".join(latex_table(table, at) for at, table in enumerate(tables, start=1))


def _table(groups: Sequence[Group], at: int, apart: Sequence[str]) -> PaperTable:
    group = groups[at]
    several = len(group.runs) > 1
    where = words.split_name(group.points[0].setting.split)
    headings = ["Run"] if several else []
    headings += ["Candidate", f"{group.metric} on {where}", "n", *map(_heading, group.axes[1:]), "Front"]
    text = 2 if several else 1
    return PaperTable(
        caption=f"{'' if len(groups) == 1 else f'Group {at + 1}: '}candidates of {words.listing(list(group.runs))}, "
        "with 95 % intervals.",
        headings=tuple(headings),
        rows=tuple(_cells(group, line, several) for line in range(len(group.points))),
        strong=tuple(point.recommended for point in group.points),
        right=tuple(range(text, len(headings) - 1)),
        notes=tuple([*_notes(group), *([apart[at - 1]] if 0 < at <= len(apart) else [])]),
    )


def _heading(axis: Axis) -> str:
    name = f"{axis.name[:1].upper()}{axis.name[1:]}"
    return f"{name} ({axis.unit})" if axis.unit else name


def _cells(group: Group, at: int, several: bool) -> tuple[str, ...]:
    point = group.points[at]
    values = []
    for axis in group.axes:
        one = point.measures[axis.key]
        value, low, high = rounded(one.value, one.low, one.high)
        values.append(f"{value} [{low}, {high}]" if low else value)
        if axis.key == "quality":
            values.append(str(one.n or ""))
    run = (str(group.runs.index(point.run) + 1),) if several else ()
    return (*run, point.candidate, *values, PLACES[group.places[at]])


def _notes(group: Group) -> list[str]:
    """What the figures of a table rest on."""
    notes = []
    if len(group.runs) > 1:
        notes.append("Runs: " + "; ".join(f"{at} is {run}" for at, run in enumerate(group.runs, start=1)) + ".")
    notes += [f"{group.metric}: {_methods(group, 'quality')}.", _seeds(group)]
    keys = {axis.key for axis in group.axes}
    if "latency" in keys:
        notes.append(_of_times(group))
    if "size" in keys:
        notes.append("Size: of the saved candidate, exact.")
    if "calibration" in keys:
        notes.append(f"Calibration error (lower is better): {_methods(group, 'calibration')}.")
    notes.append(
        "Front: on it where, by the values, no other is at least as good everywhere and ahead somewhere; dominated "
        "where another is so beyond the 95 % intervals or by the run's paired comparison; else perhaps. Intervals are "
        "not corrected for the number of comparisons."
    )
    notes += ["Digits: half an interval's width keeps one or two digits, by the rule of the Particle Data Group."]
    if any(point.recommended for point in group.points):
        notes.append("Bold: the candidate that its run recommends.")
    return [*notes, *group.left_out]


def _methods(group: Group, key: str) -> str:
    """How the intervals were made, each way once; why there is none where there is none."""
    found = []
    for point in group.points:
        one = point.measures[key]
        none = f"no interval ({one.reason or 'none was computed'})"
        found.append(none if one.low is None else one.method or "method not recorded")
    return "; ".join(dict.fromkeys(found))


def _seeds(group: Group) -> str:
    counts = sorted({point.seeds for point in group.points})
    if counts == [1]:
        return "One seed: how much another seed would change is not in the intervals."
    said = " to ".join(str(one) for one in dict.fromkeys((counts[0], counts[-1])))
    return f"{said} seeds a run; values are means over seeds, intervals hold rows and seeds."


def _of_times(group: Group) -> str:
    """What the times are, whose they are, and when they are told apart."""
    counts = sorted({point.measures["latency"].n or 0 for point in group.points})
    calls = " to ".join(words.count(one) for one in dict.fromkeys((counts[0], counts[-1])))
    told = f"Time: median of {calls} calls with one text each, its bounds order statistics"
    hardware = group.points[0].setting.hardware
    told += f" ({hardware})" if hardware else ""
    shared = any(point.carried for point in group.points)
    told += "; a candidate that is another's model in another training carries its time" if shared else ""
    return f"{told}. Times less than a factor of {UNSTEADY:g} apart are not told apart."


def _csv(groups: Sequence[Group]) -> str:
    """One table, a column for each bound; what would be a formula gets an apostrophe before it."""
    names = ["group", "run", "candidate", "recommended", "split", "metric", "n", "seeds"]
    names += [f"{_column(axis)}{end}" for axis in AXES for end in ("", "_low", "_high")]
    names += ["front", "quality_method", "hardware"]
    rows: list[list[object]] = [list(names)]
    for number, group in enumerate(groups, start=1):
        for at, point in enumerate(group.points):
            setting, quality = point.setting, point.measures["quality"]
            row: list[object] = [number, point.run, point.candidate, "yes" if point.recommended else "no"]
            row += [setting.split, setting.metric, quality.n or "", point.seeds]
            for axis in AXES:
                one = point.measures[axis.key]
                row += rounded(one.value, one.low, one.high)
            row += [PLACES[group.places[at]], quality.method, setting.hardware]
            rows.append(row)
    return csv_table(rows)


def _column(axis: Axis) -> str:
    return f"{axis.key}_{axis.unit.lower()}" if axis.unit else axis.key
