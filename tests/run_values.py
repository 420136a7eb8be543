"""What the files of a run say, as records of numbers: its JSON, and values computed anew from its tables.

The second half of ``report_numbers.py``, and as independent: the standard library, pyarrow, numpy, scipy and
scikit-learn alone. Each part of a report has its records, so that a number is looked for where it belongs.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq

Record = dict[str, Any]


def plain(text: str) -> str:
    """A text on one line, with common spaces."""
    return re.sub(r"\s+", " ", text.replace("\N{NO-BREAK SPACE}", " ")).strip()


@dataclass
class Run:
    """The JSON files of a run, and the values that follow from its tables."""

    folder: Path
    metrics: list[Record]
    measurements: list[Record]
    emissions: list[Record]
    log: list[Record]
    checks: Record
    health: Record
    candidates: list[str]
    splits: list[str]
    strings: list[str] = field(default_factory=list)

    def json(self, name: str, default: Any = None) -> Any:
        """A JSON file of the run."""
        return _json(self.folder / name, default)

    @property
    def recommended(self) -> str:
        """The recommended candidate."""
        return str(self.json("recommendation.json", {}).get("candidate"))

    @property
    def recipe_text(self) -> str:
        """``recipe.yaml`` on one line."""
        return plain((self.folder / "recipe.yaml").read_text(encoding="utf-8"))


def _json(file: Path, default: Any = None) -> Any:
    return json.loads(file.read_text(encoding="utf-8")) if file.is_file() else default


def open_run(folder: Path) -> Run:
    """Read a run's folder."""
    log = folder / "log.jsonl"
    lines = [json.loads(line) for line in log.read_text(encoding="utf-8").splitlines()] if log.is_file() else []
    metrics, measured = _json(folder / "metrics.json", []), _json(folder / "measurements.json", [])
    names = sorted({row["candidate"] for row in (*metrics, *measured) if "check" not in row}, key=len, reverse=True)
    splits = sorted({*_json(folder / "data/health.json", {}).get("counts", {}), "test"}, key=len, reverse=True)
    checks, health = _json(folder / "evidence/checks.json", {}), _json(folder / "data/health.json", {})
    run = Run(folder, metrics, measured, _json(folder / "emissions.json", []), lines, checks, health, names, splits)
    run.strings = sorted(_strings(run), key=len, reverse=True)
    _, factor = _metered(run)
    for row in run.measurements:
        if row["quantity"] in ("energy_wh_per_1000", "emissions_g_per_1000"):
            row |= {end: row[end] * factor for end in ("low", "value", "high") if row.get(end) is not None}
    return run


def _walk(value: Any) -> Iterator[Any]:
    """Every key and leaf of a JSON value."""
    if isinstance(value, dict):
        for key, one in value.items():
            yield key
            yield from _walk(one)
    elif isinstance(value, list):
        for one in value:
            yield from _walk(one)
    else:
        yield value


def _strings(run: Run) -> set[str]:
    """Texts with digits that stand in the run's files as they are: names of classes, groups, files and machines."""
    found: set[str] = {run.folder.name, *run.candidates}
    others = [run.json(name, {}) for name in ("run.json", "environment.json", "carbon-reading.json")]
    for value in _walk([run.metrics, run.measurements, run.emissions, run.checks, run.health, run.log, others]):
        if isinstance(value, str):
            found |= {value, value[:10], value.rstrip(".")}
    for key in _walk(run.metrics):
        if isinstance(key, str) and "=" in key:
            found |= {part.partition("=")[2] for part in key.split(" & ")}
    for file in (run.folder / "evidence").glob("*.parquet"):
        table = pq.read_table(file)
        for name in ("text", "before", "after", "expect", "class", "label", "test", "suite"):
            if name in table.column_names and not str(table.schema.field(name).type).startswith(("int", "double")):
                found |= {str(one) for one in table[name].to_pylist() if one}
        found |= {name.removeprefix("p_") for name in table.column_names}
    kept = {one for one in found if len(one) > 2 and re.search(r"\d", one) and re.search(r"[^\W\d]", one)}
    exact = [
        run.json("run.json", {}),
        run.json("environment.json", {}),
        [one.get("reused_from") for one in run.emissions],
    ]
    kept |= {one for value in _walk(exact) if isinstance(value, str) for one in (value, value[:10])}
    kept.add(run.folder.name)
    files = (one.relative_to(run.folder).as_posix() for one in run.folder.rglob("*") if one.is_file())
    return {plain(one) for one in (*kept, *files) if len(one) > 2 and re.search(r"\d", one)}


