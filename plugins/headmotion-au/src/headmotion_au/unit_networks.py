"""Networks that predict action units from speech, one per unit: five convolutional blocks, two LSTMs, three layers."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

import headmotion as hm

from .audio_windows import ROWS, AudioWindows
from .specs import AudioToAUSpec

WINDOW_BEFORE = WINDOW_AFTER = 12
"""Steps of speech before and after a frame's own four; together 28, 280 ms."""
BLOCKS = (
    ((1, 4), (1, 2), (1, 1)),
    ((1, 3), (1, 2), (1, 1)),
    ((1, 3), (1, 2), (1, 2)),
    ((3, 1), (2, 1), (1, 1)),
    ((3, 1), (2, 1), (2, 1)),
)
"""Kernel, stride and pooling of the blocks: those over time come before those over coefficients."""
SLOPE = 0.2
"""Of the leaky rectifiers."""
LAYERS = 2
"""Recurrent layers."""


class LayerState(NamedTuple):
    """A stream of a recurrent layer."""

    hidden: Tensor
    """``[1, B, hidden]``."""
    cell: Tensor
    """``[1, B, hidden]``."""
    held: Tensor
    """Inputs of frames that wait for those ahead of them, ``[B, n, inputs]``."""


class NetworksState(NamedTuple):
    """A stream of all networks."""

    audio: Tensor
    """Features from ``frames_before`` frames before the next frame on, ``[B, steps_per_frame * n, C]``."""
    layers: tuple[tuple[LayerState, ...], ...]
    """States of each network's recurrent layers."""


class BidirectionalLayer(nn.Module):
    """An LSTM in both directions; the backward one runs over the whole clip, or over a number of frames ahead.

    Beyond the end of the clip inputs are zeros. With no frames ahead there is only the forward one, twice as wide.
    """

    def __init__(self, inputs: int, hidden: int, ahead: int | None) -> None:
        super().__init__()
        self.inputs, self.ahead, self.hidden = inputs, ahead, 2 * hidden if ahead == 0 else hidden
        self.outputs = 2 * hidden
        self.forward_memory = nn.LSTM(inputs, self.hidden, batch_first=True)
        self.backward_memory = None if ahead == 0 else nn.LSTM(inputs, hidden, batch_first=True)

    def init_state(self, like: Tensor) -> LayerState:
        """Return the state before the first of frames ``[B, ...]``."""
        zeros = like.new_zeros(1, len(like), self.hidden)
        return LayerState(zeros, zeros, like.new_zeros(len(like), 0, self.inputs))

    def forward(self, frames: Tensor, state: LayerState, last: bool = True) -> tuple[Tensor, LayerState]:
        """Return what is determined, ``[B, t, outputs]``, and the new state.

        Args:
            frames: the next inputs ``[B, n, inputs]``.
            state: of the stream.
            last: whether the clip ends here; required where the backward direction runs over the whole clip.
        """
        frames = torch.cat([state.held, frames], dim=1)
        ahead = self.ahead or 0
        padded = functional.pad(frames, (0, 0, 0, ahead)) if last else frames
        count = max(0, padded.shape[1] - ahead)
        if not count:
            return frames.new_zeros(len(frames), 0, self.outputs), state._replace(held=frames)
        past, (hidden, cell) = self.forward_memory(frames[:, :count], (state.hidden, state.cell))
        after = LayerState(hidden, cell, frames[:, count:])
        if self.backward_memory is None:
            return past, after
        if self.ahead is None:
            future = self.backward_memory(frames.flip(1))[0].flip(1)
        else:
            windows = padded.unfold(1, ahead + 1, 1).transpose(2, 3).flip(2)
            future = self.backward_memory(windows.flatten(0, 1))[0][:, -1].unflatten(0, windows.shape[:2])
        return torch.cat([past, future], dim=-1), after


