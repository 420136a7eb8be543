"""Dropout with cheap masks: the same share and expectation as torch's, a function of the seed, and gone afterwards."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")

from workbench.training.dropout import QuickDropout, quick_dropout, set_dropout  # noqa: E402

MANY = (1000, 999)  # no multiple of the four values that one number serves


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
def test_the_share_and_the_expectation_are_right(share):
    torch.manual_seed(0)
    out = QuickDropout(share).train()(torch.ones(MANY))
    assert (out == 0).float().mean().item() == pytest.approx(share, abs=0.002)
    assert out.mean().item() == pytest.approx(1, abs=0.01 / (1 - share))
    assert len(out.unique()) == 2


def test_values_are_dropped_independently_of_their_neighbours():
    torch.manual_seed(0)
    dropped = (QuickDropout(0.3).train()(torch.ones(400_000)) == 0).double()
    for apart in range(1, 9):
        both = (dropped[apart:] * dropped[:-apart]).mean().item()
        assert both == pytest.approx(0.09, abs=0.003)


def test_a_seed_gives_the_same_mask_and_another_one_another():
    values, dropout = torch.ones(100, 7), QuickDropout(0.5).train()
    masks = []
    for seed in (1, 1, 2):
        torch.manual_seed(seed)
        masks.append(dropout(values))
    assert torch.equal(masks[0], masks[1])
    assert not torch.equal(masks[0], masks[2])


def test_gradients_pass_where_values_passed():
    torch.manual_seed(0)
    values = torch.randn(50, 3, requires_grad=True)
    out = QuickDropout(0.5).train()(values)
    out.sum().backward()
    assert torch.equal(values.grad != 0, out != 0)
    assert set(values.grad.unique().tolist()) == {0.0, 2.0}


def test_nothing_is_dropped_outside_of_training_or_without_a_share():
    values = torch.randn(20, 3)
    assert torch.equal(QuickDropout(0.5).eval()(values), values)
    assert torch.equal(QuickDropout(0.0).train()(values), values)
    assert not QuickDropout(1.0).train()(values).any()


def test_a_network_has_its_own_dropout_back_afterwards():
    own = torch.nn.Dropout(0.1)
    network = torch.nn.Sequential(torch.nn.Linear(3, 3), torch.nn.Sequential(own))
    set_dropout(network, 0.25)
    with quick_dropout(network):
        inside = network[1][0]
        network.eval()
        assert type(inside) is QuickDropout
        assert inside.p == 0.25
    assert network[1][0] is own
    assert not own.training
