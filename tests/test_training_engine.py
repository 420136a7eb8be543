"""The one loop: the order of rows, exact resume, early stopping, and what it refuses."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from workbench.data.table import Labelled
from workbench.errors import ModelError, Stopped
from workbench.models.tokens import Tokens, open_tokenizer
from workbench.models.transformer import open_classifier
from workbench.models.weights import check_folder
from workbench.recipe import Tuning
from workbench.runs import Event, Measured
from workbench.training import Watch
from workbench.training.batching import Examples, epoch_batches
from workbench.training.engine import Trained, predict_logits, train
from workbench.training.finetuning import labelled_examples
from workbench.training.networks import SequenceNetwork
from workbench.training.optimising import rate_share

CLASSES = ("heart", "infection", "injury")
SHORT = Tuning(epochs=3, batch_size=16, learning_rate=1e-3, checkpoint_seconds=0, patience=0)

SLOW = pytest.mark.slow


@pytest.fixture(autouse=True, scope="module")
def _one_thread():
    """So small a network gains nothing from two, and waits for the second on a busy machine."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def examples(tiny_encoder: Path, phrases) -> Examples:
    import pyarrow as pa

    texts, labels = phrases
    rows = Labelled(np.arange(100, 340), pa.array(texts, pa.large_string()), labels, None, {})
    return labelled_examples(open_tokenizer(tiny_encoder / "tokenizer.json", 64), rows, 3)


def first(examples: Examples, count: int) -> Examples:
    ends = examples.tokens.lengths[:count].sum()
    tokens = Tokens(examples.tokens.ids[:ends], examples.tokens.lengths[:count], examples.tokens.truncated[:count])
    return Examples(tokens, examples.targets[:count], examples.weights[:count], examples.rows[:count])


def network(tiny_encoder: Path) -> SequenceNetwork:
    torch.manual_seed(7)
    return SequenceNetwork(open_classifier(check_folder(tiny_encoder), CLASSES).requires_grad_(True))


def weights(of: torch.nn.Module) -> dict[str, bytes]:
    return {name: value.numpy().tobytes() for name, value in of.state_dict().items()}


class Killed(Exception):  # noqa: N818
    """Stands for the end of a process, at any event."""


def killed_at(count: int):
    told: list[Event] = []

    def listen(event: Event) -> None:
        told.append(event)
        if len(told) == count:
            raise Killed

    return listen


def test_the_order_is_a_function_of_seed_and_epoch_and_holds_every_row_once():
    lengths = np.random.default_rng(0).integers(3, 40, 1000)
    one, again, later, other = (
        epoch_batches(lengths, 32, seed=seed, epoch=epoch) for seed, epoch in ((1, 0), (1, 0), (1, 1), (2, 0))
    )
    assert [list(rows) for rows in one] == [list(rows) for rows in again]
    assert [list(rows) for rows in one] != [list(rows) for rows in later]
    assert [list(rows) for rows in one] != [list(rows) for rows in other]
    assert sorted(np.concatenate(one)) == list(range(1000))


def test_batches_hold_rows_of_like_length_so_that_little_is_padded():
    lengths = np.random.default_rng(0).integers(3, 40, 5000)
    batches = epoch_batches(lengths, 32, seed=0, epoch=0)
    padded = sum(lengths[rows].max() * len(rows) for rows in batches)
    assert padded / lengths.sum() < 1.03


def test_the_step_size_rises_then_falls_to_nothing():
    shares = [rate_share(step, 100, 0.1) for step in range(100)]
    assert shares[:10] == sorted(shares[:10])
    assert max(shares) == pytest.approx(1.0)
    assert shares[10:] == sorted(shares[10:], reverse=True)
    assert 0 < shares[-1] < 0.02


@pytest.mark.slow
def test_training_learns(tiny_encoder: Path, examples: Examples):
    net = network(tiny_encoder)
    train(net, first(examples, 180), SHORT.model_copy(update={"epochs": 20}))
    logits = predict_logits(net, examples)[180:]
    assert (logits.argmax(axis=1) == examples.targets[180:].argmax(axis=1)).mean() > 0.9


@pytest.mark.slow
def test_the_same_seed_gives_the_same_weights_and_another_one_others(tiny_encoder: Path, examples: Examples):
    made = []
    for seed in (0, 0, 1):
        net = network(tiny_encoder)
        train(net, examples, SHORT, seed=seed)
        made.append(weights(net))
    assert made[0] == made[1]
    assert made[0] != made[2]


@pytest.fixture(scope="module", params=["fp32", "bf16"])
def undisturbed(request: pytest.FixtureRequest, tiny_encoder: Path, examples: Examples):
    """Settings with everything that a checkpoint has to keep, and the end of a training that nobody stopped."""
    settings = SHORT.model_copy(update={"precision": request.param, "patience": 1, "accumulate": 2})
    trained = network(tiny_encoder)
    expected = train(trained, first(examples, 200), settings, validation=first(examples, 60), seed=3)
    return settings, expected, weights(trained)


@pytest.mark.parametrize("events", [3, 15, *(pytest.param(one, marks=SLOW) for one in (14, 16, 40))])
def test_training_that_was_killed_goes_on_to_the_very_same_weights(
    tiny_encoder: Path, examples: Examples, tmp_path: Path, undisturbed: tuple[Tuning, Trained, Any], events: int
):
    settings, expected, its_weights = undisturbed
    train_rows, held_out = first(examples, 200), first(examples, 60)
    stopped = network(tiny_encoder)
    with pytest.raises(Killed):
        train(
            stopped, train_rows, settings, validation=held_out, seed=3, watch=Watch(killed_at(events), folder=tmp_path)
        )
    told: list[str] = []
    resumed = network(tiny_encoder)
    found = train(
        resumed, train_rows, settings, validation=held_out, seed=3, watch=Watch(folder=tmp_path, tell=told.append)
    )
    assert weights(resumed) == its_weights
    assert (found.steps, found.losses, found.rows) == (expected.steps, expected.losses, expected.rows)
    assert found.resumed_at > 0 or events == 3
    assert any("goes on from step" in sentence for sentence in told) == (found.resumed_at > 0)


