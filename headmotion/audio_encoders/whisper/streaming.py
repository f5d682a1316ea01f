"""The lower layers of Whisper's encoder over streams: no step of a layer is computed twice."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import torch
from torch import Tensor

from ...core.interfaces.specs import BuildContext
from ...core.stream_groups import group_by
from .encoder import REACH, STEP, Whisper
from .fixed_steps import FixedSteps
from .position_windows import PERIOD
from .recent_keys import RecentKeys, attend
from .specs import WhisperSpec


class LayerState(NamedTuple):
    """What a layer keeps of earlier steps of a window."""

    keys: RecentKeys
    """Keys and values that later steps see."""
    waiting: Tensor
    """Inputs and queries ``[n, 2 W]`` of the steps whose output needs later ones."""


class WindowState(NamedTuple):
    """A window of positions and what the layers keep of its steps."""

    window: int
    layers: tuple[LayerState, ...]


class StreamState(NamedTuple):
    """Position of the stream of one wave."""

    first: int
    """Number of the next step that the convolutions compute."""
    samples: Tensor
    """Samples ``[s]`` from `REACH` before that step on."""
    windows: tuple[WindowState, ...]
    """The windows that the stream is in: one, or two near a hand-over."""


WhisperState = tuple[StreamState, ...]
"""Positions of the streams of a batch."""


@dataclass
class _Row:
    """Steps of one window of one stream on their way through the layers."""

    stream: int
    window: int
    step: int
    """Position of the first one in the window."""
    count: int
    before: tuple[LayerState, ...]
    after: list[LayerState] = field(default_factory=list)


class StreamingWhisper(Whisper):
    """`Whisper` with limits on both sides, which streams in constant memory.

    A layer's outputs are final, so it keeps keys and values and computes each step once; near a hand-over, once with
    the positions of either window. Steps of any number of streams pass through the layers as the rows of one matrix,
    however many each has.
    """

    def __init__(self, spec: WhisperSpec, context: BuildContext) -> None:
        super().__init__(spec, context)
        assert self.back is not None and self.ahead is not None
        self._back, self._ahead, self._fixed = self.back, self.ahead, FixedSteps(self)
        self.lag = sum(self.ahead)
        self.late_steps = self.lag + 1

    def init_state(self, batch: int = 1) -> WhisperState:
        """Return the state before the first sample."""
        # It begins one step early, because the first step needs more than a hop of samples: so every block of samples
        # completes as many steps.
        return (StreamState(-1, self.network.positions.new_zeros(STEP + REACH), ()),) * batch

    @torch.no_grad()
    def step(self, wave: Tensor, state: WhisperState) -> tuple[Tensor, WhisperState]:
        """Take the next samples and return the steps ``[B, a, C]`` that they complete, and the new state.

        Args:
            wave: ``[B, s]``, -1 to 1.
            state: what `init_state` or the previous call returned.

        Raises:
            AudioError: the wave is not ``[B, s]``.
        """
        features, after = self._advance(list(self._checked(wave)), state)
        return torch.stack(features), tuple(after)

    @torch.no_grad()
    def step_streams(
        self, waves: Sequence[Tensor], states: Sequence[WhisperState]
    ) -> list[tuple[Tensor, WhisperState]]:
        """Return what `step` returns for each stream of batch 1; see `SupportsAudioPooling`."""
        streams = [stream for (stream,) in states]
        features, after = self._advance([self._checked(wave)[0] for wave in waves], streams)
        return [(own.unsqueeze(0), (state,)) for own, state in zip(features, after, strict=True)]

    def init_fixed_state(self) -> dict[str, Tensor]:
        """Return the state before the first sample by name (`SupportsFixedShapeSteps`)."""
        return self._fixed.init_state()

    def fixed_step(self, wave: Tensor, state: dict[str, Tensor]) -> tuple[Tensor, dict[str, Tensor]]:
        """Take the next samples of a stream of fixed shapes (`SupportsFixedShapeSteps`)."""
        return self._fixed.step(wave, state)

    def _advance(
        self, waves: Sequence[Tensor], streams: Sequence[StreamState]
    ) -> tuple[list[Tensor], list[StreamState]]:
        """Take the next samples ``[s]`` of each stream; return the completed steps ``[a, C]`` and the new states."""
        inputs, remainders = self._convolved(waves, streams)
        counts = [steps.shape[0] for steps in inputs]
        rows = self._rows(counts, streams)
        hidden = self._placed(inputs, streams, rows)
        for number in range(len(self._ahead) if rows else 0):
            hidden = self._through(number, rows, hidden)
        features: list[list[Tensor]] = [[] for _ in streams]
        windows: list[list[WindowState]] = [[] for _ in streams]
        for row, outputs in zip(rows, torch.split(hidden, [row.count for row in rows]), strict=True):
            features[row.stream].append(outputs)
            windows[row.stream].append(WindowState(row.window, tuple(row.after)))
        after = [
            StreamState(stream.first + count, remaining, tuple(own) or stream.windows)
            for stream, count, remaining, own in zip(streams, counts, remainders, windows, strict=True)
        ]
        return [parts[0] if len(parts) == 1 else torch.cat([hidden[:0], *parts]) for parts in features], after

    def _convolved(self, waves: Sequence[Tensor], streams: Sequence[StreamState]) -> tuple[list[Tensor], list[Tensor]]:
        """Return the outputs of the convolutions ``[n, C]``, and the samples that remain, for each stream."""
        samples = [torch.cat([stream.samples, wave]) for stream, wave in zip(streams, waves, strict=True)]
        inputs, remainders = [samples[0].new_zeros(0, self.channels)] * len(samples), list(samples)
        for group in group_by([own.shape[0] for own in samples]):
            count = max(0, (len(samples[group[0]]) - 2 * REACH) // STEP + 1)
            if not count:
                continue
            batch = torch.stack([samples[index] for index in group])
            mel = self.log_mel(batch[:, : STEP * (count - 1) + 2 * REACH])
            steps = self.network.convolve(mel, torch.tensor([streams[index].first for index in group]))
            for index, own in zip(group, steps.unbind(), strict=True):
                inputs[index], remainders[index] = own, samples[index][STEP * count :].clone()
        return inputs, remainders

    def _rows(self, counts: Sequence[int], streams: Sequence[StreamState]) -> list[_Row]:
        """Return the windows that the next ``counts`` steps of each stream lie in, if they need outputs of these."""
        rows = []
        for number, (count, stream) in enumerate(zip(counts, streams, strict=True)):
            known = {state.window: state.layers for state in stream.windows}
            first, stop = max(0, stream.first), stream.first + count
            for window in self.windows.between(first - self.lag, stop) if stop > first else ():
                begin = max(first, PERIOD * window)
                needed = min(stop, self.windows.owned(window).stop + self.lag) - begin
                if needed > 0:
                    layers = known.get(window) or self._no_steps()
                    rows.append(_Row(number, window, begin - PERIOD * window, needed, layers))
        return rows

    def _no_steps(self) -> tuple[LayerState, ...]:
        zeros = self.network.positions
        return (LayerState(RecentKeys.none(zeros, self.channels), zeros.new_zeros(0, 2 * self.channels)),) * len(
            self._ahead
        )

    def _placed(self, inputs: Sequence[Tensor], streams: Sequence[StreamState], rows: Sequence[_Row]) -> Tensor:
        """Return the steps of all rows with their positions, ``[N, C]``."""
        if not rows:
            return inputs[0][:0]
        parts: list[Tensor] = []
        positions: list[int] = []
        for row in rows:
            begin = PERIOD * row.window + row.step - streams[row.stream].first
            parts.append(inputs[row.stream][begin : begin + row.count])
            positions += range(row.step, row.step + row.count)
        return torch.cat(parts) + self.network.positions[torch.tensor(positions, device=parts[0].device)]

    def _through(self, number: int, rows: Sequence[_Row], inputs: Tensor) -> Tensor:
        """Pass steps ``[N, C]`` through a layer; return the outputs that are now determined and needed."""
        layer, ahead, width = self.network.layers[number], self._ahead[number], self.channels
        counts = [row.count for row in rows]
        qkv = layer.attention.qkv(layer.attention.norm(inputs))
        new_keys = torch.split(qkv[:, width:], counts)
        arrived = torch.split(torch.cat([inputs, qkv[:, :width]], dim=1), counts)
        queues, sizes, keys = [], [], []
        for row, own_keys, own in zip(rows, new_keys, arrived, strict=True):
            state = row.before[number]
            # Outputs before these are not needed: they belong to the window before this one.
            unneeded = (number + 1) * self._back - row.step if row.window else 0
            own = own[unneeded:] if unneeded > 0 else own
            queues += [state.waiting, own]
            waiting, row.step = state.waiting.shape[0] + own.shape[0], row.step + row.count
            row.count = max(0, waiting - ahead)
            row.step -= waiting
            sizes += [row.count, waiting - row.count]
            keys.append(state.keys.append(own_keys))
        pieces = torch.split(torch.cat(queues), sizes)
        for row, key_cache, remaining in zip(rows, keys, pieces[1::2], strict=True):
            row.after.append(LayerState(key_cache.last(self._back + ahead), remaining.clone()))
        due = [index for index, row in enumerate(rows) if row.count]
        if not due:
            return inputs[:0]
        ready = torch.cat([pieces[2 * index] for index in due])
        queries = torch.split(ready[:, width:], [rows[index].count for index in due])
        heads = attend(queries, [keys[index] for index in due], ahead, self._back)
        return layer.finish(ready[:, :width], layer.attention.out(heads))
