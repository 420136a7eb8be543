"""Corrections of labels: read and applied without touching the table, and refused where they do not fit it."""

import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from workbench.data import sources
from workbench.data.conflicts import conflicts
from workbench.data.corrections import FIELDS, apply_corrections, read_corrections, text_digest
from workbench.data.worksheet import worksheet
from workbench.errors import DataError
from workbench.metrics.doubts import Doubt
from workbench.recipe import Data

TEXTS = ("brake cable squeals", "tyre lost air", "=chain slips", "brake pad gone", "spoke bent", "chain jumps")
LABELS = ("brakes", "wheels", "-gears", "wheels", "wheels", "-gears")


@pytest.fixture
def tickets(tmp_path: Path) -> tuple[Data, Path]:
    lines = "".join(f"{text},{label}\n" for text, label in zip(TEXTS, LABELS, strict=True))
    (tmp_path / "tickets.csv").write_text(f"text,label\n{lines}", encoding="utf-8")
    return Data.model_validate({"source": {"path": "tickets.csv"}}), tmp_path


def read(data, folder):
    return sources.read(data.source, data=data, base=folder)


def line(at=3, **changes):
    """A correction of the fourth ticket, which is about a brake, or of another one."""
    row = at
    given = {
        "row": row,
        "text_sha256": text_digest(TEXTS[row]) if row < len(TEXTS) else "0" * 64,
        "old_label": LABELS[row] if row < len(TEXTS) else "wheels",
        "new_label": "brakes",
        "who": "A. Mechanic",
        "why": "A brake pad is no wheel.",
        "when": "2026-11-22",
    }
    return {**given, **changes}


def written(folder, *lines, name="fixes.jsonl"):
    (folder / name).write_text("".join(json.dumps(one) + "\n" for one in lines), encoding="utf-8")
    return folder / name


def test_a_correction_changes_the_label_the_digest_and_nothing_else(tickets):
    data, folder = tickets
    before = (folder / "tickets.csv").read_bytes()
    source = read(data, folder)
    corrections = read_corrections(written(folder, line(), line(4, new_label="wheels", why="Looked at: right.")))
    changed = apply_corrections(source, corrections, data)
    assert changed.table["label"].to_pylist() == ["brakes", "wheels", "-gears", "brakes", "wheels", "-gears"]
    assert changed.table["text"].equals(source.table["text"])
    assert source.table["label"].to_pylist() == list(LABELS)
    assert (folder / "tickets.csv").read_bytes() == before
    assert changed.digest != source.digest
    assert "1 label corrected and 1 confirmed by fixes.jsonl" in changed.described["notes"][-1]
    other = read_corrections(written(folder, line(why="Another reason."), name="other.jsonl"))
    assert len({changed.digest, apply_corrections(source, other, data).digest}) == 2


def test_the_digest_does_not_depend_on_the_file_s_format(tickets):
    _, folder = tickets
    cells = ",".join(f'"{line()[name]}"' for name in FIELDS)
    (folder / "fixes.csv").write_text(f"{','.join(FIELDS)}\n{cells}\n", encoding="utf-8")
    assert read_corrections(folder / "fixes.csv").digest == read_corrections(written(folder, line())).digest


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"who": ""}, "does not say who"),
        ({"why": " "}, "does not say why"),
        ({"when": "last week"}, "is of 'last week'"),
        ({"new_label": ""}, "does not say new_label"),
        ({"text_sha256": "abc"}, "has the text digest 'abc'"),
        ({"row": "three"}, "has the row 'three'"),
    ],
)
def test_a_line_that_is_not_whole_is_refused(tickets, changes, told):
    _, folder = tickets
    with pytest.raises(DataError, match=told):
        read_corrections(written(folder, line(**changes)))


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (line(text_sha256=text_digest("another text")), "Row 3 has another text"),
        (line(old_label="brakes"), "Row 3 has the label 'wheels'"),
        (line(new_label="brake"), "no class of the table. Did you mean 'brakes'"),
        (line(99), "Row 99 does not exist: the table has 6 rows"),
    ],
)
def test_a_correction_that_does_not_fit_the_table_is_refused(tickets, change, told):
    data, folder = tickets
    with pytest.raises(DataError, match=told):
        apply_corrections(read(data, folder), read_corrections(written(folder, change)), data)


def test_all_problems_are_told_at_once_and_contradictions_name_both_people(tickets):
    _, folder = tickets
    lines = [line(), line(new_label="-gears", who="B. Other"), line(4, who="")]
    with pytest.raises(DataError) as caught:
        read_corrections(written(folder, *lines))
    assert len(caught.value.problems) == 2
    assert "'brakes' (A. Mechanic), '-gears' (B. Other)" in str(caught.value)
    same = read_corrections(written(folder, line(), line(who="B. Other")))
    assert len(same.entries) == 1


def test_a_missing_column_is_told_with_where_to_start(tickets):
    _, folder = tickets
    with pytest.raises(DataError, match="has no column 'why'") as caught:
        read_corrections(written(folder, {name: value for name, value in line().items() if name != "why"}))
    assert "workbench data doubts" in caught.value.what_to_do


def test_a_worksheet_that_is_filled_in_is_a_file_of_corrections(tickets):
    data, folder = tickets
    source = read(data, folder)
    doubts = [Doubt(3, "train", "wheels", "brakes", "a reason", 0.1, 0.8), Doubt(2, "test", "-gears", "brakes", "why")]
    plain, with_texts = worksheet(doubts, source, data), worksheet(doubts, source, data, texts=True)
    assert not any(text in plain for text in TEXTS)
    assert "'=chain slips" in with_texts
    assert "'-gears" in with_texts
    (folder / "untouched.csv").write_text(with_texts, encoding="utf-8", newline="")
    untouched = read_corrections(folder / "untouched.csv")
    assert (untouched.entries, untouched.waiting) == ((), 2)
    assert apply_corrections(source, untouched, data) is source
    filled = with_texts.replace(",,,,,", ",'-gears,A. Mechanic,I looked,2026-11-22,")
    (folder / "filled.csv").write_text(filled, encoding="utf-8", newline="")
    changed = apply_corrections(source, read_corrections(folder / "filled.csv"), data)
    assert changed.table["label"].to_pylist()[2:4] == ["-gears", "-gears"]


def test_alike_texts_with_different_labels_are_found_and_others_are_not():
    texts = pa.array(
        [
            "The chain slips on the smallest sprocket after rain",
            "the chain slips on the  smallest sprocket after RAIN",
            "the chain slips on the smallest sprocket after heavy rain",
            "the rear tyre loses air over night in the shed",
            "the chain slips on the smallest sprocket after rain",
            "the rear tyre loses air over night in a shed",
        ],
        pa.large_string(),
    )
    found = conflicts(texts, np.array([0, 1, 2, 1, 0, 1], dtype=np.int32), 0.8)
    pairs = dict(zip(zip(found.first.tolist(), found.second.tolist(), strict=True), found.same_text, strict=True))
    assert pairs[0, 1]
    assert not pairs[0, 2]
    assert all((3 in pair) == (5 in pair) and pair != (0, 4) for pair in pairs)
    assert (3, 5) not in pairs
    assert len(conflicts(texts, np.zeros(6, dtype=np.int32), 0.8)) == 0
