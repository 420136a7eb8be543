"""``workbench data doubts`` on a table and on a run, called as a program of one command."""

import json

import numpy as np
import pyarrow as pa
import pytest
import typer
from typer.testing import CliRunner

from small_table import tickets
from workbench.cli.doubts import doubts
from workbench.errors import RunError, WorkbenchError


@pytest.fixture
def program():
    app = typer.Typer()
    app.command()(doubts)

    def call(*arguments):
        return CliRunner().invoke(app, [str(one) for one in arguments], catch_exceptions=False)

    return call


@pytest.fixture
def table(tmp_path):
    frame = tickets(240)
    frame.loc[10, "topic"] = "brakes" if frame.loc[10, "topic"] != "brakes" else "gears"
    frame.loc[239, "note"], frame.loc[239, "topic"] = frame.loc[0, "note"], frame.loc[0, "topic"]
    frame.loc[239, "topic"] = "wheels" if frame.loc[0, "topic"] != "wheels" else "gears"
    frame.to_csv(tmp_path / "tickets.csv", index=False)
    return tmp_path / "tickets.csv"


@pytest.mark.slow
def test_a_table_gives_a_worksheet_without_texts(program, table):
    out = table.parent / "doubts.csv"
    done = program(table, "--text", "note", "--label", "topic", "--group", "shop", "--out", out, "--json")
    told = json.loads(done.stdout)
    assert done.exit_code == 0
    assert told["doubts"] >= 3
    assert {0, 239} <= {one["row"] for one in told["listed"][:2]}
    assert 10 in {one["row"] for one in told["listed"]}
    lines = out.read_text(encoding="utf-8").splitlines()
    assert lines[0].startswith("place,row,split,old_label,suggested,reason")
    assert len(lines) == told["doubts"] + 1
    notes = tickets(240)["note"]
    assert not any(note in out.read_text(encoding="utf-8") for note in notes)


@pytest.mark.slow
def test_it_says_what_faultless_labels_would_give_and_that_a_person_has_to_look(program, table):
    done = program(table, "--text", "note", "--label", "topic", "--most", 3)
    assert "labels that were all right" in done.stdout
    assert "3 of them listed; a person has to look" in done.stdout


def test_the_table_itself_is_never_written_over(program, table):
    with pytest.raises(WorkbenchError, match="is the table itself"):
        program(table, "--text", "note", "--label", "topic", "--out", table)
    with pytest.raises(WorkbenchError, match="--text goes with a table"):
        program("latest", "--text", "note")


def test_a_run_without_the_check_is_told_what_to_do(program, table, monkeypatch):
    import workbench.runs

    folder = table.parent / "runs" / "tickets" / "run-1"
    folder.mkdir(parents=True)
    monkeypatch.setattr(workbench.runs, "find_run", lambda name, runs: folder)
    with pytest.raises(RunError, match="were not checked") as caught:
        program("latest")
    assert "workbench evaluate" in caught.value.what_to_do


def test_a_run_s_evidence_becomes_a_worksheet_that_fits_its_table(program, table, monkeypatch):
    import workbench.pipeline.opening as opening
    import workbench.runs
    from workbench.data import sources
    from workbench.data.corrections import FIELDS, read_corrections
    from workbench.data.roles import roles
    from workbench.evaluation.labels import Doubting, judge_labels
    from workbench.recipe import Data
    from workbench.storage import write_json, write_parquet

    data = Data.model_validate({"source": {"path": "tickets.csv"}, "text": "note", "label": "topic", "group": "shop"})
    source = sources.read(data.source, data=data, base=table.parent)
    by_role = roles(source.table, data)
    part = by_role.labelled(np.arange(len(by_role)))
    check = judge_labels(part, np.repeat(["train"], len(part)), by_role.classes, Doubting(folds=4, draws=50))
    folder = table.parent / "run"
    write_parquet(folder / "evidence" / "labels.parquet", check.table)
    write_json(folder / "metrics.json", [])
    monkeypatch.setattr(workbench.runs, "find_run", lambda name, runs: folder)

    class Job:
        def __init__(self):
            self.source = source
            self.recipe = type("Recipe", (), {"data": data})

    monkeypatch.setattr(opening, "reopen_job", lambda path, runs, download: Job())
    out = table.parent / "doubts.csv"
    done = program("latest", "--out", out, "--texts")
    assert done.exit_code == 0
    assert "Worksheet:" in done.stdout
    assert set(FIELDS) <= set(out.read_text(encoding="utf-8").splitlines()[0].split(","))
    assert read_corrections(out).waiting > 0
    assert isinstance(check.table, pa.Table)