def numbers(value: Any) -> Iterator[float]:
    return (one for one in _walk(value) if isinstance(one, int | float) and not isinstance(one, bool))


def _of_checks(run: Run, *topics: str) -> list[Record]:
    """Rows of some checks, their settings, and how many rows and failures there are."""
    rows: list[Record] = [row for row in run.metrics if str(row.get("check", "")).startswith(topics)]
    for name, entry in run.checks.items():
        if name.startswith(topics):
            told = [one for one in _walk(entry["settings"]) if isinstance(one, str) and re.fullmatch(r"[\d.]+", one)]
            rows += [{"settings": one} for one in (*numbers(entry["settings"]), *map(float, told))]
    return rows


def _scores(run: Run) -> list[Record]:
    rows = [row for row in run.metrics if "check" not in row]
    return [{**row, "label": row["metric"][3:]} if row["metric"].startswith("f1:") else row for row in rows]


def _predictions(run: Run, candidate: str) -> Any:
    return pq.read_table(run.folder / "predictions" / f"{candidate}.parquet")


def recomputed(run: Run) -> list[Record]:
    """Accuracy, macro-F1 and F1 of every class from the predictions alone: over each split, slice and seed.

    Classes as ``p_<class>`` names them; macro-F1 is the mean over the classes that labels or predictions hold.
    """
    from sklearn.metrics import accuracy_score, f1_score

    rows = pq.read_table(run.folder / "data" / "rows.parquet").to_pandas()
    slices = [name for name in rows.columns if name not in ("seed", "row", "split", "group")]
    keys = [name for name in ("seed", "row", "split") if name in rows.columns]
    found: list[Record] = []
    for candidate in run.candidates:
        table = _predictions(run, candidate).to_pandas()
        table = table.astype({"split": str, "label": str, "prediction": str})
        table = table.merge(rows.astype({"split": str})[[*keys, *slices]], on=keys, how="left")
        for (split, seed), part in table.groupby(["split", "seed"]):
            groups = [("all", part)]
            groups += [(f"{name}={value}", one) for name in slices for value, one in part.groupby(name, observed=True)]
            for name, one in groups:
                label, said = one["label"], one["prediction"]
                record = {"candidate": candidate, "split": split, "slice": name, "seed": int(seed), "n": len(one)}
                scores = {
                    "accuracy": accuracy_score(label, said),
                    "macro_f1": f1_score(label, said, average="macro", zero_division=0),
                    "weighted_f1": f1_score(label, said, average="weighted", zero_division=0),
                }
                found += [{**record, "metric": metric, "value": float(value)} for metric, value in scores.items()]
    return found


def differing_scores(run: Run, tolerance: float = 1e-6) -> list[str]:
    """Scores of metrics.json that the predictions do not give; a slice without a figure is passed over."""
    key = ("candidate", "split", "slice", "metric", "seed")
    computed = {tuple(row[name] for name in key): row for row in recomputed(run)}
    wrong = []
    for row in _scores(run):
        other = computed.get(tuple(row[name] for name in key))
        if other is None or row.get("against") or row["value"] is None:
            continue
        if abs(row["value"] - other["value"]) > tolerance or row["n"] != other["n"]:
            wrong.append(f"{[row[name] for name in key]}: {row['value']} ({row['n']}), not {other['value']}")
    return wrong


