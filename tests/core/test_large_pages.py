"""Weights moved to large pages are the weights that they were."""

from __future__ import annotations

import copy
import gc

import torch
from torch import nn

from headmotion.core.large_pages import PAGE, in_large_pages


def network() -> nn.Sequential:
    torch.manual_seed(0)
    wide = nn.Linear(1024, 600)
    wide.weight.data = wide.weight.data.t().contiguous().t()
    return nn.Sequential(wide, nn.Linear(600, 8))


def test_values_and_layouts_stay_and_learning_goes_on() -> None:
    moved, plain = network(), network()
    before = [each.data_ptr() for each in moved.parameters()]
    in_large_pages(moved)
    after = [each.data_ptr() for each in moved.parameters()]
    assert [a != b for a, b in zip(before, after, strict=True)] == [True, False, False, False]
    assert after[0] % 4096 == 0 and moved[0].weight.stride() == plain[0].weight.stride()
    inputs = torch.randn(3, 1024)
    for net in (moved, plain):
        optimizer = torch.optim.Adam(net.parameters())
        for _ in range(3):
            optimizer.zero_grad()
            net(inputs).square().sum().backward()
            optimizer.step()
    assert torch.equal(moved(inputs), plain(inputs))


def test_copies_outlive_what_they_were_made_of() -> None:
    moved = network()
    in_large_pages(moved)
    copied, view = copy.deepcopy(moved), moved[0].weight[5]
    expected = view.clone()
    del moved
    gc.collect()
    assert torch.equal(view, expected) and torch.equal(copied[0].weight[5], expected)


def test_weights_that_share_memory_still_share_it() -> None:
    whole = torch.zeros(2 * PAGE)
    net = nn.Module()
    net.first, net.second = nn.Parameter(whole[:PAGE]), nn.Parameter(whole)
    in_large_pages(net)
    with torch.no_grad():
        net.first.fill_(1)
    assert net.second[0] == 1
