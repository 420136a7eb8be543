"""One more correction: added, never written over what is there."""

from __future__ import annotations

import pytest

from workbench.data.corrections import Correction, read_corrections
from workbench.data.marking import add_correction
from workbench.errors import DataError

ONE = Correction(3, "a" * 64, "old", "new", "A. Clerk", "read it", "2026-11-22T10:00:00+00:00")


def other(**changes: object) -> Correction:
    return Correction(**{**vars(ONE), **changes})


def test_the_file_is_made_and_a_second_line_is_added(tmp_path):
    file = tmp_path / "corrections.csv"
    add_correction(file, ONE)
    first = file.read_text(encoding="utf-8")
    assert len(add_correction(file, other(row=5)).entries) == 2
    assert file.read_text(encoding="utf-8").startswith(first)
    assert read_corrections(file).entries[0] == ONE


def test_the_same_correction_is_not_repeated_and_another_is_refused(tmp_path):
    file = tmp_path / "corrections.csv"
    add_correction(file, ONE)
    before = file.read_bytes()
    add_correction(file, other(when="2026-11-23"))
    assert file.read_bytes() == before
    with pytest.raises(DataError, match="corrected to 'new' by"):
        add_correction(file, other(new_label="third"))
    assert file.read_bytes() == before


@pytest.mark.parametrize("missing", ["new_label", "who", "why"])
def test_an_unsigned_correction_is_refused(tmp_path, missing):
    with pytest.raises(DataError, match=f"does not say {missing}"):
        add_correction(tmp_path / "corrections.csv", other(**{missing: " "}))
    assert not (tmp_path / "corrections.csv").exists()


def test_a_cell_that_a_spreadsheet_would_run_is_made_harmless_and_read_as_it_was(tmp_path):
    file = tmp_path / "corrections.csv"
    (one,) = add_correction(file, other(why="=1+1")).entries
    assert one.why == "=1+1"
    assert "'=1+1" in file.read_text(encoding="utf-8")


def test_a_file_with_semicolons_is_left_alone(tmp_path):
    file = tmp_path / "corrections.csv"
    add_correction(file, ONE)
    file.write_text(file.read_text(encoding="utf-8").replace(",", ";"), encoding="utf-8")
    before = file.read_bytes()
    with pytest.raises(DataError, match="no line can be added"):
        add_correction(file, other(row=5))
    assert file.read_bytes() == before