def test_asking_to_stop_writes_a_checkpoint_first(tiny_encoder: Path, examples: Examples, tmp_path: Path):
    settings = SHORT.model_copy(update={"checkpoint_seconds": 1e6})
    with pytest.raises(Stopped):
        train(network(tiny_encoder), examples, settings, watch=Watch(stop=lambda: True, folder=tmp_path))
    assert train(network(tiny_encoder), examples, settings, watch=Watch(folder=tmp_path)).resumed_at == 1


@pytest.mark.slow
def test_a_checkpoint_of_other_settings_is_not_used(tiny_encoder: Path, examples: Examples, tmp_path: Path):
    train(network(tiny_encoder), examples, SHORT, watch=Watch(folder=tmp_path))
    told: list[str] = []
    other = SHORT.model_copy(update={"learning_rate": 2e-3})
    assert train(network(tiny_encoder), examples, other, watch=Watch(folder=tmp_path, tell=told.append)).resumed_at == 0
    assert "another training" in told[0]


@pytest.mark.slow
def test_embeddings_that_do_not_occur_stay_and_the_rest_learn_as_with_the_whole_table(
    tiny_encoder: Path, examples: Examples, monkeypatch: pytest.MonkeyPatch
):
    from contextlib import nullcontext

    before = network(tiny_encoder).model.get_input_embeddings().weight.detach().clone()
    compact, whole = network(tiny_encoder), network(tiny_encoder)
    train(compact, examples, SHORT)
    monkeypatch.setattr("workbench.training.engine.only_used_tokens", lambda _encoder, _pad, sets: nullcontext(sets))
    train(whole, examples, SHORT)
    for (name, one), (_, other) in zip(compact.named_parameters(), whole.named_parameters(), strict=True):
        assert torch.allclose(one, other, atol=2e-6), name
    after = compact.model.get_input_embeddings().weight.detach()
    used = np.unique(examples.tokens.ids)
    unused = np.setdiff1d(np.arange(len(before)), used)
    assert torch.equal(after[unused], before[unused])
    assert not torch.equal(after[used], before[used])


def test_early_stopping_keeps_the_best_epoch(tiny_encoder: Path, examples: Examples):
    wrong = first(examples, 60)
    turned = Examples(wrong.tokens, np.roll(wrong.targets, 1, axis=1), wrong.weights, wrong.rows)
    net = network(tiny_encoder)
    settings = SHORT.model_copy(update={"epochs": 12, "patience": 2, "learning_rate": 3e-3})
    found: Trained = train(net, examples, settings, validation=turned)
    assert found.epochs < 12
    assert found.best_epoch == int(np.argmin(found.losses)) + 1
    kept = predict_logits(net, turned).astype(np.float64)
    logs = kept - np.log(np.exp(kept).sum(axis=1, keepdims=True))
    assert -(turned.targets * logs).sum(axis=1).mean() == pytest.approx(min(found.losses), abs=1e-5)


def test_a_loss_that_is_no_number_names_the_rows_and_keeps_the_last_checkpoint(
    tiny_encoder: Path, examples: Examples, tmp_path: Path
):
    targets = examples.targets.copy()
    targets[37] = np.nan
    broken = Examples(examples.tokens, targets, examples.weights, examples.rows)
    with pytest.raises(ModelError) as caught:
        train(network(tiny_encoder), broken, SHORT, watch=Watch(folder=tmp_path))
    message = str(caught.value)
    assert "137" in message
    assert "The loss is no number" in message
    assert Watch(folder=tmp_path).checkpoints().newest() is not None or "after step 0" in message


def test_gradients_of_several_batches_add_up_to_those_of_one(tiny_encoder: Path, examples: Examples):
    nets = []
    for size, accumulate in ((32, 1), (8, 4)):
        net = network(tiny_encoder)
        settings = Tuning(
            epochs=1, batch_size=size, accumulate=accumulate, learning_rate=1e-3, dropout=0.0, clip=1000, patience=0
        )
        train(net, first(examples, 32), settings)
        nets.append(net)
    for one, other in zip(nets[0].parameters(), nets[1].parameters(), strict=True):
        assert torch.allclose(one, other, atol=1e-4)


def test_losses_are_told(tiny_encoder: Path, examples: Examples):
    told: list[Event] = []
    train(network(tiny_encoder), examples, SHORT, validation=first(examples, 30), watch=Watch(told.append))
    names = {event.name for event in told if isinstance(event, Measured)}
    assert names == {"loss", "validation loss", "validation macro F1"}


def test_no_rows_are_refused(tiny_encoder: Path, examples: Examples):
    with pytest.raises(ModelError, match="no rows"):
        train(network(tiny_encoder), first(examples, 0), SHORT)


def test_too_little_memory_is_told_before_the_start_with_a_batch_size_that_fits(
    tiny_encoder: Path, examples: Examples, monkeypatch: pytest.MonkeyPatch
):
    from types import SimpleNamespace

    monkeypatch.setattr("psutil.virtual_memory", lambda: SimpleNamespace(available=8_000_000))
    with pytest.raises(ModelError, match="batch_size: 128 fits") as caught:
        train(network(tiny_encoder), examples, SHORT.model_copy(update={"batch_size": 4096}))
    assert "8 MB are free" in str(caught.value)
