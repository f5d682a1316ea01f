"""The stream of `whisper` as a graph that is the same in every call, as ONNX requires."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from .encoder import REACH, STEP, Whisper
from .network import HEAD_SIZE, Layer


class FixedLayerState(NamedTuple):
    """What a layer keeps of earlier steps, with the positions of the even or of the odd windows."""

    keys: Tensor
    """``[1, heads, back + ahead, 64]``."""
    values: Tensor
    """As the keys."""
    waiting: Tensor
    """Inputs ``[1, ahead, C]`` of the steps whose output needs later ones."""


class FixedSteps:
    """One stream of a `Whisper` with limits on both sides, in calls of as many samples each.

    In a call, each layer computes as many steps as the convolutions do, by its look-ahead later than the layer below,
    once with the positions of the even windows and once with those of the odd ones. Steps with negative numbers, of
    which a stream begins with some, belong to no window.

    Args:
        encoder: the encoder.
    """

    def __init__(self, encoder: Whisper) -> None:
        assert encoder.back is not None and encoder.ahead is not None
        self._encoder, self._back, self._ahead = encoder, encoder.back, encoder.ahead
        self._lag = sum(encoder.ahead)

    def init_state(self) -> dict[str, Tensor]:
        """Return the state before the first sample, by name."""
        zeros, channels = self._encoder.network.positions.new_zeros, self._encoder.channels
        # It begins one step early, because the first step needs more than a hop of samples: so all shapes are constant.
        state = {"first": torch.full((1,), -1), "samples": zeros(1, STEP + REACH)}
        for parity in (0, 1):
            for number, ahead in enumerate(self._ahead):
                keys = zeros(1, channels // HEAD_SIZE, self._back + ahead, HEAD_SIZE)
                state |= _by_name(FixedLayerState(keys, keys, zeros(1, ahead, channels)), parity, number)
        return state

    def step(self, wave: Tensor, state: dict[str, Tensor]) -> tuple[Tensor, dict[str, Tensor]]:
        """Take the next samples ``[1, 320 n]``; return features ``[1, n, C]`` and the new state.

        Features of steps with negative numbers mean nothing.
        """
        network, windows, first = self._encoder.network, self._encoder.windows, state["first"]
        samples, count = torch.cat([state["samples"], wave], dim=1), wave.shape[1] // STEP
        mel = self._encoder.log_mel(samples[:, : STEP * (count - 1) + 2 * REACH])
        inputs = network.convolve(mel, first)
        after = {"first": first + count, "samples": samples[:, STEP * count :].clone()}
        outputs = []
        for parity in (0, 1):
            hidden, layers = self._in_windows(inputs, first, parity, state)
            outputs.append(hidden)
            after |= layers
        owner = windows.owner(first[:, None] - self._lag + torch.arange(count)).to(inputs.device)
        return torch.where((owner % 2 == 0).unsqueeze(2), outputs[0], outputs[1]), after

    def _in_windows(
        self, inputs: Tensor, first: Tensor, parity: int, state: dict[str, Tensor]
    ) -> tuple[Tensor, dict[str, Tensor]]:
        """Pass steps through all layers, with the positions of the even or of the odd windows."""
        network, count = self._encoder.network, inputs.shape[1]
        numbers = first[:, None] + torch.arange(count)
        position = self._encoder.windows.position(numbers, parity)
        hidden = inputs + network.positions[position.to(inputs.device)]
        after: dict[str, Tensor] = {}
        for number, (layer, ahead) in enumerate(zip(network.layers, self._ahead, strict=True)):
            first = first - ahead
            mask = self._mask(first, count, ahead, parity).to(inputs.device)
            before = FixedLayerState(*(state[f"{name}_{parity}_{number}"] for name in FixedLayerState._fields))
            hidden, new = _through(layer, hidden, ahead, before, mask)
            after |= _by_name(new, parity, number)
        return hidden, after

    def _mask(self, first: Tensor, count: int, ahead: int, parity: int) -> Tensor:
        """Return whether steps from ``first`` on see the steps around them, ``[1, 1, n, back + n + ahead]``."""
        keys = torch.arange(self._back + count + ahead)
        offset = keys - torch.arange(count)[:, None]
        window = self._encoder.windows.window(first[:, None] - self._back + keys, parity)
        same_window = window[:, None, None, :] == window[:, None, self._back : self._back + count, None]
        return (offset >= 0) & (offset <= self._back + ahead) & same_window


def _through(
    layer: Layer, inputs: Tensor, ahead: int, state: FixedLayerState, mask: Tensor
) -> tuple[Tensor, FixedLayerState]:
    """Pass inputs ``[1, n, C]`` through a layer; return as many outputs, ``ahead`` steps earlier, and the new state."""
    count = inputs.shape[1]
    waiting = torch.cat([state.waiting, inputs], dim=1)
    queries, keys, values = layer.attention.project(waiting)
    keys = torch.cat([state.keys, keys[:, :, ahead:]], dim=2)
    values = torch.cat([state.values, values[:, :, ahead:]], dim=2)
    outputs = layer.finish(waiting[:, :count], layer.attention.attend(queries[:, :, :count], keys, values, mask))
    after = FixedLayerState(keys[:, :, count:].clone(), values[:, :, count:].clone(), waiting[:, count:].clone())
    return outputs, after


def _by_name(state: FixedLayerState, parity: int, number: int) -> dict[str, Tensor]:
    return {f"{name}_{parity}_{number}": value for name, value in state._asdict().items()}
