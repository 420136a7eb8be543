"""Checkpoints: bit for bit, verified before use, and never garbage after a crash at any moment."""

from __future__ import annotations

import errno
import hashlib
import json
import random
import shutil
import subprocess

import numpy as np
import pytest

from storage_faults import Crash, Faults, leftovers
from workbench.errors import RunError
from workbench.training.checkpoints import Checkpoints, random_state, restore_random_state

torch = pytest.importorskip("torch", reason="the extra train is not installed")
pytest.importorskip("safetensors", reason="the extra train is not installed")

FILES = ("tensors.safetensors", "state.json", "SHA256SUMS")


@pytest.fixture(autouse=True)
def _no_waiting_for_the_platter(monkeypatch):
    monkeypatch.setattr("os.fsync", lambda descriptor: None)


@pytest.fixture
def told():
    return []


@pytest.fixture
def checkpoints(tmp_path, told):
    return Checkpoints(tmp_path / "checkpoints", tell=told.append)


def some_tensors(seed=0):
    generator = torch.Generator().manual_seed(seed)
    return {
        "weight": torch.randn(3, 5, generator=generator),
        "half": torch.randn(7, generator=generator).to(torch.bfloat16),
        "rows": torch.randint(-(2**62), 2**62, (4,), generator=generator),
        "bytes": torch.randint(0, 256, (11,), generator=generator, dtype=torch.uint8),
        "step": torch.tensor(3.0),
        "nothing": torch.zeros(0, 4),
        "across": torch.randn(6, 2, generator=generator).T,
        "odd": torch.tensor([float("nan"), float("inf"), -0.0]),
        "kept": torch.tensor([True, False, True]),
        "trained": torch.nn.Parameter(torch.randn(2, generator=generator)),
    }


def bits(tensors):
    return {
        name: (tensor.dtype, tuple(tensor.shape), tensor.detach().contiguous().reshape(-1).view(torch.uint8).tolist())
        for name, tensor in tensors.items()
    }


def saved(checkpoints, *steps):
    for step in steps:
        checkpoints.save(step, some_tensors(step), {"epoch": step})


def folder_of(checkpoints, step):
    return checkpoints.folder / f"step-{step:010d}.1"


def test_what_was_saved_comes_back_bit_for_bit(checkpoints):
    state = {"best": 0.1 + 0.2, "loss": None, "list": [1, 2.5, "Schlüssel"], "deep": {"big": 2**60}}
    checkpoints.save(12, some_tensors(), state)
    found = checkpoints.newest()
    assert (found.step, found.state, found.folder) == (12, state, folder_of(checkpoints, 12))
    assert bits(found.tensors) == bits(some_tensors())


def test_what_was_loaded_does_not_depend_on_the_file(checkpoints):
    saved(checkpoints, 1)
    found = checkpoints.newest()
    checkpoints.clear()
    assert bits(found.tensors) == bits(some_tensors(1))
    found.tensors["weight"] += 1


def test_the_files_are_readable_without_this_package(checkpoints):
    from safetensors.torch import load_file

    saved(checkpoints, 5)
    folder = folder_of(checkpoints, 5)
    assert sorted(path.name for path in folder.iterdir()) == sorted(FILES)
    assert bits(load_file(folder / "tensors.safetensors")) == bits(some_tensors(5))
    assert json.loads((folder / "state.json").read_text()) == {"format": 1, "step": 5, "state": {"epoch": 5}}
    if shutil.which("sha256sum"):
        subprocess.run(["sha256sum", "--check", "--strict", "SHA256SUMS"], cwd=folder, check=True)


def test_a_checkpoint_without_tensors_or_state_is_one(checkpoints):
    checkpoints.save(0, {}, {})
    found = checkpoints.newest()
    assert (found.step, found.tensors, found.state) == (0, {}, {})


def test_there_is_none_before_the_first_and_after_clearing(checkpoints, told):
    assert checkpoints.newest() is None
    checkpoints.clear()
    saved(checkpoints, 1)
    checkpoints.clear()
    assert checkpoints.newest() is None
    assert not checkpoints.folder.exists()
    saved(checkpoints, 1)
    assert checkpoints.newest().step == 1
    assert told == []


def test_the_two_newest_are_kept_in_the_order_of_their_numbers(checkpoints):
    saved(checkpoints, 9, 10, 99, 100, 1000)
    assert sorted(checkpoints.folder.iterdir()) == [folder_of(checkpoints, 100), folder_of(checkpoints, 1000)]
    assert checkpoints.newest().step == 1000


def test_as_many_are_kept_as_was_asked_for(tmp_path):
    for keep in (1, 3):
        checkpoints = Checkpoints(tmp_path / str(keep), keep=keep)
        saved(checkpoints, 1, 2, 3, 4)
        assert len(list(checkpoints.folder.iterdir())) == keep
    with pytest.raises(ValueError, match="at least 1"):
        Checkpoints(tmp_path, keep=0)


