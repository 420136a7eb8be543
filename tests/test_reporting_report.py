"""The page and the card, made from whole run folders and from folders that lack files."""

from __future__ import annotations

import itertools
import json
import re
import shutil
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from typing import ClassVar

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from run_folder import CLASSES, Choices, make_run
from workbench.errors import RunError
from workbench.recipe.yaml_text import read_document
from workbench.reporting import chapters, comparison_table, report

SOURCES = Path(__file__).parents[1] / "src"
LEAK = "the words of the publisher repeat in every work"


class Page(HTMLParser):
    """Collects what a test asks about a page, and whether its elements close in order."""

    VOID: ClassVar[set[str]] = {"meta", "br", "link", "img", "input", "hr"}

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self.feed(text)
        assert not self.open, self.open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        if tag == "p" and self.open[-1] != "p":
            return
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] != "style":
            self.words.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).replace("\N{NO-BREAK SPACE}", " ").split())

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.tags if name == tag]


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run with all candidates, one seed."""
    folder = make_run(tmp_path_factory.mktemp("whole"), Choices(rows=600, resamples=1500))
    report(folder)
    return folder


@pytest.fixture(scope="module")
def seeded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of three seeds with allowed leakage and shown examples, energy of class B."""
    some = ("baseline", "teacher", "student-linear", "control-linear", "selftrain-linear")
    choices = Choices(rows=400, seeds=3, leakage=LEAK, examples=True, class_="B", candidates=some)
    folder = make_run(tmp_path_factory.mktemp("seeded"), choices)
    report(folder)
    return folder


def page_of(folder: Path) -> Page:
    return Page((folder / "report.html").read_text(encoding="utf-8"))


def recommended(folder: Path) -> str:
    return json.loads((folder / "recommendation.json").read_text())["candidate"]


def test_the_page_loads_nothing_and_runs_nothing(whole):
    text = (whole / "report.html").read_text(encoding="utf-8")
    page = Page(text)
    policy = [one["content"] for one in page.all("meta") if one.get("http-equiv") == "Content-Security-Policy"]
    assert policy == ["default-src 'none'; style-src 'unsafe-inline'; img-src data:"]
    assert not page.all("script")
    assert not page.all("link")
    for _, attributes in page.tags:
        assert not [name for name in attributes if name.startswith("on")]
        for name in ("src", "href", "xlink:href"):
            assert (attributes.get(name) or "#").startswith("#")
    assert not re.search(r"url\((?!#)", text)
    assert "@import" not in text


def test_page_one_has_the_recommendation_purpose_and_limits(whole):
    text = page_of(whole).text
    head = text[: text.index("All candidates side by side")]
    assert f"{recommended(whole)} is recommended" in head
    assert "Suggest a subject to a librarian" in head
    assert "Every text gets one of the known classes" in head
    assert "Test pool holds rows whose groups also stand in the labels or the pool" in head
    assert "leak" not in head


def test_an_allowed_leakage_stands_on_page_one_with_its_reason(seeded):
    text = page_of(seeded).text
    head = text[: text.index("All candidates side by side")]
    assert "Test rows leak into training" in head
    assert LEAK in head
    assert "41 rows to learn from stand in test" in head
    assert LEAK in (seeded / "README.md").read_text(encoding="utf-8")


def test_every_candidate_stands_in_the_comparison_with_its_values(whole):
    page = page_of(whole)
    for row in comparison_table(whole):
        assert row["candidate"] in page.text
        assert f"{row['value']:.3f}" in page.text
        assert f"{row['low']:.3f} to {row['high']:.3f}" in page.text
        assert f"{row['test_pool_value']:.3f}" in page.text


def test_distillation_is_answered_against_control_and_selftrain(whole):
    text = page_of(whole).text
    part = text[text.index("Did distillation help?", 4000) : text.index("Is it equally good everywhere?")]
    for name in ("control-linear", "selftrain-linear", "control-static", "selftrain-static"):
        assert name in part
    assert "better" in part
    assert "not detectable at n = 600" in part


def test_energy_names_its_class_and_says_that_it_follows_time_for_c_and_d(whole, seeded):
    guessed, counted = page_of(whole).text, page_of(seeded).text
    assert "energy follows time" in guessed
    assert "Class D: a guess" in guessed
    assert "embed (reused)" in guessed
    assert "20261121-180200-77e0aa" in guessed
    assert "energy follows time" not in counted
    assert "Class B: counted by the hardware" in counted


def test_a_slice_that_is_too_small_shows_its_reason_and_no_figure(whole):
    assert re.search(r"abbreviation \d+ \d+ rows: below 30 no figure is given", page_of(whole).text)


def test_seeds_are_shown_only_where_there_are_several(whole, seeded):
    assert "Standard deviation" not in page_of(whole).text
    text = page_of(seeded).text
    assert "repeated with 3 seeds" in text
    rows = json.loads((seeded / "metrics.json").read_text())
    points = next(
        row["points"]
        for row in rows
        if row["candidate"] == "teacher" and row["metric"] == "macro_f1" and row["slice"] == "all"
        if row["split"] == "test" and row["seed"] is None and row["against"] is None
    )
    assert ", ".join(f"{point:.3f}" for point in points) in text


