"""The papers about the data that a run keeps."""

import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from workbench import storage
from workbench.data import SourceTable, prepare, rows_table
from workbench.data.card import write_card
from workbench.recipe import Recipe


@pytest.fixture
def papers(tmp_path):
    content = {
        "text": [f"a text of its own numbered n{n} m{n * 7} k{n * 13}" for n in range(300)],
        "label": ["one <b>|</b>" if n % 2 else "two" for n in range(300)],
        "group": [f"g{n // 10}" for n in range(300)],
    }
    table = pa.table({name: pa.array(values, pa.large_string()) for name, values in content.items()})
    described = {"name": "Letters", "version": "1", "licence": "CC0-1.0", "url": "", "redistributable": True}
    source = SourceTable(table, "ab" * 32, {**described, "rows": 300, "notes": ["Made up."]})
    data = {"source": {"table": "given"}, "group": "group", "splits": {"by": "group"}}
    values = {"name": "letters", "purpose": "Sort letters.", "data": data, "carbon": {"country": "FRA"}}
    made = Recipe.model_validate(values)
    prepared = prepare(made.data, source, 0)
    storage.write_parquet(tmp_path / "rows.parquet", rows_table(prepared))
    write_card(tmp_path, made, source, prepared.health)
    return tmp_path


def test_the_papers_hold_no_text_of_the_table(papers):
    assert sorted(path.name for path in papers.iterdir()) == [
        "card.md",
        "croissant.json",
        "rows.parquet",
    ]
    for path in papers.iterdir():
        assert b"a text of its own" not in path.read_bytes(), path.name
    assert pq.read_table(papers / "rows.parquet").column_names == ["row", "split", "group"]


def test_the_card_tells_source_splits_and_health_and_escapes_names(papers):
    card = (papers / "card.md").read_text(encoding="utf-8")
    assert "| Licence | CC0-1.0 |" in card
    assert "Made up." in card
    assert "<b>" not in card
    assert all(f"| {name} |" in card for name in ("train", "validation", "pool", "reserve", "test"))


def test_croissant_names_the_file_by_its_digest(papers):
    found = json.loads((papers / "croissant.json").read_text(encoding="utf-8"))
    assert found["distribution"][0]["sha256"] == storage.sha256_file(papers / "rows.parquet")
    assert [field["name"] for field in found["recordSet"][0]["field"]] == ["row", "split", "group"]


def test_croissant_is_valid_for_its_own_validator(papers):
    validator = pytest.importorskip("mlcroissant")
    dataset = validator.Dataset(str(papers / "croissant.json"))
    assert not dataset.metadata.ctx.issues.errors
    assert len(list(dataset.records("rows"))) == 300
