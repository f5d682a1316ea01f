"""States after windows that share runs of an LSTM equal those of each window alone."""

import pytest
import torch
from torch import nn

from headmotion.ms_sync.window_states import WindowRuns, packed_states, window_states

WINDOWS = [(0, 2), (0, 5), (2, 5), (4, 3), (0, 8), (4, 4), (2, 5), (1, 7)]


def each_alone(lstm: nn.LSTM, sequence: torch.Tensor) -> torch.Tensor:
    return torch.stack([lstm(sequence[:, start : start + width])[1][0][0] for start, width in WINDOWS], 1)


@pytest.fixture
def lstm() -> nn.LSTM:
    torch.manual_seed(0)
    return nn.LSTM(3, 4, batch_first=True).double()


def test_windows_that_start_together_share_a_run() -> None:
    runs = WindowRuns.of([(3, 2), (0, 1), (3, 4), (7, 3)])
    assert runs.counts == [3, 2, 2, 1]
    assert runs.frames == [3, 7, 0, 4, 8, 5, 9, 6]
    assert runs.ends == [3, 2, 7, 6]


def test_states_and_gradients_are_those_of_each_window_alone(lstm: nn.LSTM) -> None:
    sequence = torch.randn(5, 8, 3, dtype=torch.float64, requires_grad=True)
    shared, alone = window_states(lstm, sequence, WINDOWS), each_alone(lstm, sequence)
    torch.testing.assert_close(shared, alone)
    inputs, weight = [sequence, *lstm.parameters()], torch.randn_like(alone)
    for got, expected in zip(*(torch.autograd.grad(states, inputs, weight) for states in (shared, alone)), strict=True):
        torch.testing.assert_close(got, expected)


def test_gradients_are_those_of_finite_differences(lstm: nn.LSTM) -> None:
    sequence = torch.randn(2, 8, 3, dtype=torch.float64, requires_grad=True)
    names = [name for name, _ in lstm.named_parameters()]

    def states(sequence: torch.Tensor, *weights: torch.Tensor) -> torch.Tensor:
        for name, weight in zip(names, weights, strict=True):
            delattr(lstm, name)
            setattr(lstm, name, weight)
        return window_states(lstm, sequence, WINDOWS)

    lstm.weight_ih_l0.requires_grad_(False)  # gradients of frozen weights are left out
    weights = [parameter for parameter in lstm.parameters()]
    torch.autograd.gradcheck(states, (sequence, *weights))


def test_other_devices_compute_the_same_by_their_own_lstm(lstm: nn.LSTM) -> None:
    sequence, runs = torch.randn(5, 8, 3, dtype=torch.float64), WindowRuns.of(WINDOWS)
    hidden = packed_states(lstm, sequence.transpose(0, 1), runs)
    torch.testing.assert_close(hidden[runs.ends].transpose(0, 1), each_alone(lstm, sequence))


def test_states_in_reduced_precision_are_close(lstm: nn.LSTM) -> None:
    lstm.float()
    sequence = torch.randn(5, 8, 3, requires_grad=True)
    with torch.autocast("cpu", torch.bfloat16):
        states = window_states(lstm, sequence, WINDOWS)
    states.float().sum().backward()
    torch.testing.assert_close(states.float(), each_alone(lstm, sequence), atol=0.02, rtol=0)
    assert all(parameter.grad is not None for parameter in lstm.parameters())