def test_looks_at_test_are_counted(whole):
    assert "Test was looked at once." in page_of(whole).text


def test_texts_are_shown_only_where_the_recipe_allows_it(whole, seeded, tmp_path):
    assert "an invented phrase" in page_of(seeded).text
    folder = make_run(tmp_path, Choices(rows=200, candidates=("baseline", "teacher"), examples=True))
    recipe = folder / "recipe.yaml"
    recipe.write_text(recipe.read_text().replace("examples: true", "examples: false"))
    report(folder)
    for name in ("report.html", "README.md"):
        assert "an invented phrase" not in (folder / name).read_text(encoding="utf-8")


def test_the_card_never_shows_texts(seeded):
    assert "an invented phrase" not in (seeded / "README.md").read_text(encoding="utf-8")


def test_what_came_from_data_is_escaped(whole):
    text = (whole / "report.html").read_text(encoding="utf-8")
    assert "Weaving <wool>" not in text
    assert "Weaving &lt;wool&gt;" in text
    card = (whole / "README.md").read_text(encoding="utf-8").split("---", 2)[2]
    assert "<wool>" not in card


def test_hostile_names_do_not_become_markup(tmp_path):
    evil = ("<script>alert(1)</script>", '" onload="x', "</td></tr></table>", "{{ 7 * 7 }}", "| a | `b` |")
    choices = Choices(rows=200, candidates=("baseline", "teacher"), classes=evil + CLASSES[:3])
    folder = make_run(tmp_path, choices)
    report(folder)
    page = page_of(folder)
    assert not page.all("script")
    assert not [tag for tag, attributes in page.tags if "onload" in attributes]
    assert "{{ 7 * 7 }}" in page.text
    card = (folder / "README.md").read_text(encoding="utf-8")
    assert "<script" not in card.split("---", 2)[2]


def test_headings_tables_and_figures_can_be_read_aloud(whole):
    page = page_of(whole)
    levels = [int(tag[1]) for tag, _ in page.tags if re.fullmatch(r"h[1-6]", tag)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after - before <= 1 for before, after in itertools.pairwise(levels))
    assert all("scope" in one for one in page.all("th"))
    drawn = [one for one in page.all("svg") if one.get("role") == "img"]
    assert len(drawn) == len(page.all("figure")) >= 2
    ids = [one["id"] for _, one in page.tags if one.get("id")]
    assert len(ids) == len(set(ids))
    for one in drawn:
        assert set((one["aria-labelledby"] or "").split()) <= set(ids)
    assert all(one.get("role") == "img" or one.get("aria-hidden") == "true" for one in page.all("svg"))
    for anchor in page.all("a"):
        assert (anchor["href"] or "").removeprefix("#") in ids


@pytest.mark.slow
def test_making_it_again_gives_the_same_bytes(whole):
    before = {name: (whole / name).read_bytes() for name in ("report.html", "README.md")}
    report(whole)
    assert before == {name: (whole / name).read_bytes() for name in before}


def test_values_that_are_absent_show_a_reason_and_not_zero(tmp_path):
    folder = make_run(tmp_path, Choices(rows=200, candidates=("baseline", "teacher")))
    rows = json.loads((folder / "measurements.json").read_text())
    kept = [row for row in rows if row["quantity"] != "size_mb"]
    absent = {"candidate": "teacher", "quantity": "size_mb", "value": None, "unit": "MB", "reason": "no weights here"}
    (folder / "measurements.json").write_text(json.dumps([*kept, absent]))
    report(folder)
    text = page_of(folder).text
    assert "no weights here" in text
    assert "not measured in this run" in text
    table = {row["candidate"]: row for row in comparison_table(folder)}
    assert table["teacher"]["size_mb"] is None
    assert table["teacher"]["absent"]["size_mb"] == "no weights here"


@pytest.mark.parametrize("status", ["running", "stopped", "failed"])
def test_a_run_that_is_not_finished_still_has_a_report_that_says_so(tmp_path, status):
    folder = make_run(tmp_path, Choices(rows=200, candidates=("baseline", "teacher")))
    for name in ("metrics.json", "measurements.json", "emissions.json", "recommendation.json", "environment.json"):
        (folder / name).unlink()
    (folder / "data" / "health.json").unlink()
    state = json.loads((folder / "run.json").read_text()) | {"status": status, "finished": None}
    (folder / "run.json").write_text(json.dumps(state))
    report(folder)
    text = page_of(folder).text
    assert f"This run is not finished ({status})" in text
    assert "This run has no recommendation" in text
    assert "Energy was not measured in this run." in text
    assert "metrics.json" in text
    metadata = (folder / "README.md").read_text(encoding="utf-8").split("---")[1]
    assert "co2_eq_emissions" not in metadata


def test_a_run_of_too_few_rows_recommends_nothing_and_says_why(tmp_path):
    folder = make_run(tmp_path, Choices(rows=24, candidates=("baseline", "teacher")))
    report(folder)
    text = page_of(folder).text
    assert "No candidate can be recommended from test" in text
    assert recommended(folder) is None