def _confusion(run: Run) -> list[Record]:
    """Cells of the confusion matrix of the recommended candidate, its rows, and shares of the rows."""
    split = run.json("recommendation.json", {}).get("split", "test")
    table = _predictions(run, run.recommended).to_pandas().astype({"split": str, "label": str, "prediction": str})
    table = table[(table["split"] == split) & (table["seed"] == table["seed"].min())]
    counts = table.groupby(["label", "prediction"]).size()
    totals = table.groupby("label").size()
    names = sorted(name.removeprefix("p_") for name in table.columns if name.startswith("p_"))
    place = {name: at for at, name in enumerate(names, start=1)}
    found: list[Record] = [
        {"cell": int(n), "of": int(totals[label]), "share": n / totals[label], "label": label, "head": str(place[said])}
        for (label, said), n in counts.items()
    ]
    found += [{"place": at, "label": name, "head": "True class"} for name, at in place.items()]
    found += [{"n": int(n), "label": name, "head": "Rows"} for name, n in totals.items()]
    return [*found, {"n": len(table)}]


def _sure(run: Run) -> list[Record]:
    """Counts of comparisons and looks; what an exact McNemar test of independent rows can see."""
    from scipy.stats import binom

    primary = _recipe_word(run, "primary")
    split = run.json("recommendation.json", {}).get("split", "test")
    gaps = [
        row
        for row in _scores(run)
        if (row["split"], row["slice"], row["metric"], row["seed"]) == (split, "all", primary, None) and row["against"]
    ]
    pairs = {frozenset((row["candidate"], row["against"])): row for row in reversed(gaps)}
    hidden = [row for row in pairs.values() if not _told_apart(row)]
    looks = sum(line.get("type") == "test looked at" for line in run.log)
    seen_ = [row["detectable"] for row in gaps if row.get("detectable") is not None]
    found: list[Record] = [{"pairs": len(pairs), "hidden": len(hidden)}, {"looks": looks}]
    found += [{"detectable": [min(seen_), max(seen_)]}] if seen_ else []
    n = next(row["n"] for row in _scores(run) if row["split"] == split and row["slice"] == "all")
    for rows in (n, 500, 1_000, 2_000, 5_000):
        seen: Record = {"rows": rows, "unseen": 1 - 0.025 ** (1 / rows)}
        for share in (0.05, 0.1, 0.2):
            counts = np.arange(rows + 1)
            chances, most = binom.pmf(counts, rows, share), binom.ppf(0.025, counts, 0.5)
            most = np.where(binom.cdf(most, counts, 0.5) > 0.025, most - 1, most)

            def power(gap: float, share: float = share, counts: Any = counts, c: Any = chances, m: Any = most) -> float:
                ahead = (share + gap) / (2 * share)
                return float((c * (binom.cdf(m, counts, ahead) + binom.cdf(m, counts, 1 - ahead)))[m >= 0].sum())

            low, high = 0.0, share
            for _ in range(22):
                middle = (low + high) / 2
                low, high = (low, middle) if power(middle) >= 0.8 else (middle, high)
            seen[f"of {share}"] = high
        found.append(seen)
    return [*found, {"shares": [5, 10, 20]}]


def _told_apart(row: Record) -> bool:
    p = row.get("p_holm", row.get("p"))
    if row["low"] is None or p is None:
        return True
    return bool(p < 0.05 and not row["low"] <= 0 <= row["high"] and abs(row["value"]) >= (row.get("detectable") or 0))


def _recipe_word(run: Run, name: str) -> str:
    found = re.search(rf"\b{name}: ([\w.+-]+)", run.recipe_text)
    return found[1] if found else ""


