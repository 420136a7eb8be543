"""Readers of installed packages, and the shipped recipes on them. No text of a package is written down here."""

import importlib.util

import numpy as np
import pyarrow.compute as pc
import pytest

from workbench import recipe
from workbench.data import prepare, readers, sources
from workbench.data.readers import icd10cm, packages, scancode
from workbench.errors import DataError


def installed(module: str) -> bool:
    return importlib.util.find_spec(module) is not None


needs_icd = pytest.mark.skipif(not installed("simple_icd_10_cm"), reason="simple-icd-10-cm is not installed")
needs_scancode = pytest.mark.skipif(not installed("licensedcode"), reason="licensedcode-data is not installed")

LIST = """<ICD10CM.tabular><chapter><name>1</name><desc>Small things (A00-B99)</desc><section id="A00-A09">
<diag><name>A00</name><desc>Broken cup</desc><inclusionTerm><note>Cup in pieces</note><note>broken CUP</note>
</inclusionTerm><diag><name>A00.1</name><desc>Broken   cup</desc></diag></diag></section></chapter>
<chapter><name>22</name><desc>Special</desc><section id="U00"><diag><name>U00</name><desc>Other</desc></diag></section>
</chapter></ICD10CM.tabular>"""


def test_the_tabular_list_gives_titles_and_the_terms_that_are_no_title(tmp_path):
    root = icd10cm.parsed(LIST.encode(), tmp_path / "list.xml")
    entries = icd10cm.distinct(list(icd10cm.walk(root)))
    assert entries == [
        ("Broken cup", "01 Small things", "A00", "A00-A09", "title", "1-3 words", "A00"),
        ("Cup in pieces", "01 Small things", "A00", "A00-A09", "inclusion", "1-3 words", "A00#1"),
    ]


@pytest.mark.parametrize("content", ["<a>", "<a/>", '<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>', "no xml"])
def test_a_file_that_is_not_the_tabular_list_is_refused(tmp_path, content):
    with pytest.raises(DataError, match="is not the ICD-10-CM tabular list"):
        icd10cm.parsed(content.encode(), tmp_path / "list.xml")


def test_front_matter_is_read_without_a_yaml_parser():
    fields, body = scancode.front_matter(
        "---\nlicense_expression: one OR\n    two\nis_license_notice: yes\nurls:\n  - http://a\nnotes: |\n  x: y\n"
        "---\n\nBody --- text"
    )
    assert fields["license_expression"] == "one OR two"
    assert set(fields) == {"license_expression", "is_license_notice", "urls", "notes"}
    assert body.strip() == "Body --- text"
    assert scancode.front_matter("no front matter") == ({}, "no front matter")


def test_a_package_that_is_missing_is_told_with_the_line_that_installs_it():
    package = packages.DataPackage("no-such-data", "no_such_data_module", "1.2.3")
    with pytest.raises(DataError) as caught:
        package.folder()
    assert "pip install no-such-data==1.2.3" in caught.value.what_to_do


@pytest.mark.slow
@needs_icd
def test_clinical_coding_is_split_as_its_recipe_says():
    located = recipe.read("clinical-coding")
    data = located.recipe.data
    table = sources.read(data.source, data=data, base=located.base)
    assert table.described["redistributable"] is False
    prepared = prepare(data, table, 0)
    splits = prepared.splits
    assert len(splits.classes) == 21
    assert (len(splits.train), len(splits.validation), len(splits.reserve)) == (840, 210, 1000)
    assert len(splits.pool) > 35_000
    assert {len(test) > 2000 for test in splits.tests.values()} == {True}
    held = set(splits.tests["test"].groups.to_pylist())
    assert held.isdisjoint(splits.pool.groups.to_pylist())
    assert prepared.health.leaks["near_text"]["after"] == 0
    kinds = table.table["kind"].combine_chunks()
    assert pc.unique(kinds.take(np.concatenate([splits.train.rows, splits.pool.rows]))).to_pylist() == ["title"]
    assert pc.unique(kinds.take(splits.tests["test_pool"].rows)).to_pylist() == ["inclusion"]


@pytest.mark.slow
@needs_icd
def test_a_wrong_slice_of_a_readers_table_is_told_with_its_columns():
    data = recipe.read("clinical-coding").recipe.data.model_copy(update={"slices": ("lenght",)})
    with pytest.raises(DataError, match="Did you mean 'length'"):
        sources.read(data.source, data=data, base=recipe.shipped_folder("recipes"))


@needs_scancode
@pytest.mark.slow
def test_licence_rules_have_eight_categories_and_no_false_positives():
    found = readers.read("scancode", "licensedcode-data")
    assert found.described["licence"] == "CC-BY-4.0"
    assert found.table.num_rows > 15_000
    assert len(pc.unique(found.table["category"])) == 8
    assert set(pc.unique(found.table["kind"]).to_pylist()) <= {*scancode.KINDS, "other"}


def test_the_shipped_sample_works_without_any_package():
    located = recipe.read("licence-obligations-class")
    data = located.recipe.data
    table = sources.read(data.source, data=data, base=located.base)
    assert len(table) <= 600
    assert table.described["licence"] == "CC-BY-4.0"
    assert "nexB" in (located.base / "data" / "NOTICE").read_text(encoding="utf-8")
    splits = prepare(data, table, 0).splits
    assert len(splits.classes) == 8
    assert len(splits.train) + len(splits.validation) == 160
    assert len(splits.tests["test"]) > 100
    assert len(splits.pool) > 150
    assert not any(text.startswith(("=", "+", "-", "@")) for text in table.table["text"].to_pylist())