def test_only_whole_ones_count_among_those_that_are_kept(checkpoints, told):
    saved(checkpoints, 1, 2)
    (folder_of(checkpoints, 2) / "state.json").write_text("{}")
    again = Checkpoints(checkpoints.folder, tell=told.append)
    saved(again, 3)
    assert sorted(again.folder.iterdir()) == [folder_of(again, 1), folder_of(again, 3)]


def test_a_step_saved_again_is_the_newest(checkpoints):
    checkpoints.save(4, some_tensors(1), {"which": "first"})
    checkpoints.save(4, some_tensors(2), {"which": "second"})
    found = checkpoints.newest()
    assert (found.step, found.state) == (4, {"which": "second"})
    assert bits(found.tensors) == bits(some_tensors(2))


def test_saving_gives_up_what_has_a_higher_step(checkpoints):
    saved(checkpoints, 10, 20, 15)
    assert checkpoints.newest().step == 15
    assert sorted(checkpoints.folder.iterdir()) == [folder_of(checkpoints, 10), folder_of(checkpoints, 15)]


def half(file):
    file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])


def emptied(file):
    file.write_bytes(b"")


def flipped(file):
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(content)


def lengthened(file):
    file.write_bytes(file.read_bytes() + b"\n")


def missing(file):
    file.unlink()


def a_folder(file):
    file.unlink()
    file.mkdir()


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("damage", [half, emptied, flipped, missing, a_folder])
def test_a_damaged_one_is_passed_over_and_that_is_told(checkpoints, told, damage, name):
    saved(checkpoints, 1, 2)
    damage(folder_of(checkpoints, 2) / name)
    assert Checkpoints(checkpoints.folder).newest().step == 1
    found = checkpoints.newest()
    assert found.step == 1
    assert bits(found.tensors) == bits(some_tensors(1))
    assert len(told) == 1
    assert told[0].startswith("The checkpoint step-0000000002.1 was passed over: ")
    assert name in told[0]
    assert told[0].endswith("The one of step 1 is used.")


@pytest.mark.parametrize("name", FILES[:2])
def test_a_line_too_many_is_damage_too(checkpoints, told, name):
    saved(checkpoints, 1, 2)
    lengthened(folder_of(checkpoints, 2) / name)
    assert checkpoints.newest().step == 1
    assert len(told) == 1


def test_every_flipped_byte_is_noticed(checkpoints, told):
    checkpoints.save(1, {"a": torch.arange(2.0)}, {"b": 1})
    for name in FILES:
        file = folder_of(checkpoints, 1) / name
        whole = file.read_bytes()
        for place in range(len(whole)):
            file.write_bytes(whole[:place] + bytes([whole[place] ^ 4]) + whole[place + 1 :])
            assert checkpoints.newest() is None, f"{name}, byte {place}"
        file.write_bytes(whole)
    assert checkpoints.newest().step == 1


def test_with_only_damaged_ones_there_is_none_and_each_is_told(checkpoints, told):
    saved(checkpoints, 1, 2)
    for step in (1, 2):
        flipped(folder_of(checkpoints, step) / "tensors.safetensors")
    assert checkpoints.newest() is None
    assert len(told) == 2
    assert all("starts anew" in sentence for sentence in told)
    saved(checkpoints, 1)
    assert checkpoints.newest().step == 1
    assert len(list(checkpoints.folder.iterdir())) == 1


def test_a_folder_that_was_renamed_is_not_taken_for_another_step(checkpoints, told):
    saved(checkpoints, 1)
    folder_of(checkpoints, 1).rename(folder_of(checkpoints, 7))
    assert checkpoints.newest() is None
    assert "it says to be of step 1" in told[0]


def rewritten(folder, **changes):
    """Change the state file and make the digests agree, as another version of this package would."""
    file = folder / "state.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | changes))
    lines = [f"{hashlib.sha256((folder / name).read_bytes()).hexdigest()}  {name}\n" for name in FILES[:2]]
    (folder / "SHA256SUMS").write_text("".join(lines))


def test_a_newer_format_is_refused_in_three_parts(checkpoints, told):
    saved(checkpoints, 1, 2)
    rewritten(folder_of(checkpoints, 2), format=2)
    with pytest.raises(RunError, match="format 2") as refused:
        checkpoints.newest()
    assert "up to 1" in refused.value.problem
    assert refused.value.would_be_right
    assert "pip install --upgrade" in refused.value.what_to_do
    assert told == []


