"""What storage writes can be read back, and what it refuses it refuses in words."""

from __future__ import annotations

import hashlib
import json
import os
import time
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from safetensors.numpy import load_file

from storage_faults import leftovers, tree
from workbench import storage
from workbench.errors import RunError

posix = pytest.mark.skipif(os.name == "nt", reason="needs a POSIX system")


def test_json_is_written_sorted_and_read_back(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    value = {"b": [1, 2.5, None, True], "a": "Übung", "n": np.int64(3), "x": np.float32(0.5)}
    storage.write_json(path, value)
    assert path.read_bytes() == (
        '{\n "a": "Übung",\n "b": [\n  1,\n  2.5,\n  null,\n  true\n ],\n "n": 3,\n "x": 0.5\n}\n'.encode()
    )
    assert storage.read_json(path) == {"b": [1, 2.5, None, True], "a": "Übung", "n": 3, "x": 0.5}


@pytest.mark.parametrize("value", [float("nan"), [float("inf")], {"a": np.float32("nan")}, np.float64("-inf")])
def test_nan_never_reaches_a_json_file(value: object, tmp_path: Path) -> None:
    storage.write_json(tmp_path / "a.json", 1)
    with pytest.raises(ValueError, match="not JSON compliant"):
        storage.write_json(tmp_path / "a.json", value)
    assert tree(tmp_path) == {"a.json": b"1\n"}


@pytest.mark.parametrize("value", [object(), {1, 2}, np.arange(2), Path("a")])
def test_what_has_no_json_form_is_a_type_error_and_touches_nothing(value: object, tmp_path: Path) -> None:
    with pytest.raises(TypeError, match="has no JSON form"):
        storage.write_json(tmp_path / "a.json", value)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("content", [b"", b'{"a": 1', b"\xff\xfe", b"NaN", b"[1e5, -Infinity]", b"[" * 100_000])
def test_a_file_that_is_not_json_is_told_with_its_name(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "a.json").write_bytes(content)
    with pytest.raises(RunError, match=r"a\.json is not readable as JSON") as caught:
        storage.read_json(tmp_path / "a.json")
    assert caught.value.would_be_right
    assert caught.value.what_to_do


def test_a_missing_file_is_told_with_its_name(tmp_path: Path) -> None:
    with pytest.raises(RunError, match=r"Reading .*a\.json failed: No such file"):
        storage.read_json(tmp_path / "a.json")
    with pytest.raises(RunError, match="No such file"):
        storage.sha256_file(tmp_path / "a.json")


def test_tables_arrays_and_tensors_are_read_back_by_their_own_libraries(tmp_path: Path) -> None:
    table = pa.table({"row": pa.array([1, 2], pa.int64()), "text": pa.array(["a", None], pa.large_string())})
    storage.write_parquet(tmp_path / "a.parquet", table)
    assert pq.read_table(tmp_path / "a.parquet").equals(table)
    tensors = {"w": np.arange(6, dtype=np.float32).reshape(2, 3).T, "b": np.zeros(0, np.float32)}
    storage.write_tensors(tmp_path / "a.safetensors", tensors)
    loaded = load_file(tmp_path / "a.safetensors")
    assert {name: array.tolist() for name, array in loaded.items()} == {n: a.tolist() for n, a in tensors.items()}


@pytest.mark.parametrize(
    "array",
    [
        np.arange(12, dtype=np.float32).reshape(3, 4),
        np.arange(12.0).reshape(3, 4).T,
        np.arange(12)[::2],
        np.array(3.5),
        np.zeros((0, 384), np.float32),
        np.array([True, False]),
        np.array(["2026-01-01"], "datetime64[D]"),
        np.arange(3, dtype=">i4"),
        np.array([(1, 2.0)], [("a", "i4"), ("b", "f8")]),
    ],
    ids=lambda array: f"{array.dtype}{array.shape}",
)
def test_an_array_is_read_back_as_it_was(array: np.ndarray, tmp_path: Path) -> None:
    storage.write_array(tmp_path / "a.npy", array)
    loaded = np.load(tmp_path / "a.npy", allow_pickle=False)
    assert (loaded.shape, loaded.dtype) == (array.shape, array.dtype)
    assert loaded.tolist() == array.tolist()
    if array.size:
        assert np.load(tmp_path / "a.npy", mmap_mode="r").tolist() == array.tolist()


def test_python_objects_are_never_pickled(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="pickled"):
        storage.write_array(tmp_path / "a.npy", np.array([{}], dtype=object))
    assert list(tmp_path.iterdir()) == []


def test_a_long_file_has_the_digest_of_its_content(tmp_path: Path) -> None:
    data = os.urandom(3_000_001)
    storage.write_chunks(tmp_path / "a", (data[at : at + 1000] for at in range(0, len(data), 1000)))
    assert storage.sha256_file(tmp_path / "a") == hashlib.sha256(data).hexdigest()


@pytest.mark.parametrize("line", ["a\nb", "a\0b", "\n"])
def test_a_line_that_would_be_two_is_refused(line: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="line end or a NUL"):
        storage.append_line(tmp_path / "log", line)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("sync", [True, False])
def test_lines_come_out_in_order(sync: bool, tmp_path: Path) -> None:
    for number in range(5):
        storage.append_line(tmp_path / "logs" / "log", f"é{number}", sync=sync)
    assert (tmp_path / "logs" / "log").read_text(encoding="utf-8").splitlines() == [f"é{n}" for n in range(5)]


@pytest.mark.parametrize(
    ("content", "whole"),
    [
        (b"", b""),
        (b"a\nb\n", b"a\nb\n"),
        (b"a\nb", b"a\n"),
        (b"no end", b""),
        (b"x" * 200_000, b""),
        (b"a\n" + b"x" * 200_000, b"a\n"),
        (b"a\n\0\0\0\0", b"a\n"),
        (b"a\n\0\0\0\n", b"a\n"),
        (b"a\n\0\n{}\0\n", b"a\n"),
        (b"\0\n", b""),
    ],
)
def test_a_torn_last_line_is_cut_off_and_counted(content: bytes, whole: bytes, tmp_path: Path) -> None:
    (tmp_path / "log").write_bytes(content)
    assert storage.repair_lines(tmp_path / "log") == len(content) - len(whole)
    assert (tmp_path / "log").read_bytes() == whole
    assert storage.repair_lines(tmp_path / "log") == 0


def test_a_log_that_is_not_there_needs_no_repair(tmp_path: Path) -> None:
    assert storage.repair_lines(tmp_path / "log") == 0
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["a:b", "what?", "con", "NUL.txt", "com1.json", "a.", "a ", "a\tb", "x" * 256, 'a"b'])
def test_a_name_that_some_systems_cannot_store_is_refused_everywhere(name: str, tmp_path: Path) -> None:
    for write in (
        lambda path: storage.write_text(path, ""),
        lambda path: storage.append_line(path, ""),
        lambda path: storage.copy_tree(tmp_path / "none", path),
        lambda path: storage.Lock(path).acquire(),
    ):
        with pytest.raises(RunError) as caught:
            write(tmp_path / name)
        assert "some systems cannot store it" in caught.value.problem or "No such file" in caught.value.problem
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["control.json", "com10", "a b", "naïve-模型.txt", ".lock", "x" * 255, "console"])
def test_an_unusual_but_portable_name_is_taken(name: str, tmp_path: Path) -> None:
    storage.write_text(tmp_path / name, "a")
    assert (tmp_path / name).read_text() == "a"


