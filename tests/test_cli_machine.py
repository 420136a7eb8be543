"""``doctor`` and ``lab``: what is there, and what would be started."""

from __future__ import annotations

import json
from importlib import metadata
from pathlib import Path

import pytest

from workbench.cli import lab, machine


def test_doctor_looks_at_everything_and_leaves_nothing_behind(workbench, tmp_path):
    answer = workbench("doctor", "--runs", tmp_path / "runs", "--json")
    assert answer.status == 0, answer.told
    seen = {finding["what"] for finding in answer.json["findings"]}
    assert {"Python", "processor", "memory", "bf16", "folder for runs", "disk", "package", "weights", "network"} <= seen
    assert list(tmp_path.iterdir()) == []


def test_doctor_says_no_with_status_1_where_runs_cannot_be_written(workbench, tmp_path):
    (tmp_path / "runs").write_text("a file in the way", encoding="utf-8")
    answer = workbench("doctor", "--runs", tmp_path / "runs", "--json")
    assert answer.status == 1
    assert answer.json["ok"] is False


def test_a_missing_extra_is_named_with_the_packages_and_the_line_that_installs_it(monkeypatch):
    declared = [
        "numpy>=2",
        'no-such-package-here>=1; extra == "train"',
        'specialist-workbench[train]; extra == "lora"',
        'numpy>=9999; extra == "minilm"',
    ]
    monkeypatch.setattr(metadata, "requires", lambda _: declared)
    monkeypatch.setattr(machine, "DISTRIBUTION", "specialist-workbench")
    versions = metadata.version
    monkeypatch.setattr(metadata, "version", lambda name: "0.1" if name == "specialist-workbench" else versions(name))
    found = {finding.what: finding for finding in machine.extras()}
    assert found["train"].state == "missing"
    assert "no-such-package-here>=1" in found["train"].found
    assert "[train]" in found["train"].to_do
    assert "no-such-package-here>=1" in found["lora"].found
    assert "numpy>=9999" in found["minilm"].found
    assert found["icd10"].state == "good"


@pytest.mark.slow
def test_lab_copies_notebooks_once_and_never_replaces_yours(workbench, tmp_path):
    pytest.importorskip("jupyterlab", reason="the extra lab is not installed")
    folder = tmp_path / "notebooks"
    first = workbench("lab", "--folder", folder, "--json")
    assert first.status == 0, first.told
    assert first.json["copied"] == sorted(path.name for path in folder.glob("*.ipynb"))
    for notebook in folder.glob("*.ipynb"):
        notebook.write_text("mine", encoding="utf-8")
    assert workbench("lab", "--folder", folder, "--json").json["copied"] == []
    assert {path.read_text(encoding="utf-8") for path in folder.glob("*.ipynb")} <= {"mine"}


def test_lab_listens_on_this_machine_only_and_asks_no_registry(tmp_path):
    command = lab.lab_command(tmp_path / "notebooks", browser=False)
    assert "--ServerApp.ip=127.0.0.1" in command
    assert "--LabApp.extension_manager=readonly" in command


def test_lab_switches_off_news_and_update_checks():
    overrides = Path(lab.SETTINGS) / "labconfig" / "default_setting_overrides.json"
    said = json.loads(overrides.read_text(encoding="utf-8"))["@jupyterlab/apputils-extension:notification"]
    assert said["fetchNews"] == "false"
    assert said["checkForUpdates"] is False


def test_the_app_is_the_guide_in_the_current_folder_on_this_machine_only(workbench, monkeypatch, tmp_path):
    pytest.importorskip("voila", reason="the extra app is not installed")
    monkeypatch.chdir(tmp_path)
    answer = workbench("app", "--no-browser", "--port", 9001, "--json")
    assert answer.status == 0, answer.told
    assert answer.json["folder"] == str(tmp_path)
    command = answer.json["command"]
    assert {"--Voila.ip=127.0.0.1", "--Voila.port=9001", "--Voila.auto_token=True"} <= set(command)
    assert "--Voila.open_browser=False" in command
    notebook = json.loads(Path(answer.json["notebook"]).read_text(encoding="utf-8"))
    assert "Guide()" in "".join(notebook["cells"][0]["source"])
    assert list(tmp_path.iterdir()) == []


def test_without_voila_the_extra_is_named(workbench, monkeypatch):
    monkeypatch.setattr(lab.util, "find_spec", lambda _: None)
    answer = workbench("app")
    assert answer.status == 2
    assert "specialist-workbench[app]" in answer.told


def test_without_jupyterlab_the_extra_is_named(workbench, monkeypatch, tmp_path):
    monkeypatch.setattr(lab.util, "find_spec", lambda _: None)
    answer = workbench("lab", "--folder", tmp_path / "notebooks")
    assert answer.status == 2
    assert "specialist-workbench[lab]" in answer.told
