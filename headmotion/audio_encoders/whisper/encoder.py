"""The lower layers of Whisper's encoder over a complete wave."""

from __future__ import annotations

import itertools

import torch
from torch import Tensor
from torch.nn import functional

from ...core.errors import AudioError
from ...core.frozen_weights import load_frozen
from ...core.interfaces.audio_encoder import AudioEncoder
from ...core.interfaces.specs import BuildContext
from .log_mel import HOP, SAMPLE_RATE, WINDOW, WhisperLogMel
from .network import POSITIONS, WhisperNetwork
from .position_windows import PERIOD, PositionWindows
from .specs import WhisperSpec
from .weights import own_names

STEP = 2 * HOP
"""Samples per step."""
REACH = 2 * HOP + WINDOW // 2
"""Samples before and after the time of a step that its convolutions depend on."""
BATCH_STEPS = 2048
"""Steps that pass through the network at a time, of several waves: few enough for the processor's caches."""


class Whisper(AudioEncoder):
    """Output of one of the lower layers of Whisper's encoder, with a limit on how far attention looks.

    Step ``i`` is at sample ``320 i``. The wave is zero before its first sample and after its last. The weights are
    constants; no gradient passes through the network.

    Args:
        spec: layers, weights, and how far attention looks.
        context: see `load_frozen`.
    """

    spec: WhisperSpec

    def __init__(self, spec: WhisperSpec, context: BuildContext) -> None:
        super().__init__(spec)
        with torch.random.fork_rng(devices=[]):  # layers begin with random weights, which must not move the user's seed
            self.network = WhisperNetwork(spec.mels, spec.width, spec.layers)
        self.spec = load_frozen(self.network, spec, context, own_names)
        self.log_mel = WhisperLogMel(spec.mels, spec.ceiling)
        self.sample_rate, self.hop, self.channels = SAMPLE_RATE, STEP, spec.width
        self.back, self.ahead = spec.back_steps, spec.ahead_steps
        self.look_back = None if self.back is None else REACH + STEP * spec.layers * self.back
        self.look_ahead = None if self.ahead is None else REACH + STEP * sum(self.ahead)
        # A window owns the steps that see as much in it as in the whole clip, or else those in its middle.
        unbounded = self.back is None or self.ahead is None
        self.windows = PositionWindows(PERIOD // 2 if unbounded else spec.layers * (self.back or 0))

    @torch.no_grad()
    def forward(self, wave: Tensor, steps: int | None = None) -> Tensor:
        """Return the features ``[B, A, C]`` of a wave.

        Args:
            wave: ``[B, S]``, -1 to 1.
            steps: number of steps ``A``; None: ``S // 320``. Samples beyond the last step are used too.

        Raises:
            AudioError: the wave is not ``[B, S]``.
        """
        wave = self._checked(wave)
        count = wave.shape[1] // STEP if steps is None else steps
        if count == 0:
            return wave.new_zeros(len(wave), 0, self.channels)
        return torch.cat([self._encode(waves, count) for waves in torch.split(wave, max(1, BATCH_STEPS // count))])

    def _checked(self, wave: Tensor) -> Tensor:
        if wave.dim() != 2:
            raise AudioError(
                "whisper encoder", "a wave [B, S]", f"shape {list(wave.shape)}", "add the batch axis: wave[None]"
            )
        return wave.to(self.network.positions)

    def _encode(self, wave: Tensor, count: int) -> Tensor:
        """Return the first ``count`` steps of waves."""
        total = max(count, wave.shape[1] // STEP) if self.ahead is None else count + sum(self.ahead)
        samples = STEP * (total - 1) + 2 * REACH
        padded = functional.pad(wave, (REACH, max(0, samples - REACH - wave.shape[1])))[:, :samples]
        inputs = self.network.convolve(self.log_mel(padded), torch.zeros(1, dtype=torch.int64))
        outputs: list[Tensor] = []
        for window in itertools.count():
            owned = self.windows.owned(window)
            if owned.start >= count:
                break
            start = PERIOD * window
            stop = start + POSITIONS if self.ahead is None else owned.stop + sum(self.ahead)
            outputs.append(self._layers(inputs[:, start:stop])[:, owned.start - start : min(owned.stop, count) - start])
        return torch.cat(outputs, dim=1)

    def _layers(self, inputs: Tensor) -> Tensor:
        """Return the output ``[B, n, C]`` for the first steps of a window, from that of the convolutions."""
        count = inputs.shape[1]
        hidden = inputs + self.network.positions[:count]
        for layer, ahead in zip(self.network.layers, self.ahead or itertools.repeat(None), strict=False):
            hidden = layer(hidden, self._mask(count, ahead))
        return hidden

    def _mask(self, count: int, ahead: int | None) -> Tensor | None:
        """Return whether a step (row) attends to another (column), ``[n, n]``; None: all to all."""
        if self.back is None and ahead is None:
            return None
        visible = torch.ones(count, count, dtype=torch.bool, device=self.network.positions.device)
        if self.back is not None:
            visible = visible.triu(-self.back)
        return visible if ahead is None else visible.tril(ahead)
