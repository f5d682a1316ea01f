"""The lower layers of Whisper's encoder over a stream: keys and values of earlier steps are kept."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from ...core.interfaces.specs import BuildContext
from .encoder import REACH, STEP, Whisper
from .network import HEAD_SIZE, Layer
from .specs import WhisperSpec


class LayerState(NamedTuple):
    """What a layer keeps of earlier steps."""

    keys: Tensor
    """``[B, heads, back + ahead, 64]``."""
    values: Tensor
    """As the keys."""
    waiting: Tensor
    """Inputs ``[B, ahead, C]`` of the steps whose output needs later ones."""


class WhisperState(NamedTuple):
    """Position of a stream. All shapes are constant if every call takes the same multiple of 320 samples."""

    first: Tensor
    """Number of the next step of each wave that the convolutions compute, int64 ``[B]``, on the CPU."""
    samples: Tensor
    """Samples ``[B, s]`` from `REACH` before that step on."""
    windows: tuple[tuple[LayerState, ...], tuple[LayerState, ...]]
    """State of every layer with the positions of the even windows, and of the odd ones."""


class StreamingWhisper(Whisper):
    """`Whisper` with limits on both sides, which streams in constant memory.

    In a call, each layer computes as many steps as the convolutions do, by its look-ahead later than the layer below.
    Steps with negative numbers, of which a stream begins with some, belong to no window and are not returned.
    """

    def __init__(self, spec: WhisperSpec, context: BuildContext) -> None:
        super().__init__(spec, context)
        assert self.back is not None and self.ahead is not None
        self._back, self._ahead = self.back, self.ahead
        self.lag = sum(self.ahead)
        self.late_steps = self.lag + 1

    def init_state(self, batch: int = 1) -> WhisperState:
        """Return the state before the first sample."""
        zeros = self.network.positions.new_zeros
        heads = self.channels // HEAD_SIZE

        def layer(ahead: int) -> LayerState:
            keys = zeros(batch, heads, self._back + ahead, HEAD_SIZE)
            return LayerState(keys, keys, zeros(batch, ahead, self.channels))

        layers = tuple(layer(ahead) for ahead in self._ahead)
        # It begins one step early, because the first step needs more than a hop of samples: so all shapes are constant.
        return WhisperState(torch.full((batch,), -1), zeros(batch, STEP + REACH), (layers, layers))

    @torch.no_grad()
    def step(self, wave: Tensor, state: WhisperState) -> tuple[Tensor, WhisperState]:
        """Take the next samples and return the steps ``[B, a, C]`` that they complete, and the new state.

        Args:
            wave: ``[B, s]``, -1 to 1.
            state: what `init_state` or the previous call returned.

        Raises:
            AudioError: the wave is not ``[B, s]``.
        """
        features, next_state = self.step_all(wave, state, self._parities(state, self._count(wave, state)))
        return features[:, self._before_speech(state) :], next_state

    @torch.no_grad()
    def step_streams(
        self, waves: Sequence[Tensor], states: Sequence[WhisperState]
    ) -> list[tuple[Tensor, WhisperState]]:
        """Return what `step` returns for each stream of batch 1; see `SupportsAudioPooling`."""
        results: dict[int, tuple[Tensor, WhisperState]] = {}
        groups: dict[tuple[int, int], list[int]] = {}
        for number, (wave, state) in enumerate(zip(waves, states, strict=True)):
            groups.setdefault((wave.shape[-1], state.samples.shape[1]), []).append(number)
        for numbers in groups.values():
            batch = _joined([states[number] for number in numbers])
            wave = torch.cat([self._checked(waves[number]) for number in numbers])
            features, after = self.step_all(wave, batch, self._parities(batch, self._count(wave, batch)))
            for k, number in enumerate(numbers):
                own = features[k : k + 1, self._before_speech(states[number]) :]
                results[number] = own, _picked(after, k)
        return [results[number] for number in range(len(waves))]

    def _parities(self, state: WhisperState, count: int) -> list[int]:
        """Return the parities of the windows that the next steps of any wave need."""
        firsts: set[int] = set(state.first.tolist())
        windows = (self.windows.between(first - self.lag, first + count) for first in firsts)
        return sorted({window % 2 for of_wave in windows for window in of_wave})

    def _before_speech(self, state: WhisperState) -> int:
        """Return how many of the next steps have negative numbers."""
        return max(0, self.lag - int(state.first[0]))

    def step_all(
        self, wave: Tensor, state: WhisperState, parities: Sequence[int] = (0, 1)
    ) -> tuple[Tensor, WhisperState]:
        """Do what `step` does in a graph that is the same in every call.

        Steps with negative numbers are returned too; their values mean nothing.

        Args:
            wave: as for `step`.
            state: as for `step`.
            parities: of the windows (even, odd) that the steps need.
        """
        samples, count = torch.cat([state.samples, self._checked(wave)], dim=1), self._count(wave, state)
        if count == 0:
            return samples.new_zeros(len(samples), 0, self.channels), state._replace(samples=samples)
        mel, first = self.log_mel(samples[:, : STEP * (count - 1) + 2 * REACH]), state.first.cpu()
        inputs = self.network.convolve(mel, first)
        outputs, windows = [inputs, inputs], list(state.windows)  # by parity
        for parity in parities:
            outputs[parity], windows[parity] = self._in_windows(inputs, first, parity, state.windows[parity])
        owner = self.windows.owner(first[:, None] - self.lag + torch.arange(count)).to(inputs.device)
        features = torch.where((owner % 2 == 0).unsqueeze(2), outputs[0], outputs[1])
        rest = samples[:, STEP * count :].clone()
        return features, WhisperState(first + count, rest, (windows[0], windows[1]))

    def init_fixed_state(self) -> dict[str, Tensor]:
        """Return the state before the first sample by name (`SupportsFixedShapeSteps`)."""
        return _by_name(self.init_state())

    def fixed_step(self, wave: Tensor, state: dict[str, Tensor]) -> tuple[Tensor, dict[str, Tensor]]:
        """Do what `step_all` does, with the state by name."""
        features, next_state = self.step_all(wave, _from_names(state, len(self._ahead)))
        return features, _by_name(next_state)

    @staticmethod
    def _count(wave: Tensor, state: WhisperState) -> int:
        """Return the number of steps for which the convolutions have all samples."""
        return max(0, (state.samples.shape[1] + wave.shape[-1] - 2 * REACH) // STEP + 1)

    def _in_windows(
        self, inputs: Tensor, first: Tensor, parity: int, states: tuple[LayerState, ...]
    ) -> tuple[Tensor, tuple[LayerState, ...]]:
        """Pass steps through all layers, with the positions of the even or of the odd windows."""
        count = inputs.shape[1]
        numbers = first[:, None] + torch.arange(count)
        hidden = inputs + self.network.positions[self.windows.position(numbers, parity).to(inputs.device)]
        after = []
        for layer, ahead, state in zip(self.network.layers, self._ahead, states, strict=True):
            mask = self._stream_mask(first - ahead, count, ahead, parity).to(inputs.device)
            hidden, new = _through(layer, hidden, ahead, state, mask)
            after.append(new)
            first = first - ahead
        return hidden, tuple(after)

    def _stream_mask(self, first: Tensor, count: int, ahead: int, parity: int) -> Tensor:
        """Return whether steps from ``first`` ``[B]`` on see the steps around them, ``[B, 1, n, back + n + ahead]``."""
        keys = torch.arange(self._back + count + ahead)
        offset = keys - torch.arange(count)[:, None]
        window = self.windows.window(first[:, None] - self._back + keys, parity)
        same_window = window[:, None, None, :] == window[:, None, self._back : self._back + count, None]
        return (offset >= 0) & (offset <= self._back + ahead) & same_window


def _through(layer: Layer, inputs: Tensor, ahead: int, state: LayerState, mask: Tensor) -> tuple[Tensor, LayerState]:
    """Pass inputs ``[B, n, C]`` through a layer; return as many outputs, ``ahead`` steps earlier, and the new state."""
    count = inputs.shape[1]
    waiting = torch.cat([state.waiting, inputs], dim=1)
    queries, keys, values = layer.attention.project(waiting)
    keys = torch.cat([state.keys, keys[:, :, ahead:]], dim=2)
    values = torch.cat([state.values, values[:, :, ahead:]], dim=2)
    outputs = layer.finish(waiting[:, :count], queries[:, :, :count], keys, values, mask)
    return outputs, LayerState(keys[:, :, count:].clone(), values[:, :, count:].clone(), waiting[:, count:].clone())


def _by_name(state: WhisperState) -> dict[str, Tensor]:
    named = {"first": state.first, "samples": state.samples}
    for parity, layers in enumerate(state.windows):
        for number, layer in enumerate(layers):
            named |= {f"{name}_{parity}_{number}": value for name, value in layer._asdict().items()}
    return named


def _from_names(named: dict[str, Tensor], layers: int) -> WhisperState:
    def window(parity: int) -> tuple[LayerState, ...]:
        return tuple(LayerState(*(named[f"{n}_{parity}_{k}"] for n in LayerState._fields)) for k in range(layers))

    return WhisperState(named["first"], named["samples"], (window(0), window(1)))


def _joined(states: Sequence[WhisperState]) -> WhisperState:
    """Return the states of several streams as that of one batch."""
    named = [_by_name(state) for state in states]
    batch = {name: torch.cat([state[name] for state in named]) for name in named[0]}
    return _from_names(batch, len(states[0].windows[0]))


def _picked(state: WhisperState, wave: int) -> WhisperState:
    """Return the state of one wave of a batch, which keeps no memory of the others."""
    named = {name: value[wave : wave + 1].clone() for name, value in _by_name(state).items()}
    return _from_names(named, len(state.windows[0]))