def test_what_a_killed_process_left_confuses_nothing_and_is_swept_by_the_next_save(checkpoints, told):
    saved(checkpoints, 1)
    left = checkpoints.folder / ".tmp-0123456789abcdef"
    shutil.copytree(folder_of(checkpoints, 1), left)
    (checkpoints.folder / "notes.txt").write_text("mine")
    again = Checkpoints(checkpoints.folder, tell=told.append)
    assert again.newest().step == 1
    assert left.exists(), "reading changes nothing"
    saved(again, 2)
    assert not left.exists()
    assert sorted(path.name for path in again.folder.iterdir()) == [
        "notes.txt",
        "step-0000000001.1",
        "step-0000000002.1",
    ]
    assert told == []


def test_what_cannot_be_saved_leaves_what_was_there(checkpoints):
    saved(checkpoints, 1)
    for error, tensors, state in (
        (ValueError, {}, {"loss": float("nan")}),
        (TypeError, {}, {"object": object()}),
        (TypeError, {"odd": torch.zeros(2, dtype=torch.complex64)}, {}),
        (TypeError, {"sparse": torch.eye(2).to_sparse()}, {}),
    ):
        with pytest.raises(error):
            checkpoints.save(2, tensors, state)
    with pytest.raises(ValueError, match="0 or more"):
        checkpoints.save(-1, {}, {})
    assert leftovers(checkpoints.folder) == []
    assert checkpoints.newest().step == 1


@pytest.mark.parametrize("error", [None, errno.ENOSPC, errno.EIO], ids=["crash", "ENOSPC", "EIO"])
@pytest.mark.parametrize("before", [(), (5,), (5, 6), (7,), (5, 9)], ids=str)
def test_a_fault_at_any_operation_of_a_save_leaves_the_old_or_the_new(tmp_path, error, before):
    for at in range(1, 1000):
        told, home = [], tmp_path / str(at)
        saved(Checkpoints(home), *before)
        faults = Faults(at, error)
        try:
            with faults.injected():
                Checkpoints(home).save(7, some_tensors(70), {"epoch": 70})
        except (Crash, RunError):
            assert faults.fired
        found = Checkpoints(home, tell=told.append).newest()
        assert told == [], "what is not whole has no name"
        kinds = {step: (step, bits(some_tensors(step))) for step in before}
        kinds |= {70: (7, bits(some_tensors(70)))}
        old = [kinds[max(before)]] if before else [None]
        seen = (found.step, bits(found.tensors)) if found else None
        assert seen in [*old, kinds[70]]
        if not faults.fired:
            assert seen == kinds[70]
            assert at > 10
            break
        saved(Checkpoints(home), 8)
        assert Checkpoints(home).newest().step == 8
        assert leftovers(home) == []
    else:
        pytest.fail("no end of operations")


@pytest.mark.parametrize("torn", [0, 1, 40])
def test_a_torn_write_leaves_the_old(tmp_path, torn):
    for at in range(1, 100):
        home = tmp_path / str(at)
        saved(Checkpoints(home), 1)
        faults = Faults(at, None, torn=torn)
        try:
            with faults.injected():
                Checkpoints(home).save(2, some_tensors(2), {"epoch": 2})
        except Crash:
            assert Checkpoints(home).newest().step == 1
        else:
            assert Checkpoints(home).newest().step == 2
            assert at > 3
            return
    pytest.fail("no end of writes")


def test_a_crash_while_clearing_leaves_whole_ones_or_none(tmp_path):
    for at in range(1, 100):
        told, home = [], tmp_path / str(at) / "checkpoints"
        saved(Checkpoints(home), 1, 2)
        faults = Faults(at, None)
        try:
            with faults.injected():
                Checkpoints(home).clear()
        except Crash:
            assert faults.fired
        found = Checkpoints(home, tell=told.append).newest()
        assert found is None or found.step == 2
        assert told == []
        if not faults.fired:
            assert not home.exists()
            return
    pytest.fail("no end of operations")


def drawn():
    return (
        [random.random(), random.gauss(0, 1), random.getrandbits(70)],  # noqa: S311  (no secret)
        np.random.normal(size=3).tolist(),
        torch.randn(5).tolist(),
        torch.nn.functional.dropout(torch.ones(50), 0.5).tolist(),
    )


def test_all_random_generators_go_on_where_they_were(checkpoints):
    random.seed(1)
    np.random.seed(2)
    torch.manual_seed(3)
    drawn()  # an odd number of normal values: one of a pair waits in each generator
    tensors, state = random_state()
    checkpoints.save(1, {"weight": torch.zeros(2), **tensors}, {"random": state})
    expected = drawn()
    assert drawn() != expected
    found = checkpoints.newest()
    restore_random_state(found.tensors, found.state["random"])
    assert drawn() == expected
    restore_random_state(tensors, state)
    assert drawn() == expected


def test_reading_the_random_state_does_not_change_it():
    random_state()
    first, _ = random_state()
    second, _ = random_state()
    assert all(torch.equal(first[name], second[name]) for name in first)
