"""Tables from files, objects and folders, and what bad ones are told."""

import gzip
import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from workbench.data import columns_guess, sources
from workbench.data.columns import digest
from workbench.errors import DataError
from workbench.recipe import Data

ROWS = [
    ("Wrong invoice, again", "billing"),
    ("Parcel arrived broken", "delivery"),
    ("Größe passt nicht", "returns"),
] * 3


def data(source: dict, **more) -> Data:
    return Data.model_validate({"source": source, **more})


def read(folder: Path, source: dict, table=None, **more):
    made = data(source, **more)
    return sources.read(made.source, data=made, base=folder, table=table)


def refused(folder: Path, source: dict, table=None, **more) -> DataError:
    with pytest.raises(DataError) as caught:
        read(folder, source, table, **more)
    error = caught.value
    assert error.problem, "what is wrong"
    assert error.would_be_right, "what would be right"
    assert error.what_to_do, "what to do"
    return error


def write(path: Path, content: str | bytes, encoding: str = "utf-8") -> dict:
    path.write_bytes(content if isinstance(content, bytes) else content.encode(encoding))
    return {"path": path.name}


def delimited(delimiter: str = ",") -> str:
    lines = [delimiter.join(["text", "label"])]
    return "\n".join(lines + [delimiter.join([f'"{text}"', label]) for text, label in ROWS]) + "\n"


def test_every_format_gives_the_same_table_and_digest(tmp_path):
    table = pa.table({"text": [text for text, _ in ROWS], "label": [label for _, label in ROWS]})
    pq.write_table(table, tmp_path / "t.parquet")
    lines = "\n".join(json.dumps({"text": text, "label": label, "other": [1]}) for text, label in ROWS)
    found = [
        read(tmp_path, write(tmp_path / "t.csv", delimited())),
        read(tmp_path, write(tmp_path / "t.tsv", delimited("\t"))),
        read(tmp_path, write(tmp_path / "semicolon.csv", delimited(";"))),
        read(tmp_path, write(tmp_path / "bom.csv", b"\xef\xbb\xbf" + delimited().encode())),
        read(tmp_path, {**write(tmp_path / "old.csv", delimited(), "cp1252"), "encoding": "cp1252"}),
        read(tmp_path, {**write(tmp_path / "wide.csv", delimited(), "utf-16"), "encoding": "utf-16"}),
        read(tmp_path, write(tmp_path / "t.jsonl", lines)),
        read(tmp_path, {"path": "t.parquet"}),
        read(tmp_path, {"table": "given"}, table),
        read(tmp_path, {"table": "given"}, table.to_pandas()),
    ]
    assert {one.digest for one in found} == {found[0].digest}
    assert found[0].table.schema.types == [pa.large_string(), pa.large_string()]
    assert found[0].table["text"].to_pylist() == [text for text, _ in ROWS]
    assert found[0].described["rows"] == len(ROWS)
    assert "';' found by itself" in " ".join(found[2].described["notes"])


def test_the_digest_does_not_depend_on_chunks_and_sees_every_cell():
    whole = pa.table({"a": pa.array(["x", None, "yz"], pa.large_string())})
    pieces = pa.concat_tables([whole.slice(0, 1), whole.slice(1)])
    moved = pa.table({"a": pa.array(["xy", None, "z"], pa.large_string())})
    renamed = whole.rename_columns(["b"])
    assert digest(whole) == digest(pieces)
    assert len({digest(whole), digest(moved), digest(renamed), digest(whole.slice(0, 2))}) == 4


def test_a_datasets_dataset_gives_the_names_of_its_classes(tmp_path):
    datasets = pytest.importorskip("datasets")
    features = datasets.Features({"text": datasets.Value("string"), "label": datasets.ClassLabel(names=["no", "yes"])})
    made = datasets.Dataset.from_dict({"text": list("abcdef"), "label": [0, 1, 0, 1, -1, 1]}, features=features)
    found = read(tmp_path, {"table": "given"}, made.select([0, 1, 2, 3, 4]))
    assert found.table["label"].to_pylist() == ["no", "yes", "no", "yes", None]
    made.to_parquet(str(tmp_path / "d.parquet"))
    assert read(tmp_path, {"path": "d.parquet"}).table["label"].to_pylist()[:2] == ["no", "yes"]
    assert "splits train" in refused(tmp_path, {"table": "given"}, datasets.DatasetDict({"train": made})).problem


