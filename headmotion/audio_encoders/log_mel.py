"""Log mel energies of short windows, whole or as a stream."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from ..core.errors import AudioError
from ..core.interfaces.audio_encoder import AudioEncoder
from .mel_filterbank import mel_filters
from .specs import MelSpec

FLOOR = 1e-8
_BLOCK = 1024  # steps transformed at a time, of one wave or several: few enough for the caches
_ROWS = 16  # see `LogMel._described`


class LogMel(AudioEncoder):
    """``log(max(filters . |DFT(window)|^2 / n_fft, 1e-8))`` of a causally pre-emphasized wave.

    Step ``i`` covers samples ``[i * hop, i * hop + window)`` after ``y[n] = x[n] - preemphasis * x[n-1]``. The wave is
    zero before its first sample and after its last. A wave fed to `step` in pieces of any size gives the steps that
    `forward` gives on the whole, bit for bit on the CPU.
    """

    taper: Tensor
    filters: Tensor

    def __init__(self, spec: MelSpec) -> None:
        super().__init__(spec)
        self.sample_rate, self.hop, self.channels = spec.sample_rate, spec.hop, spec.n_mels
        self.look_back, self.look_ahead = int(spec.preemphasis > 0), spec.window
        self._window, self._n_fft, self._n_mels = spec.window, spec.n_fft, spec.n_mels
        self._preemphasis = spec.preemphasis
        self._tapered = spec.window_shape == "hann"
        taper = torch.hann_window(spec.window, dtype=torch.float64) if self._tapered else torch.ones(spec.window)
        self.register_buffer("taper", taper.float(), persistent=False)
        # Products with a few columns more, of zeros, take half the time.
        filters = functional.pad(mel_filters(spec) / spec.n_fft, (0, -spec.n_mels % _ROWS))
        self.register_buffer("filters", filters.float(), persistent=False)

    def forward(self, wave: Tensor, steps: int | None = None) -> Tensor:
        """``[B, S] -> [B, A, C]`` with ``A = steps``, or ``S // hop`` when None; spare samples fill the last windows.

        Raises:
            AudioError: the wave is not ``[B, S]``.
        """
        wave = self._checked(wave)
        count = wave.shape[1] // self.hop if steps is None else steps
        return self._steps(wave, count, before=1)

    def init_state(self, batch: int = 1) -> Tensor:
        """``[batch, 1]``: the silent sample before the first."""
        return self.taper.new_zeros(batch, 1)

    def step(self, wave: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:
        """Samples ``[B, s]`` in; steps ``[B, a, C]`` whose windows are complete out, and the new state.

        The state holds the samples from the one before the next step on. Zeros pushed after the end complete the
        last steps.

        Raises:
            AudioError: the wave is not ``[B, s]``.
        """
        heard = torch.cat([state, self._checked(wave)], dim=1)
        count = max(0, (heard.shape[1] - 1 - self._window) // self.hop + 1)
        return self._steps(heard, count), heard[:, count * self.hop :].clone()

    def _checked(self, wave: Tensor) -> Tensor:
        if wave.dim() != 2:
            name = f"{self.spec.type_name()} encoder"
            raise AudioError(name, "a wave [B, S]", f"shape {list(wave.shape)}", "add the batch axis: wave[None]")
        return wave.to(self.taper)

    def _steps(self, signal: Tensor, count: int, before: int = 0) -> Tensor:
        """``count`` steps, the first of which needs one sample before it: of ``before`` zeros, then the signal."""
        if count == 0:
            return signal.new_zeros(len(signal), 0, self.channels)
        # Energies overflow half precision, so a surrounding autocast is left out.
        with torch.autocast(signal.device.type, enabled=False):
            clips = torch.split(signal, max(1, _BLOCK // count))
            return torch.cat([self._long(some, count, before) for some in clips])

    def _long(self, signal: Tensor, count: int, before: int) -> Tensor:
        blocks = [
            self._described(self._windows(signal, first * self.hop - before, min(_BLOCK, count - first)))
            for first in range(0, count, _BLOCK)
        ]
        return torch.cat(blocks, dim=1)

    def _windows(self, signal: Tensor, begin: int, count: int) -> Tensor:
        """``[B, count, window]``, emphasized; what lies under them alone is touched, so that it stays in the caches."""
        missing, end = max(-begin, 0), begin + (count - 1) * self.hop + self._window + 1
        some = signal[:, begin + missing : end]
        lacking = end - begin - missing - some.shape[1]
        if missing or lacking:
            some = functional.pad(some, (missing, lacking))
        emphasized = (-self._preemphasis * some[:, :-1]).add_(some[:, 1:])
        return emphasized.unfold(1, self._window, self.hop)

    def _described(self, windows: Tensor) -> Tensor:
        tapered = windows * self.taper if self._tapered else windows
        # A matrix product rounds odd rows at its edge differently; full rows make each step the same in any company.
        count = windows.shape[1]
        padded = functional.pad(tapered, (0, self._n_fft - self._window, 0, -count % _ROWS))
        return self._features(padded)[:, :count]

    def _features(self, padded: Tensor) -> Tensor:
        """``[B, a, n_fft] -> [B, a, C]``, each step on its own."""
        squares = torch.view_as_real(torch.fft.rfft(padded)).square_()
        energies = ((squares[..., 0] + squares[..., 1]) @ self.filters)[..., : self._n_mels]
        return torch.log(energies.clamp(min=FLOOR))