def test_a_file_in_the_way_of_a_folder_is_told_and_kept(tmp_path: Path) -> None:
    storage.write_text(tmp_path / "a", "kept")
    for write in (lambda: storage.write_text(tmp_path / "a" / "b", ""), lambda: storage.make_folder(tmp_path / "a")):
        with pytest.raises(RunError, match=r"failed: (File exists|Not a directory)"):
            write()
    storage.make_folder(tmp_path / "folder")
    with pytest.raises(RunError, match="folder failed"):
        storage.write_text(tmp_path / "folder", "")
    assert tree(tmp_path) == {"a": b"kept"}
    assert leftovers(tmp_path) == []


def test_a_committed_folder_takes_its_name_only_at_the_end(tmp_path: Path) -> None:
    with storage.commit_folder(tmp_path / "models" / "student") as folder:
        storage.write_text(folder / "inner" / "a", "1")
        (folder / "b").write_text("2")
        assert not (tmp_path / "models" / "student").exists()
        assert folder.parent == tmp_path / "models"
    assert tree(tmp_path) == {"models/student/inner/a": b"1", "models/student/b": b"2"}


def test_a_folder_whose_filling_fails_leaves_nothing_and_lets_the_error_through(tmp_path: Path) -> None:
    def fill() -> None:
        with storage.commit_folder(tmp_path / "made") as folder:
            (folder / "a").write_text("half")
            raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        fill()
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_exists_is_replaced_only_when_that_was_asked_for(tmp_path: Path) -> None:
    storage.write_text(tmp_path / "made" / "old", "1")
    with pytest.raises(RunError, match="exists already"), storage.commit_folder(tmp_path / "made"):
        pytest.fail("the block must not start")
    with storage.commit_folder(tmp_path / "made", replace=True) as folder:
        storage.write_text(folder / "new", "2")
    assert tree(tmp_path) == {"made/new": b"2"}
    assert leftovers(tmp_path) == []


