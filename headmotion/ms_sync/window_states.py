"""States of an LSTM after windows of a sequence, where windows that start together share one run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise
from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable
from torch.nn import functional
from torch.nn.utils.rnn import PackedSequence

_sigmoid_backward = torch.ops.aten.sigmoid_backward.grad_input
_tanh_backward = torch.ops.aten.tanh_backward.grad_input


@dataclass(frozen=True)
class WindowRuns:
    """Runs of an LSTM that pass the ends of all windows: one from each first frame, as long as its longest window.

    Their frames are packed in order of time, as in `PackedSequence`: the first frames of all runs, the longest run
    first, then the second frames of those that have one, and so on.
    """

    frames: list[int]
    """Frame of the sequence at each packed place."""
    counts: list[int]
    """Runs that are in progress at each step in time."""
    ends: list[int]
    """Packed place of the last frame of each window."""

    @classmethod
    def of(cls, windows: Sequence[tuple[int, int]]) -> WindowRuns:
        """Return the runs of windows, each given as its first frame and its width."""
        lengths: dict[int, int] = {}
        for start, width in windows:
            lengths[start] = max(width, lengths.get(start, 0))
        starts = sorted(lengths, key=lambda start: -lengths[start])
        counts = [sum(length > step for length in lengths.values()) for step in range(max(lengths.values()))]
        places = [0, *accumulate(counts)]
        number = {start: index for index, start in enumerate(starts)}
        frames = [start + step for step, count in enumerate(counts) for start in starts[:count]]
        return cls(frames, counts, [places[width - 1] + number[start] for start, width in windows])

    def rows(self, batch: int) -> list[tuple[slice, slice]]:
        """Return the packed rows of each step in time, and those of the same runs a step earlier, ``batch`` a place."""
        firsts = [batch * place for place in accumulate(self.counts, initial=0)]
        earlier = [slice(0, 0)] + [
            slice(first, first + batch * count) for first, count in zip(firsts, self.counts[1:], strict=False)
        ]
        return list(zip([slice(*edges) for edges in pairwise(firsts)], earlier, strict=True))


def window_states(lstm: nn.LSTM, sequence: Tensor, windows: Sequence[tuple[int, int]]) -> Tensor:
    """Return the hidden states of an LSTM after windows of sequences, each window from a zero state.

    A window is a prefix of every longer one that starts with it, so one run passes the ends of both. On the CPU the
    input projection of a frame is computed once for all windows too; elsewhere torch's own LSTM takes the runs.

    Args:
        lstm: of one layer and one direction.
        sequence: ``[B, T, E]``.
        windows: first frame and width of each, within ``0..T``.

    Returns:
        ``[B, W, H]``, in the order of the windows. Differentiable once.
    """
    runs, frames = WindowRuns.of(windows), sequence.transpose(0, 1)
    if sequence.device.type == "cpu":
        weight_ih, weight_hh, bias_ih, bias_hh = lstm.all_weights[0]
        projected = functional.linear(frames, weight_ih, bias_ih + bias_hh)
        hidden: Tensor = _Recurrence.apply(projected, weight_hh, runs)  # type: ignore[no-untyped-call]
    else:
        hidden = packed_states(lstm, frames, runs)
    return hidden[torch.tensor(runs.ends, device=sequence.device)].transpose(0, 1)


def packed_states(lstm: nn.LSTM, frames: Tensor, runs: WindowRuns) -> Tensor:
    """Return the hidden states at all packed places, ``[N, B, H]``, of frames ``[T, B, E]``, by torch's own LSTM."""
    batch = frames.shape[1]
    inputs = frames[torch.tensor(runs.frames, device=frames.device)].flatten(0, 1)
    hidden: Tensor = lstm(PackedSequence(inputs, batch * torch.tensor(runs.counts)))[0].data
    return hidden.view(-1, batch, lstm.hidden_size)