def test_a_local_folder_in_the_hubs_layout_is_read_by_split(tmp_path):
    folder = tmp_path / "set"
    (folder / "data").mkdir(parents=True)
    (folder / "README.md").write_text("---\nlicense: cc-by-4.0\n---\n# Set\n")
    for name, rows in (("train", ROWS), ("test", ROWS[:6])):
        table = pa.table({"text": [text for text, _ in rows], "label": [label for _, label in rows]})
        pq.write_table(table, folder / "data" / f"{name}-00000-of-00001.parquet")
    assert len(read(tmp_path, {"hub": "set"})) == 15
    found = read(tmp_path, {"hub": "set", "split": "train"})
    assert len(found) == 9
    assert found.described["licence"] == "cc-by-4.0"
    error = refused(tmp_path, {"hub": "set", "split": "dev"})
    assert "no files of the split 'dev'" in error.problem


def test_a_hub_data_set_that_is_not_here_is_refused_without_asking_the_network(tmp_path, monkeypatch):
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path))
    error = refused(tmp_path, {"hub": "nobody/nothing"})
    assert "network was not asked" in error.problem
    assert "--download" in error.what_to_do
    made = data({"hub": "nobody/nothing"})
    with pytest.raises(DataError, match="no pinned revision"):
        sources.read(made.source, data=made, base=tmp_path, download=True)


def test_quoted_newlines_empty_cells_and_numbers_are_read_as_they_are(tmp_path):
    source = write(tmp_path / "t.csv", 'text,label\n"two\nlines",1\n"a ""quoted"" word",2\nno label,\nx,1\ny,2\n')
    found = read(tmp_path, source).table.to_pydict()
    assert found["text"][:2] == ["two\nlines", 'a "quoted" word']
    assert found["label"] == ["1", "2", None, "1", "2"]


def test_whole_numbers_that_pandas_made_floats_stay_whole(tmp_path):
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame({"text": list("abcde"), "label": [1, 2, None, 1, 2], "mixed": [1, "x", None, 2.5, "y"]})
    found = read(tmp_path, {"table": "given"}, frame, slices=["mixed"]).table.to_pydict()
    assert found["label"] == ["1", "2", None, "1", "2"]
    assert found["mixed"][:3] == ["1", "x", None]


def test_a_wrong_column_name_is_answered_with_the_nearest_and_all_others(tmp_path):
    error = refused(tmp_path, write(tmp_path / "t.csv", delimited()), text="txt", label="lable")
    assert len(error.problems) == 2
    assert "Did you mean 'text'?" in error.problems[0]
    assert "'text', 'label'" in error.problems[0]
    assert "data.label" in error.problems[1]


def test_a_wrong_delimiter_is_told_with_the_right_one(tmp_path):
    error = refused(tmp_path, {**write(tmp_path / "t.csv", delimited(";")), "delimiter": ","})
    assert "';'" in error.would_be_right


@pytest.mark.parametrize(("written", "suggested"), [("cp1252", "cp1252"), ("latin-1", "latin-1"), ("utf-16", "utf-16")])
def test_a_wrong_encoding_is_told_with_a_likely_one_and_the_line(tmp_path, written, suggested):
    extra = "“quoted”,billing\n" if written == "cp1252" else ""
    error = refused(tmp_path, write(tmp_path / "t.csv", delimited().replace('"', "") + extra, written))
    assert f"encoding: {suggested}" in error.what_to_do
    assert written == "utf-16" or "line 2" in error.problem or "line 4" in error.problem


def test_a_wrong_byte_far_into_a_file_is_found(tmp_path):
    rows = "plain text,a\nother text,b\n" * 20_000
    error = refused(tmp_path, write(tmp_path / "t.csv", b"text,label\n" + rows.encode() + b"caf\xe9,a\n"))
    assert "line 40,002 has the byte 0xE9" in error.problem


