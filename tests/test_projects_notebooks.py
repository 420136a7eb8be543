"""“Write notebook” on a real run of a table written here: it is valid, it runs in its place and elsewhere."""

from __future__ import annotations

import json
import shutil

import pytest

from small_table import recipe_values, tickets
from workbench import pipeline
from workbench import recipe as recipes
from workbench.errors import RunError
from workbench.projects.desk import Desk
from workbench.projects.notebooks import write_notebook
from workbench.recipe import from_values, to_yaml
from workbench.widgets.words import Words


@pytest.fixture
def desk(tmp_path):
    home = tmp_path / "runs" / "guide" / "tickets"
    home.mkdir(parents=True)
    tickets(450).to_csv(home / "tickets.csv", index=False)
    values = recipe_values(None, teacher=None, students=[], purpose="Sort <b>tickets</b> of a *workshop*.")
    (home / "tickets.yaml").write_text(to_yaml(from_values(values)), encoding="utf-8")
    return Desk(tmp_path / "runs")


def sources(file, kind):
    return [one for one in json.loads(file.read_text())["cells"] if one["cell_type"] == kind]


@pytest.mark.parametrize("language", ["en", "fr"])
def test_the_notebook_is_valid_short_and_empty_of_outputs(desk, language):
    nbformat = pytest.importorskip("nbformat", reason="the extra lab is not installed")
    file = write_notebook(desk, Words(language))
    assert file == desk.file.with_suffix(".ipynb")
    book = nbformat.read(file, as_version=nbformat.NO_CONVERT)
    nbformat.validate(book)
    assert (book.nbformat, book.nbformat_minor, book.metadata.kernelspec.name) == (4, 5, "python3")
    assert len(book.cells) <= 25
    assert all(len(one.source.splitlines()) <= 12 for one in book.cells)
    assert len({one.id for one in book.cells}) == len(book.cells)
    assert all(one.outputs == [] and one.execution_count is None for one in book.cells if one.cell_type == "code")
    assert "<b>" not in book.cells[0].source
    for one in sources(file, "code"):
        compile("".join(one["source"]), one["id"], "exec")


def test_the_same_desk_gives_the_same_notebook(desk):
    first = write_notebook(desk, Words("en")).read_bytes()
    assert write_notebook(desk, Words("en")).read_bytes() == first


def test_a_notebook_that_was_changed_by_hand_is_not_overwritten(desk):
    file = write_notebook(desk, Words("en"))
    book = json.loads(file.read_text())
    book["cells"][0]["source"] = ["# My own words"]
    file.write_text(json.dumps(book))
    assert write_notebook(desk, Words("en")).name == "tickets-2.ipynb"
    assert "My own words" in file.read_text()


def test_a_table_that_was_handed_over_in_python_is_told(desk):
    desk.file.write_text(desk.text.replace("path: tickets.csv", "table: given"), encoding="utf-8")
    with pytest.raises(RunError, match="handed over in Python"):
        write_notebook(desk, Words("en"))


def test_without_a_recipe_there_is_no_notebook(tmp_path):
    with pytest.raises(RunError, match="No recipe was chosen"):
        write_notebook(Desk(tmp_path), Words("en"))


@pytest.mark.slow
def test_it_runs_in_its_place_and_where_its_folder_was_moved_with_the_same_digest(desk, tmp_path):
    nbclient = pytest.importorskip("nbclient", reason="the extra lab is not installed")
    nbformat = pytest.importorskip("nbformat", reason="the extra lab is not installed")
    pipeline.run(desk.file, runs=desk.runs)
    file = write_notebook(desk, Words("fr"))
    assert recipes.digest(desk.recipe) in file.read_text()
    moved = shutil.move(shutil.copytree(file.parent, tmp_path / "copy"), tmp_path / "elsewhere")
    for place in (file.parent, moved):
        book = nbformat.read(place / file.name, as_version=4)
        nbclient.NotebookClient(book, timeout=600, resources={"metadata": {"path": str(place)}}).execute()
    found = [one for one in Desk(tmp_path / "runs").all_runs() if one.status == "done"]
    anew = Desk(moved / "runs", moved / "tickets.yaml").all_runs()
    assert len(found) == len(anew) == 1
    digests = {json.loads((one.path / "run.json").read_text())["recipe_digest"] for one in (*found, *anew)}
    assert digests == {recipes.digest(desk.recipe)}