def _front(run: Run) -> list[Record]:
    """How many candidates no other one beats in all of quality, time, size and calibration, by the measured values."""
    primary = _recipe_word(run, "primary")
    split = run.json("recommendation.json", {}).get("split", "test")
    measured = {(row["candidate"], row["quantity"]): row["value"] for row in run.measurements}
    wanted = {("all", split, None, primary): -1, ("all", split, None, "ece"): 1}
    scored = {
        (row["candidate"], row["metric"]): wanted[key] * row["value"]
        for row in run.metrics
        if (key := (row["slice"], row["split"], row["seed"], row["metric"])) in wanted
        and not row.get("against")
        and row["value"] is not None
        and row.get("check") in (None, "decisions")
    }
    points = []
    for name in run.candidates:
        axes = [scored.get((name, primary)), scored.get((name, "ece"))]
        points.append([*axes, measured.get((name, "latency_p50_ms")), measured.get((name, "size_mb"))])
    kept = [at for at in range(4) if any(one[at] is not None for one in points)]
    whole = [[one[at] for at in kept] for one in points]
    whole = [one for one in whole if None not in one]

    def beaten(one: list[Any]) -> bool:
        return any(other != one and all(a <= b for a, b in zip(other, one, strict=True)) for other in whole)

    front = sum(not beaten(one) for one in whole)
    return [{"front": front, "of": len(whole)}, *({"rest": n} for n in range(len(whole) - front + 1))]


def _tuning(run: Run) -> list[Record]:
    """What a fine-tuned teacher took beyond its head, the mean over seeds; and that for a point gained."""
    entries, _ = _metered(run)
    tuned, plain = ([one for one in entries if one["stage"] == name] for name in ("teacher", "teacher-head"))
    if not tuned or not plain:
        return []
    more, less = _total(tuned), _total(plain)
    extra: Record = {"seconds": more["seconds"] / len(tuned) - less["seconds"] / len(plain)}
    for name in ("energy_kwh", "emissions_kg"):
        extra[name] = {end: max(more[name][end] / len(tuned) - less[name][end] / len(plain), 0.0) for end in ENDS}
    found = [extra]
    for row in _scores(run):
        if (row["candidate"], row.get("against"), row["seed"]) == ("teacher", "teacher-head", None) and row["low"]:
            ends = [100 * row[end] for end in ("low", "value", "high") if row[end] > 0]
            found += [{"seconds": extra["seconds"] / one} for one in ends]
            found += [{name: extra[name]["central"] / one for name in ("energy_kwh", "emissions_kg")} for one in ends]
    return found


def _ratios(run: Run) -> list[Record]:
    """Each compressed candidate beside what it was made from, and how many times its size and rate that is."""
    speeds = {row["candidate"]: row for row in _speeds(run)}
    found: list[Record] = []
    for name, row in speeds.items():
        before = speeds.get(_made_from(name))
        if before is not None and before is not row:
            for quantity in ("size_mb", "rows_per_second"):
                if row.get(quantity) and before.get(quantity):
                    values = [before[quantity], row[quantity]]
                    times = [row[quantity] / before[quantity], before[quantity] / row[quantity]]
                    found.append({"candidate": name, "values": values, "times": times})
    return found


def _speeds(run: Run) -> list[Record]:
    """Everything that was measured of a candidate in one record."""
    found: dict[str, Record] = {}
    for row in run.measurements:
        found.setdefault(row["candidate"], {"candidate": row["candidate"]})[row["quantity"]] = row["value"]
    return list(found.values())


ENDS = ("low", "central", "high")