class _Recurrence(torch.autograd.Function):
    """Hidden states ``[N, B, H]`` at all packed places, from projected frames ``[T, B, 4 * H]`` and ``weight_hh``.

    Gates are in torch's order: input, forget, candidate, output. With a dozen of autograd's nodes per step in place of
    one for all, the same would take more than twice the time.
    """

    @staticmethod
    @torch.amp.custom_fwd(device_type="cpu", cast_inputs=torch.float32)  # type: ignore[untyped-decorator]
    def forward(ctx: Any, projected: Tensor, weight: Tensor, runs: WindowRuns) -> Tensor:
        batch = projected.shape[1]
        gates = projected.index_select(0, torch.tensor(runs.frames)).flatten(0, 1)
        cells = gates.new_empty(len(gates), weight.shape[1])
        bounded, hidden = torch.empty_like(cells), torch.empty_like(cells)
        for rows, earlier in runs.rows(batch):
            if earlier.stop:
                gates[rows].addmm_(hidden[earlier], weight.t())
            input_gate, forget_gate, candidate, output_gate = gates[rows].chunk(4, 1)
            for gate in (input_gate, forget_gate, output_gate):
                gate.sigmoid_()
            torch.mul(input_gate, _tanh(candidate, candidate), out=cells[rows])
            if earlier.stop:
                cells[rows].addcmul_(forget_gate, cells[earlier])
            torch.mul(output_gate, _tanh(cells[rows], bounded[rows]), out=hidden[rows])
        ctx.save_for_backward(weight, gates, cells, bounded, hidden)
        ctx.runs, ctx.shape = runs, projected.shape
        return hidden.view(-1, batch, weight.shape[1])

    @staticmethod
    @once_differentiable
    @torch.amp.custom_bwd(device_type="cpu")  # type: ignore[untyped-decorator]
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:  # type: ignore[override]
        weight, gates, cells, bounded, hidden = ctx.saved_tensors
        gradient, steps = gradients[0].flatten(0, 1), ctx.runs.rows(ctx.shape[1])
        d_projected = gates.new_zeros(ctx.shape)
        d_weight = torch.zeros_like(weight) if ctx.needs_input_grad[1] else None
        d_hidden, d_cells, d_gates = (torch.zeros_like(values[steps[0][0]]) for values in (hidden, cells, gates))
        frames = torch.split(torch.tensor(ctx.runs.frames), ctx.runs.counts)
        for (rows, earlier), at in zip(reversed(steps), reversed(frames), strict=True):
            now = slice(rows.stop - rows.start)
            d_state, d_cell = d_hidden[now].add_(gradient[rows]), d_cells[now]
            input_gate, forget_gate, candidate, output_gate = gates[rows].chunk(4, 1)
            d_input, d_forget, d_candidate, d_output = d_gates[now].chunk(4, 1)
            d_cell += torch.ops.aten.tanh_backward(d_state * output_gate, bounded[rows])
            _sigmoid_backward(d_state * bounded[rows], output_gate, grad_input=d_output)
            _sigmoid_backward(d_cell * candidate, input_gate, grad_input=d_input)
            _tanh_backward(d_cell * input_gate, candidate, grad_input=d_candidate)
            if earlier.stop:
                _sigmoid_backward(d_cell * cells[earlier], forget_gate, grad_input=d_forget)
                torch.mm(d_gates[now], weight, out=d_state)
                d_cell *= forget_gate
                if d_weight is not None:
                    d_weight.addmm_(d_gates[now].t(), hidden[earlier])
            else:
                d_forget.zero_()
            d_projected.index_add_(0, at, d_gates[now].view(len(at), *ctx.shape[1:]))
        return d_projected, d_weight, None


def _tanh(values: Tensor, out: Tensor) -> Tensor:
    """Write the hyperbolic tangent, by the sigmoid, which torch computes six times as fast."""
    return torch.mul(values, 2, out=out).sigmoid_().mul_(2).sub_(1)
