"""``data scan``: counts and masked examples, a redacted copy, and what it says of wrong requests."""

from __future__ import annotations

import csv
import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import typer
from typer.testing import CliRunner

from workbench.cli.scanning import scan
from workbench.errors import DataError, WorkbenchError

app = typer.Typer()
app.command()(scan)
SECRETS = ("jane.doe@example.org", "219-09-9999", "Anna Schmidt")


def run(*arguments):
    """The command, called in this process."""
    return CliRunner().invoke(app, [str(one) for one in arguments])


@pytest.fixture
def notes(tmp_path):
    """A table with personal data in two columns."""
    file = tmp_path / "notes.csv"
    lines = [
        ("text", "owner", "label"),
        ("Mail jane.doe@example.org twice: jane.doe@example.org", "Anna Schmidt", "a"),
        ("=SSN 219-09-9999", "nobody", "b"),
        ("nothing, really", "", "a"),
    ]
    with file.open("w", newline="", encoding="utf-8") as out:
        csv.writer(out).writerows(lines)
    return file


def test_counts_and_masked_examples_are_shown_and_no_value(notes):
    done = run(notes)
    assert done.exit_code == 0, done.output
    assert "e-mail addresses" in done.output
    assert "j…@…org" in done.output
    assert "cannot see" in done.output
    assert not [secret for secret in SECRETS if secret in done.output]


def test_json_holds_counts_by_column_and_no_value(notes):
    done = run(notes, "--json")
    told = json.loads(done.output)
    assert not [secret for secret in SECRETS if secret in done.output]
    counted = {(one["column"], one["type"]): (one["findings"], one["rows"]) for one in told["found"]}
    assert counted == {("text", "email"): (2, 1), ("text", "us_ssn"): (1, 1), ("owner", "name"): (1, 1)}
    assert told["rows"]["text"] == {"table": 3}


def test_findings_fail_only_when_strict(notes, tmp_path):
    assert run(notes, "--strict").exit_code == 1
    clean = tmp_path / "clean.csv"
    clean.write_text("text,label\nnothing,a\nhere,b\n", encoding="utf-8")
    done = run(clean, "--strict")
    assert done.exit_code == 0
    assert "none of the 18 types" in done.output


def test_the_copy_is_redacted_consistently_and_the_table_stays(notes, tmp_path):
    before = notes.read_bytes()
    out = tmp_path / "out.csv"
    assert run(notes, "--redact", out).exit_code == 0
    assert notes.read_bytes() == before
    text = out.read_text(encoding="utf-8")
    assert not [secret for secret in SECRETS if secret in text]
    rows = list(csv.DictReader(text.splitlines()))
    first = rows[0]["text"].split()
    assert first[1] == first[3]
    assert first[1].startswith("[EMAIL_")
    assert rows[1]["text"].startswith("'=SSN [US_SSN_")
    assert [row["label"] for row in rows] == ["a", "b", "a"]
    assert run(out, "--strict").exit_code == 0


def test_one_key_gives_one_surrogate_in_every_file(notes, tmp_path):
    key = tmp_path / "key"
    key.write_text("0123456789abcdef0123456789abcdef", encoding="ascii")
    for name in ("one.parquet", "two.parquet"):
        assert run(notes, "--redact", tmp_path / name, "--key", key).exit_code == 0
    assert pq.read_table(tmp_path / "one.parquet").equals(pq.read_table(tmp_path / "two.parquet"))
    assert run(notes, "--redact", tmp_path / "three.parquet").exit_code == 0
    assert not pq.read_table(tmp_path / "one.parquet").equals(pq.read_table(tmp_path / "three.parquet"))


def test_only_named_columns_are_searched(notes):
    told = json.loads(run(notes, "--text", "owner", "--json").output)
    assert list(told["rows"]) == ["owner"]
    assert told["columns_not_searched"] == ["text", "label"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--text", "age"], "holds int64, no text"),
        (["--text", "txt"], "Did you mean 'text'"),
        (["--redact", "table.parquet"], "exists already"),
        (["--redact", "x.xlsx"], "ends in .xlsx"),
        (["--redact", "x.csv", "--key", "nowhere"], "does not exist"),
        (["--region", "XX"], "unknown countries XX"),
    ],
)
def test_a_wrong_request_says_what_would_be_right_and_writes_nothing(options, message, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    pq.write_table(pa.table({"text": ["a"], "age": [3]}), "table.parquet")
    done = run("table.parquet", *options)
    assert isinstance(done.exception, WorkbenchError)
    assert message in str(done.exception)
    assert done.exception.what_to_do
    assert [one.name for one in tmp_path.iterdir()] == ["table.parquet"]


def test_a_missing_table_and_options_that_need_one_are_refused(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert isinstance(run("nowhere.csv").exception, DataError)
    refused = run("clinical-coding", "--text", "x").exception
    assert "goes with a table" in str(refused)


def test_a_recipe_is_searched_split_by_split(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    lines = [f"Note {number} of {word},{word}" for word in ("alpha", "beta") for number in range(40)]
    lines[3] = "Mail jane.doe@example.org now,alpha"
    (tmp_path / "notes.csv").write_text("\n".join(["text,label", *lines]) + "\n", encoding="utf-8")
    (tmp_path / "mine.yaml").write_text(
        "format: 1\nname: mine\ntask: text-classification\npurpose: Only for a test of the scan.\n"
        "data:\n  source: {path: notes.csv}\n  text: text\n  label: label\n"
        "  allow_leakage: the texts are near copies on purpose\n  splits: {reserve: 5}\ncarbon: {country: FRA}\n",
        encoding="utf-8",
    )
    done = run("mine.yaml", "--json")
    assert done.exit_code == 0, done.exception
    told = json.loads(done.output)
    assert [(one["column"], one["type"], one["findings"]) for one in told["found"]] == [("text", "email", 1)]
    assert set(told["rows"]["text"]) >= {"train", "test"}