def _metered(run: Run) -> tuple[list[Record], float]:
    """The entries of emissions.json, those that a wattmeter's reading covers scaled to it, and that factor."""
    entries, read = [dict(one) for one in run.emissions], run.json("carbon-reading.json")
    if not read:
        return entries, 1.0
    covered = [one for one in entries[: int(read["covers"])] if not one.get("reused_from")]
    modelled = sum(one["energy_kwh"]["central"] for one in covered)
    if abs(modelled - read["modelled_kwh"]) > 1e-6 * modelled:
        return entries, 1.0
    factor = read["measured_kwh"] / modelled
    for one in covered:
        kwh = one["energy_kwh"]["central"] * factor
        grams = one["emissions_kg"]["central"] / one["energy_kwh"]["central"] if one["energy_kwh"]["central"] else 0.0
        one["energy_kwh"] = dict(zip(ENDS, (0.98 * kwh, kwh, 1.02 * kwh), strict=True))
        one["emissions_kg"] = {end: value * grams for end, value in one["energy_kwh"].items()}
    return entries, factor


def _total(entries: Iterable[Record]) -> Record:
    """A sum in seconds, Wh and grams."""
    parts = list(entries)
    found: Record = {"seconds": sum(one["seconds"] for one in parts)}
    for name in ("energy_kwh", "emissions_kg"):
        found[name] = {end: 1000 * sum(one[name][end] for one in parts) for end in ENDS}
    return found


def _work(entry: Record) -> str:
    """What kind of work a stage was."""
    stage, whose = entry["stage"], str(entry["candidate"] or "")
    if re.search(r"predict|evaluat|measur|score|report|recommend|metric|^evidence-", stage):
        return "evaluation"
    if stage.startswith("embed") or stage == "soft targets":
        return "labelling"
    if whose.startswith(("control", "selftrain")):
        return "controls"
    if whose == "baseline" or whose.startswith("teacher"):
        return whose.partition("-")[0]
    return "students" if whose.startswith("student") or stage == "tokens" else "data"


def _made_from(name: str) -> str:
    return re.sub(r"^(student-.*)-(onnx|int8|fp16|short)$", r"\1", name)


def _learned(run: Run, entries: list[Record], candidate: str) -> Record:
    """What it took to have a candidate beside its teacher: its own stages, and teacher labelling for a student."""
    seeds = int(_recipe_word(run, "seeds") or 1)
    names, parts = {candidate, _made_from(candidate)}, []
    for one in entries:
        kind, whole = _work(one), one["candidate"] is None
        own = one["candidate"] in names and kind != "evaluation"
        learns = candidate.startswith("student-")
        static = (
            one["stage"] == "tokens"
            and learns
            and re.search(rf"name: {re.escape(_made_from(candidate)[8:])}\b[^}}-]*kind: static", run.recipe_text)
        )
        if own or (learns and kind == "labelling"):
            parts.append((one, 1 if whole else seeds))
        elif static:
            parts.append((one, 1))
    found = _total([])
    for one, share in parts:
        part = _total([one])
        found["seconds"] += part["seconds"] / share
        for name in ("energy_kwh", "emissions_kg"):
            for end in ENDS:
                found[name][end] += part[name][end] / share
    return found


def _costs(run: Run) -> list[Record]:
    """Sums of what stages took, in Wh, grams and seconds: each, by kind, by candidate, in all."""
    entries, factor = _metered(run)
    found = [
        {**_total([one]), "stage": one["stage"], "candidate": one["candidate"]} for one in entries
    ]  # fmt: skip
    all_ = _total(entries)
    kinds = {kind: _total([one for one in entries if _work(one) == kind]) for kind in {_work(one) for one in entries}}
    whose = {one["candidate"] for one in entries}
    found += [all_, *kinds.values(), _total(one for one in entries if not one.get("reused_from"))]
    found += [{**_total([one for one in entries if one["candidate"] == name]), "candidate": name} for name in whose]
    for name in run.candidates:
        own = [one for one in entries if one["candidate"] == name and _work(one) != "evaluation"]
        found += [{**_total(own), "candidate": name}] if own else []
        found.append({**_learned(run, entries, name), "candidate": name})
    whole = all_["energy_kwh"]["central"] or 1.0
    found += [{"share": one["energy_kwh"]["central"] / whole} for one in kinds.values()]
    before = _total(one for one in entries if not one["stage"].startswith("evidence-"))
    planned = run.json("estimate.json")
    if planned:
        found += [before, {"times": before["seconds"] / planned["seconds"]}]
    found += _idle(run, entries) + _between_stages(run)
    found += [
        {"g": one["method"]["intensity_g_per_kwh"]} for one in entries if one["method"].get("intensity_g_per_kwh")
    ]
    read = run.json("carbon-reading.json")
    if read:
        wh = {"wh": 1000 * read["measured_kwh"], "modelled": 1000 * read["modelled_kwh"], "factor": factor}
        found.append(wh | {"idle_watts": read.get("idle_watts")})
    return [*found, *_paybacks(run, entries)]