def test_unknown_encodings_and_readers_are_refused(tmp_path):
    assert (
        "no encoding called 'utf-9'"
        in refused(tmp_path, {**write(tmp_path / "t.csv", delimited()), "encoding": "utf-9"}).problem
    )
    error = refused(tmp_path, {"package": "simple-icd-10-cm", "reader": "icd10"})
    assert "Did you mean 'icd10cm'?" in error.problem
    error = refused(tmp_path, {"package": "another", "reader": "icd10cm"})
    assert "simple-icd-10-cm" in error.would_be_right


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "is empty"),
        (b"\xef\xbb\xbf\n", "is empty"),
        (b"text,label\n", "no rows"),
        (b"text,label\na,x\nb,x\nc,x\n", "only the class 'x'"),
        (b"text,label\na,\nb,\n", "no label at all"),
        (b"text,label\na,1\nb,2\nc,3\nd,4\n", "4 different values in 4 labelled rows"),
        (b"text,label\na,Yes\nb,yes\nc,no\nd,no\ne,n o\nf,yes\n", "'Yes' and 'yes'"),
        (b"text,label\na\0b,x\nc,y\nd,x\ne,y\n", "NUL bytes in 1 cell (row 1)"),
        (b"text,label\na,x\nb\nc,y,z\nd,y\n", "2 rows whose number of fields"),
        (b'text,label\na,x\n"b,y\nc,x\nd,y\n', "1 row whose number of fields"),
        (b"text,label,label\na,x,x\nb,y,y\n", "2 columns called 'label'"),
    ],
)
def test_a_bad_table_is_told_what_is_wrong(tmp_path, content, said):
    error = refused(tmp_path, write(tmp_path / "t.csv", content))
    assert said in str(error)


def test_ragged_rows_are_named_by_their_number(tmp_path):
    error = refused(tmp_path, write(tmp_path / "t.csv", b"text,label\na,x\nb\nc,y,z\nd,y\n"))
    assert "rows 2, 3; the first has 1 field, the header 2" in error.problem


@pytest.mark.parametrize("megabytes", [2, 10, 20])
def test_a_huge_cell_is_refused(tmp_path, megabytes):
    content = b"text,label\nshort,x\n" + b"a " * (megabytes * 500_000) + b",y\nc,x\nd,y\n"
    error = refused(tmp_path, write(tmp_path / "t.csv", content))
    assert "row 2" in error.problem or "longer than 16 MB" in error.problem
    assert "at most 1 MB" in error.would_be_right


def test_duplicate_and_missing_ids_are_refused(tmp_path):
    source = write(tmp_path / "t.csv", "text,label,key\na,x,1\nb,y,1\nc,x,\nd,y,2\n")
    error = refused(tmp_path, source, id="key")
    assert len(error.problems) == 2
    assert "1 row of t.csv without an id" in error.problems[0]
    assert "for example 1" in error.problems[1]


def test_all_problems_are_told_at_once(tmp_path):
    source = write(tmp_path / "t.csv", "text,label,key,kind\na\0,Yes,1,k\nb,yes,1,k\nc,Yes,2,k\nd,yes,3,l\n")
    error = refused(
        tmp_path,
        source,
        id="key",
        exclude_classes=["maybe"],
        splits={"train_where": {"kind": ["kk"]}, "further_tests": {"more": {"where": {"kind": ["m"]}}}},
    )
    assert len(error.problems) == 6
    assert "6 problems" in error.problem
    assert all(
        part in str(error) for part in ("NUL", "stand in more than one row", "'kk'", "'m'", "'maybe'", "'Yes' and")
    )


def test_classes_left_out_do_not_count_as_alike(tmp_path):
    source = write(tmp_path / "t.csv", "text,label\na,Yes\nb,yes\nc,no\nd,no\ne,yes\n")
    assert len(read(tmp_path, source, exclude_classes=["Yes"])) == 5


