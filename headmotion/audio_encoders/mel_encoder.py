"""What encoders of log mel energies share: short windows of a complete wave or of a stream, and their energies."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from typing import cast

import torch
from torch import Tensor
from torch.nn import functional
from typing_extensions import override

from ..core.errors import AudioError
from ..core.interfaces.audio_encoder import AudioEncoder
from ..core.stream_groups import map_in_groups
from .mel_filterbank import mel_filters
from .specs import MelSpec

FLOOR = 1e-8
"""Least energy, so that silence has a finite logarithm."""
BLOCK_STEPS = 1024
"""Steps that are transformed at a time, of one wave or several: few enough for the processor's caches."""
ROW_MULTIPLE = 16
"""Matrices are padded to a multiple of so many rows; `MelEncoder._encode_windows` and the filters say why."""


class MelEncoder(AudioEncoder):
    """Features of ``log(max(filters . |DFT(window)|^2 / n_fft, 1e-8))`` of a causally pre-emphasized wave.

    Step ``i`` covers samples ``[i * hop, i * hop + window)`` after ``y[n] = x[n] - preemphasis * x[n-1]``. The wave is
    zero before its first sample and after its last. A wave that passes through `step` in pieces of any size gives the
    steps that `forward` gives for the complete wave, bit for bit on the CPU.
    """

    taper: Tensor
    """Window function ``[window]``."""
    filters: Tensor
    """Filter bank ``[n_fft // 2 + 1, n_mels]`` over ``n_fft``, padded with columns of zeros."""

    def __init__(self, spec: MelSpec) -> None:
        super().__init__(spec)
        self.sample_rate, self.hop = spec.sample_rate, spec.hop
        # Pre-emphasis needs one sample before the window.
        self.look_back, self.look_ahead = int(spec.preemphasis > 0), spec.window
        self._window, self._n_fft, self._n_mels = spec.window, spec.n_fft, spec.n_mels
        self._preemphasis = spec.preemphasis
        self._tapered = spec.window_shape == "hann"
        taper = torch.hann_window(spec.window, dtype=torch.float64) if self._tapered else torch.ones(spec.window)
        # Not persistent: both buffers follow from the spec, so checkpoints need not store them.
        self.register_buffer("taper", taper.float(), persistent=False)
        # A matrix product with a few more columns, of zeros, takes half the time.
        filters = functional.pad(mel_filters(spec) / spec.n_fft, (0, -spec.n_mels % ROW_MULTIPLE))
        self.register_buffer("filters", filters.float(), persistent=False)

    @abstractmethod
    def features_of(self, log_energies: Tensor) -> Tensor:
        """Return the features ``[B, a, C]`` of log mel energies ``[B, a, n_mels]``, each step by itself."""

    @override
    def forward(self, wave: Tensor, steps: int | None = None) -> Tensor:
        """Return the features ``[B, A, C]`` of a wave.

        Args:
            wave: ``[B, S]``, -1 to 1.
            steps: number of steps ``A``; None: ``S // hop``. Samples beyond the last hop fill the last windows.

        Raises:
            AudioError: the wave is not ``[B, S]``.
        """
        wave = self._checked(wave)
        count = wave.shape[1] // self.hop if steps is None else steps
        return self._encode(wave, count, zeros_before=1)

    def init_state(self, batch: int = 1) -> Tensor:
        """Return the state before the first sample, ``[batch, 1]``: one silent sample."""
        return self.taper.new_zeros(batch, 1)

    def step(self, wave: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:
        """Take the next samples and return the steps ``[B, a, C]`` whose windows are complete, and the new state.

        Zeros that follow the end of the wave complete the last steps.

        Args:
            wave: ``[B, s]``, -1 to 1.
            state: the samples from the one before the next step on, ``[B, n]``.

        Raises:
            AudioError: the wave is not ``[B, s]``.
        """
        samples = torch.cat([state, self._checked(wave)], dim=1)
        count = max(0, (samples.shape[1] - 1 - self._window) // self.hop + 1)
        return self._encode(samples, count), samples[:, count * self.hop :].clone()

    def step_streams(self, waves: Sequence[Tensor], states: Sequence[Tensor]) -> list[tuple[Tensor, Tensor]]:
        """Return what `step` returns for each of several streams, those of equal lengths in one batch."""
        return cast("list[tuple[Tensor, Tensor]]", map_in_groups(self.step, list(zip(waves, states, strict=True))))

    def _checked(self, wave: Tensor) -> Tensor:
        if wave.dim() != 2:
            name = f"{self.spec.type_name()} encoder"
            raise AudioError(name, "a wave [B, S]", f"shape {list(wave.shape)}", "add the batch axis: wave[None]")
        return wave.to(self.taper)

    def _encode(self, signal: Tensor, count: int, zeros_before: int = 0) -> Tensor:
        """Return steps ``[B, count, C]`` of a signal after ``zeros_before`` zeros, of which pre-emphasis needs one."""
        if count == 0:
            return signal.new_zeros(len(signal), 0, self.channels)
        # Energies overflow half precision, so a surrounding autocast is disabled.
        with torch.autocast(signal.device.type, enabled=False):
            batches = torch.split(signal, max(1, BLOCK_STEPS // count))
            return torch.cat([self._encode_blocks(batch, count, zeros_before) for batch in batches])

    def _encode_blocks(self, signal: Tensor, count: int, zeros_before: int) -> Tensor:
        blocks = [
            self._encode_windows(
                self._windows(signal, first * self.hop - zeros_before, min(BLOCK_STEPS, count - first))
            )
            for first in range(0, count, BLOCK_STEPS)
        ]
        return torch.cat(blocks, dim=1)

    def _windows(self, signal: Tensor, begin: int, count: int) -> Tensor:
        """Return windows ``[B, count, window]`` after pre-emphasis, which reads only the samples that they need.

        ``begin`` is the sample before the first window; positions outside the signal are zeros.
        """
        before, end = max(-begin, 0), begin + (count - 1) * self.hop + self._window + 1
        samples = signal[:, begin + before : end]
        after = end - begin - before - samples.shape[1]
        if before or after:
            samples = functional.pad(samples, (before, after))
        emphasized = (-self._preemphasis * samples[:, :-1]).add_(samples[:, 1:])
        return emphasized.unfold(1, self._window, self.hop)

    def _encode_windows(self, windows: Tensor) -> Tensor:
        tapered = windows * self.taper if self._tapered else windows
        # Matrix products round the rows at an odd edge differently. With full blocks of rows, a step has the same bits
        # whatever its neighbors are, and so a stream equals the complete wave.
        count = windows.shape[1]
        padded = functional.pad(tapered, (0, self._n_fft - self._window, 0, -count % ROW_MULTIPLE))
        return self.features_of(self._log_energies(padded))[:, :count]

    def _log_energies(self, padded: Tensor) -> Tensor:
        """Return the log mel energies ``[B, a, n_mels]`` of windows ``[B, a, n_fft]``."""
        squares = torch.view_as_real(torch.fft.rfft(padded)).square_()
        energies = ((squares[..., 0] + squares[..., 1]) @ self.filters)[..., : self._n_mels]
        return torch.log(energies.clamp(min=FLOOR))