def test_a_folder_that_is_no_run_is_refused(tmp_path):
    with pytest.raises(RunError, match=r"no run.json"):
        report(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_does_not_hold_rows_is_refused_before_anything_is_written(tmp_path):
    folder = make_run(tmp_path, Choices(rows=200, candidates=("baseline",)))
    (folder / "metrics.json").write_text('{"not": "rows"}')
    with pytest.raises(RunError, match=r"metrics.json of the run does not hold a list"):
        report(folder)
    assert not (folder / "report.html").exists()


def test_the_cards_metadata_has_grams_and_scores_with_intervals(whole):
    text = (whole / "README.md").read_text(encoding="utf-8")
    values = read_document(text.split("---")[1], "README.md").values
    entries = json.loads((whole / "emissions.json").read_text())
    grams = 1000 * sum(entry["emissions_kg"]["central"] for entry in entries)
    assert values["co2_eq_emissions"]["emissions"] == pytest.approx(grams, rel=0.05)
    assert values["co2_eq_emissions"]["geographical_location"] == "FRA"
    assert "class D" in values["co2_eq_emissions"]["source"]
    assert values["pipeline_tag"] == "text-classification"
    assert values["license"] == "apache-2.0"
    results = values["model-index"][0]["results"]
    assert [one["dataset"]["split"] for one in results] == ["test", "test_pool"]
    row = next(one for one in comparison_table(whole) if one["recommended"])
    assert results[0]["metrics"][0]["value"] == pytest.approx(row["value"], abs=1e-4)
    assert f"{row['low']:.3f} to {row['high']:.3f}" in results[0]["metrics"][0]["name"]


def test_the_cards_metadata_is_what_the_hub_library_reads(whole):
    cards = pytest.importorskip("huggingface_hub")
    card = cards.ModelCard((whole / "README.md").read_text(encoding="utf-8"))
    assert card.data.model_name == f"library-subjects-{recommended(whole)}"
    assert {one.metric_type for one in card.data.eval_results} == {"f1", "accuracy"}


@pytest.mark.slow
def test_a_report_needs_neither_torch_nor_the_rooms_that_train(whole):
    program = (
        "import sys\n"
        "class Refuse:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        "        rooms = ('training', 'carbon', 'evaluation', 'models', 'data', 'pipeline')\n"
        "        if name.split('.')[0] in {'torch', 'transformers', 'codecarbon', 'peft', 'datasets', 'evaluate'}\\\n"
        "           or name in {f'workbench.{room}' for room in rooms}:\n"
        "            raise ImportError(f'{name} is not here')\n"
        "sys.meta_path.insert(0, Refuse())\n"
        "from pathlib import Path\n"
        "from workbench.reporting import report\n"
        f"report(Path({str(whole)!r}))\n"
    )
    done = subprocess.run([sys.executable, "-c", program], env={"PYTHONPATH": str(SOURCES)}, capture_output=True)
    assert done.returncode == 0, done.stderr.decode()


def test_the_confusion_matrix_adds_up_to_the_rows(whole):
    from workbench.reporting.confusion import read_confusion

    file = whole / "predictions" / f"{recommended(whole)}.parquet"
    found = read_confusion(file, "test")
    assert found is not None
    assert found.counts.sum() == 600
    table = pq.read_table(file).filter(pa.compute.field("split") == "test")
    right = sum(a == b for a, b in zip(table["label"].to_pylist(), table["prediction"].to_pylist(), strict=True))
    assert found.counts.trace() == right
    assert read_confusion(file, "no such split") is None


def test_predictions_may_be_places_instead_of_names(tmp_path):
    from workbench.reporting.confusion import Mistake, read_confusion

    columns = {"seed": [0, 0, 0, 1], "row": [1, 2, 3, 1], "split": ["test"] * 4, "label": [0, 1, 1, 0]}
    columns |= {"prediction": [0, 0, 1, 0], "p_a": [0.9, 0.8, 0.1, 0.9], "p_b": [0.1, 0.2, 0.9, 0.1]}
    pq.write_table(pa.table(columns), tmp_path / "x.parquet")
    found = read_confusion(tmp_path / "x.parquet", "test")
    assert found is not None
    assert found.counts.tolist() == [[1, 0], [1, 1]]
    assert found.mistakes() == [Mistake("b", "a", 1, 2)]


@pytest.mark.slow
def test_a_report_made_again_takes_over_the_pages_that_say_nothing_of_energy(whole, tmp_path, monkeypatch):
    own = Path(shutil.copytree(whole, tmp_path / whole.name))
    made = report(own)
    first = (own / "report.html").read_text(encoding="utf-8")
    drawn: list[str] = []

    def told(name):
        drawn.append(name)
        return imported(name)

    imported = chapters.import_module
    monkeypatch.setattr(chapters, "import_module", told)
    report(own, made)
    assert drawn == [f"workbench.reporting.{name}" for name in chapters.OF_ENERGY]
    assert (own / "report.html").read_text(encoding="utf-8") == first
