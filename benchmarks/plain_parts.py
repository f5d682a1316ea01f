"""What accelerated parts compute, in the plainest way: what `benchmarks.accelerations` compares them with."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

import torch
from torch import Tensor, nn


def states_of_each_window(lstm: nn.LSTM, sequence: Tensor, windows: Sequence[tuple[int, int]]) -> Tensor:
    """Return what `window_states` returns, by a run for each window; those of one width that follow are a batch."""
    states = []
    for width, group in groupby(windows, key=lambda window: window[1]):
        of_width = torch.stack([sequence[:, start : start + width] for start, _ in group], dim=1)
        states.append(lstm(of_width.flatten(0, 1))[1][0][-1].unflatten(0, of_width.shape[:2]))
    return torch.cat(states, dim=1)