def _idle(run: Run, entries: list[Record]) -> list[Record]:
    """The idle share, from metered idle watts or guessed from the load."""
    read = run.json("carbon-reading.json") or {}
    if read.get("idle_watts") is not None:
        covered = [one for one in run.emissions[: int(read["covers"])] if not one.get("reused_from")]
        seconds = sum(one["seconds"] for one in covered)
        return [{"seconds": seconds, "share": read["idle_watts"] * seconds / 3.6e6 / read["measured_kwh"]}]
    loads = []
    for one in entries:
        watts, full = (one["method"].get("watts") or {}).get("cpu"), one["method"].get("full_load_watts")
        rated = (full or 0) - (one["method"].get("memory_watts") or 0)
        if watts is not None and rated > 0:
            loads.append((one["seconds"], min(watts / rated, 1.0)))
    if not loads or not sum(load for _, load in loads):
        return []
    load = sum(s * x for s, x in loads) / sum(s for s, _ in loads)
    shares = {end: f / (f + load * (1 - f)) for end, f in zip(ENDS, (0.1, 0.3, 0.5), strict=True)}
    return [{"load": load}, {"share": shares}]


def _between_stages(run: Run) -> list[Record]:
    """Time at work by the log, and the part of it that lies in no stage."""
    from datetime import datetime

    spans, began, last = 0.0, None, None
    for line in [*run.log, {"type": "run finished"}]:
        kind, at = line.get("type"), line.get("time") or last
        if kind in ("run started", "run resumed", "run finished", "run stopped", "run failed") and began:
            ended = last if kind in ("run started", "run resumed") else at
            spans += (datetime.fromisoformat(ended) - datetime.fromisoformat(began)).total_seconds()
            began = None
        if kind in ("run started", "run resumed"):
            began = at
        if kind != "meter reading":
            last = at
    inside = sum(
        one["seconds"]
        for one in run.emissions
        if not one.get("reused_from") and not one["stage"].startswith("evidence-")
    )
    return [{"seconds": spans, "outside": max(spans - inside, 0) / spans}] if spans else []


def _paybacks(run: Run, entries: list[Record]) -> list[Record]:
    """After how many predictions each candidate has made up for what it took, in energy and in time."""
    measured = {(row["candidate"], row["quantity"]): row for row in run.measurements}

    def each(name: str) -> tuple[Record | None, Record | None]:
        energy, rate = measured.get((name, "energy_wh_per_1000")), measured.get((name, "rows_per_second"))
        wh = seconds = None
        if energy and energy["value"] is not None:
            ends = (energy.get("low"), energy["value"], energy.get("high"))
            wh = {end: (energy["value"] if one is None else one) / 1000 for end, one in zip(ENDS, ends, strict=True)}
        if rate and rate["value"]:
            ends = (rate.get("high"), rate["value"], rate.get("low"))
            seconds = {end: 1 / (one or rate["value"]) for end, one in zip(ENDS, ends, strict=True)}
        return wh, seconds

    found: list[Record] = []
    teacher = each("teacher")
    for name in run.candidates:
        own = each(name)
        for spent in (_learned(run, entries, name), _total(entries)):
            fixed = (spent["energy_kwh"], dict.fromkeys(ENDS, spent["seconds"]))
            for cost, other, mine in zip(fixed, teacher, own, strict=True):
                if other and mine:
                    saved = (
                        other["high"] - mine["low"],
                        other["central"] - mine["central"],
                        other["low"] - mine["high"],
                    )
                    when = {end: cost[end] / gap for end, gap in zip(ENDS, saved, strict=True) if gap > 0}
                    record = {"candidate": name, "after": when, "fixed": cost["central"]}
                    found.append(record | {"other": 1000 * other["central"], "own": 1000 * mine["central"]})
    return found