class UnitNetwork(nn.Module):
    """The network of one unit. Source: the published layers, for windows of 12 x 28."""

    def __init__(self, spec: AudioToAUSpec) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        inputs = 1
        for (kernel, stride, pool), width in zip(BLOCKS, spec.conv_widths, strict=True):
            layers += [nn.Conv2d(inputs, width, kernel, stride), nn.MaxPool2d(pool)]
            layers += [nn.BatchNorm2d(width), nn.LeakyReLU(SLOPE)]
            inputs = width
        self.convolutions = nn.Sequential(*layers)
        hidden, (wide, narrow) = spec.hidden_size, spec.feature_widths
        sizes = [inputs] + [2 * hidden] * (LAYERS - 1)
        self.memory = nn.ModuleList(BidirectionalLayer(size, hidden, spec.ahead) for size in sizes)
        self.features = nn.Sequential(
            nn.Linear(2 * hidden, wide), nn.LeakyReLU(SLOPE), nn.Dropout(spec.dropout),
            nn.Linear(wide, narrow), nn.LeakyReLU(SLOPE), nn.Dropout(spec.dropout),
        )  # fmt: skip
        self.score = nn.Linear(narrow, 1)

    def forward(
        self, windows: Tensor, states: tuple[LayerState, ...], last: bool
    ) -> tuple[Tensor, tuple[LayerState, ...]]:
        """Return the unit's features ``[B, t, F]`` of windows ``[B, T, 12, 28]``, and the new states."""
        convolved = self.convolutions(windows.flatten(0, 1)[:, None]).flatten(1)
        frames = convolved.unflatten(0, windows.shape[:2])
        after = []
        for layer, state in zip(self.memory, states, strict=True):
            frames, state = layer(frames, state, last)
            after.append(state)
        return self.features(frames), tuple(after)


class UnitNetworks(nn.Module):
    """One network per unit over the same speech.

    Args:
        spec: of the networks.
        context: gives channels and steps of the features.
        units: number of units.
        component: the part that holds them, for errors.

    Raises:
        SpecError: features that do not fit.
    """

    def __init__(self, spec: AudioToAUSpec, context: hm.BuildContext, units: int, component: str) -> None:
        super().__init__()
        self.windows = AudioWindows(context, component, spec.first_channel, WINDOW_BEFORE, WINDOW_AFTER)
        self.units = nn.ModuleList(UnitNetwork(spec) for _ in range(units))
        self.feature_count = units * spec.feature_widths[1]
        # Each recurrent layer waits for its frames ahead.
        own = None if spec.ahead is None else LAYERS * spec.ahead
        self.lookahead = None if own is None else self.windows.frames_after + own

    def init_state(self, like: Tensor, channels: int) -> NetworksState:
        """Return the state before the first frame.

        Args:
            like: a tensor ``[B, ...]`` of the batch, on its device.
            channels: of the features.
        """
        count = self.windows.frames_before * self.windows.steps
        layers = tuple(tuple(layer.init_state(like) for layer in unit.memory) for unit in self.units)
        return NetworksState(like.new_zeros(len(like), count, channels), layers)

    def step(self, audio: Tensor, state: NetworksState, last: bool = False) -> tuple[Tensor, NetworksState]:
        """Return the features of the frames that are determined, ``[B, t, units, F]``, and the new state.

        Args:
            audio: features ``[B, steps_per_frame * n, C]`` of the next frames.
            state: of the stream.
            last: whether the speech ends here.
        """
        windows, steps = self.windows, self.windows.steps
        held = torch.cat([state.audio, audio], dim=1)
        after = windows.frames_after
        padded = functional.pad(held, (0, 0, 0, after * steps)) if last else held
        count = max(0, padded.shape[1] // steps - windows.frames_before - after)
        rows = windows(padded, padded=True) if count else held.new_zeros(len(held), 0, *self.window_shape)
        outputs, layers = [], []
        for unit, states in zip(self.units, state.layers, strict=True):
            features, states = unit(rows, states, last)
            outputs.append(features)
            layers.append(states)
        return torch.stack(outputs, dim=2), NetworksState(held[:, count * steps :], tuple(layers))

    @property
    def window_shape(self) -> tuple[int, int]:
        """Rows and columns of a window."""
        return ROWS, self.windows.width

    def forward(self, audio: Tensor) -> Tensor:
        """Return the features of whole clips, ``[B, T, units, F]``, of speech ``[B, steps_per_frame * T, C]``."""
        return self.step(audio, self.init_state(audio, audio.shape[2]), last=True)[0]

    def logits(self, features: Tensor) -> Tensor:
        """Return the logit of each unit ``[B, t, units]`` from its features ``[B, t, units, F]``."""
        scores = [unit.score(features[:, :, k]) for k, unit in enumerate(self.units)]
        return torch.cat(scores, dim=-1)