def test_a_folder_that_appeared_meanwhile_is_kept(tmp_path: Path) -> None:
    def commit_late() -> None:
        with storage.commit_folder(tmp_path / "made"):
            storage.write_text(tmp_path / "made" / "first", "1")

    with pytest.raises(RunError, match="exists already"):
        commit_late()
    assert tree(tmp_path) == {"made/first": b"1"}
    assert leftovers(tmp_path) == []


@posix
def test_links_are_copied_as_files_and_removed_as_links(tmp_path: Path) -> None:
    storage.write_text(tmp_path / "blobs" / "b", "weights")
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "w").symlink_to(tmp_path / "blobs" / "b")
    storage.copy_tree(tmp_path / "model", tmp_path / "copy")
    assert not (tmp_path / "copy" / "w").is_symlink()
    (tmp_path / "model" / "folder").symlink_to(tmp_path / "blobs")
    with pytest.raises(RunError, match="link to a folder"):
        storage.copy_tree(tmp_path / "model", tmp_path / "second")
    storage.remove_tree(tmp_path / "model")
    assert tree(tmp_path) == {"blobs/b": b"weights", "copy/w": b"weights"}


def test_a_folder_is_not_copied_into_itself(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="lies inside"):
        storage.copy_tree(tmp_path, tmp_path / "copy")
    with pytest.raises(RunError, match="No such file"):
        storage.copy_tree(tmp_path / "none", tmp_path / "copy")
    assert list(tmp_path.iterdir()) == []


def test_removing_what_is_not_there_is_fine(tmp_path: Path) -> None:
    storage.remove_tree(tmp_path / "none" / "none")
    storage.remove_file(tmp_path / "none" / "none")
    assert storage.sweep(tmp_path / "none") == 0


def test_a_sweep_touches_only_names_that_storage_gives(tmp_path: Path) -> None:
    mine = [".tmp", ".tmp-notes", ".tmp-0123456789ABCDEF", "a.tmp-0123456789abcdef", ".tmp-0123456789abcdef0"]
    for name in mine:
        storage.write_text(tmp_path / "deep" / name, "mine")
    (tmp_path / "deep" / ".tmp-0123456789abcdef").write_text("not finished")
    (tmp_path / ".tmp-0123456789abcdef").mkdir()
    (tmp_path / ".tmp-0123456789abcdef" / "a").write_text("not finished")
    assert storage.sweep(tmp_path) == 2
    assert sorted(path.name for path in (tmp_path / "deep").iterdir()) == sorted(mine)


def test_a_sweep_of_a_shared_folder_leaves_the_young_alone(tmp_path: Path) -> None:
    young, old = tmp_path / ".tmp-0123456789abcdef", tmp_path / ".tmp-fedcba9876543210"
    for folder in (young, old):
        folder.mkdir()
        (folder / "a").write_text("")
    hour_ago = time.time() - 3600
    for path in (old / "a", old, young):
        os.utime(path, (hour_ago, hour_ago))
    assert storage.sweep(tmp_path, older_than_s=600) == 1
    assert list(tmp_path.iterdir()) == [young]


def test_a_removed_folder_is_not_brought_back_by_a_sweep(tmp_path: Path) -> None:
    storage.write_text(tmp_path / "made" / "a", "new")
    storage.write_text(tmp_path / ".tmp-0123456789abcdef-was-made" / "a", "older")
    storage.remove_tree(tmp_path / "made")
    storage.sweep(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_free_space_is_told_for_paths_that_are_not_there_yet(tmp_path: Path) -> None:
    assert storage.free_bytes(tmp_path / "not" / "yet") > 0


def test_storage_is_imported_without_heavy_libraries(tmp_path: Path) -> None:
    import subprocess
    import sys

    source = "import sys, workbench.storage; print([n for n in ('numpy', 'pyarrow', 'torch') if n in sys.modules])"
    done = subprocess.run([sys.executable, "-c", source], capture_output=True, text=True, check=True)
    assert json.loads(done.stdout.replace("'", '"')) == []