def _behaviour(run: Run) -> list[Record]:
    """Answers to each case of a suite, and how many failing ones the page shows: three of a test, 45 at most."""
    found: list[Record] = []
    for file in sorted((run.folder / "evidence").glob("behaviour*.parquet")):
        cases: dict[tuple[str, str, int], Record] = {}
        for row in pq.read_table(file).to_pylist():
            watched = [row[f"p_{row['watched']}"]] if row.get("watched") and f"p_{row['watched']}" in row else []
            held = cases.setdefault((row["candidate"], row["test"], row["case"]), {"answers": [], "by": row["by"]})
            held["candidate"] = row["candidate"]
            held["answers"] += [row["probability"], *watched, *([row["p_watched"]] if "p_watched" in row else [])]
        found += cases.values()
        rows = [row for row in run.metrics if row.get("check") == file.stem and row["metric"] == "failure_rate"]
        for name in {row["candidate"] for row in rows}:
            of_tests = [row["failures"] for row in rows if row["candidate"] == name and "test=" in row["slice"]]
            shown = min(45, sum(min(3, one) for one in of_tests))
            found.append({"candidate": name, "shown": shown, "failing": sum(of_tests)})
    return found


def _labels(run: Run) -> list[Record]:
    """Counts behind shares of labels, how often teacher and label agree, and the margin of every judged row."""
    found: list[Record] = []
    for row in _of_checks(run, "labels"):
        if row.get("value") is not None and row.get("n"):
            found.append({"n": row["n"], **{end: (row[end] or 0) * row["n"] for end in ("low", "value", "high")}})
    file = run.folder / "evidence" / "teacher-audit.parquet"
    if file.is_file():
        table = pq.read_table(file)
        agreed = np.asarray(table["label"]) == np.asarray(table["said"])
        kappa = [row for row in run.metrics if row["metric"] == "kappa" and row["slice"] == "all"]
        found += [{"agreed": int(agreed.sum()), "of": len(agreed)}]
        found += [{"kappa": [row["value"], row["low"], row["high"]]} for row in kappa]
    file = run.folder / "evidence" / "labels.parquet"
    if not file.is_file():
        return found
    table = pq.read_table(file)
    columns = [name for name in table.column_names if name.startswith("p_")]
    part = np.array(table["part"].to_pylist()) == "given"
    model, row, split = (np.array(table[name].to_pylist())[part] for name in ("model", "row", "split"))
    label = np.asarray(table["label"])[part]
    said = np.column_stack([np.asarray(table[name], dtype=np.float64) for name in columns])[part]
    sums: dict[tuple[int, str], Any] = {}
    for at in range(len(row)):
        key = (int(row[at]), str(split[at]))
        sums.setdefault(key, [label[at], []])[1].append(said[at])
    for (at, _), (own, parts) in sums.items():
        mean = np.mean(parts, axis=0)
        record = {"row": at, "margin": float(mean[own] - np.delete(mean, own).max())}
        found.append(record)
    return [*found, {"models": len(set(model))}, *({"place": at} for at in range(1, 21))]