def test_a_missing_file_is_answered_with_the_nearest_name(tmp_path):
    write(tmp_path / "tickets.csv", delimited())
    error = refused(tmp_path, {"path": "ticket.csv"})
    assert "Did you mean tickets.csv?" in error.problem
    assert "folder does not exist" in refused(tmp_path, {"path": "no/where.csv"}).problem
    write(tmp_path / "t.xlsx", b"PK")
    assert "CSV UTF-8" in refused(tmp_path, {"path": "t.xlsx"}).what_to_do


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("t.parquet", b"PAR1 cut short", "cannot be read as Parquet"),
        ("t.jsonl", b"", "is empty"),
        ("t.jsonl", b'[{"text": "a"}]', "one JSON array"),
        ("t.jsonl", b'{"text": "a", "label": "x"}\n{"text": "b"\n', "cannot be read as JSON Lines"),
        ("t.jsonl", b'{"text": "caf\xe9", "label": "x"}\n', "line 1 has the byte 0xE9"),
        ("t.jsonl", b'{"text": ["a"], "label": "x"}\n{"text": ["b"], "label": "y"}\n', "cannot be read as text"),
        ("t.jsonl", b'{"text": "a", "labels": "x"}\n', "Did you mean 'labels'?"),
    ],
)
def test_unreadable_parquet_and_json_are_refused(tmp_path, name, content, said):
    assert said in refused(tmp_path, write(tmp_path / name, content)).problem


def test_json_numbers_become_labels(tmp_path):
    lines = "\n".join(json.dumps({"text": f"row {n}", "label": n % 2}) for n in range(6))
    assert read(tmp_path, write(tmp_path / "t.jsonl", lines)).table["label"].to_pylist()[:2] == ["0", "1"]


def test_a_file_is_described_by_the_note_beside_it(tmp_path):
    source = write(tmp_path / "t.csv", delimited())
    (tmp_path / "t.csv.about.json").write_text('{"name": "Tickets", "licence": "CC0-1.0", "redistributable": true}')
    assert read(tmp_path, source).described["licence"] == "CC0-1.0"
    (tmp_path / "t.csv.about.json").write_text('{"colour": "red"}')
    assert "does not describe" in refused(tmp_path, source).problem


def test_a_table_that_was_not_given_or_is_of_no_known_kind_is_refused(tmp_path):
    assert "none was" in refused(tmp_path, {"table": "given"}).problem
    assert "builtins.list" in refused(tmp_path, {"table": "given"}, [1, 2]).problem


def test_text_and_label_columns_are_proposed():
    table = pa.table(
        {
            "nr": list(range(40)),
            "What happened": [f"a rather long text number {n}" for n in range(40)],
            "queue": ["a", "b"] * 20,
        }
    )
    assert columns_guess(table) == ("What happened", "queue")
    assert columns_guess(table.rename_columns(["label", "Text ", "queue"])) == ("Text ", "label")
    assert columns_guess(pa.table({"n": np.arange(40)})) == (None, None)


def test_a_hundred_thousand_rows_make_no_object_for_each(tmp_path):
    lines = "".join(f"ticket number {n} about something,{'abc'[n % 3]}\n" for n in range(100_000))
    found = read(tmp_path, write(tmp_path / "t.csv", "text,label\n" + lines))
    assert len(found) == 100_000
    assert found.table.nbytes < 6_000_000


def test_a_file_can_be_looked_at_before_there_is_a_recipe(tmp_path):
    write(tmp_path / "t.csv", "nr;what;queue\n1;a;x\n2;b;y\n")
    assert sources.peek(tmp_path / "t.csv").column_names == ["nr", "what", "queue"]
    write(tmp_path / "t.csv", "a,a\n1,2\n")
    with pytest.raises(DataError, match="two columns of the same name"):
        sources.peek(tmp_path / "t.csv")


def test_packed_files_are_read_and_broken_ones_refused(tmp_path):
    packed = gzip.compress(delimited().encode())
    assert len(read(tmp_path, write(tmp_path / "t.csv.gz", packed))) == 9
    assert "cannot be opened" in refused(tmp_path, write(tmp_path / "t.csv.gz", packed[:5] + b"zz")).problem