def _personal(run: Run) -> list[Record]:
    """Texts that were searched and held something, and sentences with invented values, over all types."""
    rows = _of_checks(run, "personal")
    any_ = [row for row in rows if row.get("metric") == "personal:any" and "column=" not in row["slice"]]
    texts = sum(row["n"] for row in any_)
    held = [sum(row["value"] or 0 for row in any_)]
    recall = [row for row in rows if str(row.get("metric")).startswith("personal_recall:") and row["slice"] == "all"]
    n = sum(row["n"] for row in recall if row["value"] is not None)
    kinds = {row["metric"] for row in rows if str(row.get("metric")).startswith("personal:")} - {"personal:any"}
    of_kind = [
        sum(row["value"] or 0 for row in rows if row.get("metric") == one and "column=" not in row["slice"])
        for one in kinds
    ]
    return [{"texts": texts, "held": held}, {"n": n}, {"types": len(kinds)}, {"found": of_kind}]


def _counted(run: Run, *names: str) -> list[Record]:
    """How many rows the evidence files have."""
    found: list[Record] = []
    for name in names:
        for file in sorted((run.folder / "evidence").glob(f"{name}*.parquet")):
            found.append({"rows": pq.read_metadata(file).num_rows})
    return found


def _health(run: Run) -> list[Record]:
    return [{"counts": one} if not isinstance(one, dict) else one for one in run.health.get("counts", {}).values()]


def general(run: Run) -> list[Record]:
    """What may be said anywhere: sizes of the splits, the margin, and how many candidates there are."""
    may = [name for name in run.candidates if not name.startswith(("control", "selftrain"))]
    counts = [{"n": one.get("rows"), "groups": one.get("groups")} for one in run.health.get("counts", {}).values()]
    margin = run.json("recommendation.json", {}).get("margin")
    labelled = sum((run.health.get("counts", {}).get(one) or {}).get("rows", 0) for one in ("train", "validation"))
    return [*counts, {"margin": margin}, {"chosen_among": len(may)}, {"labelled": labelled}]


def _decisions(run: Run) -> list[Record]:
    files = sorted((run.folder / "models").glob("*/decision.json"))
    return [{**_json(file), "candidate": file.parent.name} for file in files]


SOURCES: dict[str, Callable[[Run], list[Record]]] = {
    "head": lambda run: [*_scores(run), *run.measurements, *_health(run)],
    "comparison": lambda run: [*_scores(run), *run.measurements, *_speeds(run), *_costs(run)],
    "compression": lambda run: [*_scores(run), *run.measurements, *_speeds(run), *_ratios(run)],
    "tuning": lambda run: [*_scores(run), *run.measurements, *_tuning(run)],
    "distillation": _scores,
    "slices": _scores,
    "seeds": _scores,
    "confusion": lambda run: [*_confusion(run), *_scores(run)],
    "how-sure": lambda run: [*_scores(run), *_sure(run)],
    "calibration": lambda run: [*_of_checks(run, "decisions"), *_decisions(run)],
    "abstention": lambda run: [*_of_checks(run, "decisions", "novelty"), *_decisions(run)],
    "fairness": lambda run: _of_checks(run, "slices"),
    "flips": lambda run: _of_checks(run, "flips"),
    "behaviour": lambda run: [*_of_checks(run, "behaviour"), *_behaviour(run)],
    "robustness": lambda run: _of_checks(run, "robustness"),
    "attacks": lambda run: _of_checks(run, "attacks", "evasion"),
    "labels": lambda run: [*_of_checks(run, "labels", "teacher-audit"), *_labels(run)],
    "personal-data": lambda run: [*_of_checks(run, "personal"), *_counted(run, "personal"), *_personal(run)],
    "membership": lambda run: _of_checks(run, "membership"),
    "trade-offs": lambda run: [*_scores(run), *_of_checks(run, "decisions"), *run.measurements, *_front(run)],
    "payback": lambda run: [*_costs(run), *run.measurements, run.json("estimate.json", {})],
    "energy": _costs,
    "data": lambda run: [*_health(run), *_sure(run)[:2]],
    "check": lambda run: [{"environment": list(numbers(run.json("environment.json")))}],
}
"""For each part of the page, the values that may stand in it."""
