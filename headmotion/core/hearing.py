"""One speaker's samples as feature steps, while they are spoken."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from .audio import Resampler
from .audio_encoder import AudioEncoder


class Hearing:
    """Samples of any rate in, feature steps of one native frame at a time out.

    They are encoded in blocks of exactly one native frame, so the steps do not depend on how the samples were cut.
    """

    def __init__(self, encoder: AudioEncoder, sample_rate: int, steps_per_frame: int, device: torch.device) -> None:
        self._encoder, self._resampler = encoder, Resampler(sample_rate, encoder.sample_rate)
        self._steps, self._block = steps_per_frame, encoder.hop * steps_per_frame
        self._wave = torch.zeros(0)
        self._features = torch.zeros(1, 0, encoder.channels, device=device)
        self._state = encoder.init_state(1)

    def push(self, samples: Any) -> npt.NDArray[np.float32]:
        """Next samples ``[s]`` or ``[s, channels]`` in -1..1; returns them at the encoder's rate.

        Raises:
            AudioError: samples of another shape, NaN or infinite.
        """
        return self._heard(self._resampler.push(samples))

    def end(self, frames: int) -> npt.NDArray[np.float32]:
        """No more samples: silence follows, enough for all of so many native frames."""
        rest = self._heard(self._resampler.flush())
        self._heard(np.zeros(self._encoder.look_ahead + self._block * (frames + 1), np.float32))
        return rest

    def take(self) -> Tensor | None:
        """The steps ``[1, steps_per_frame, C]`` of the next frame; None until enough is heard."""
        while self._features.shape[1] < self._steps and len(self._wave) >= self._block:
            block, self._wave = self._wave[: self._block], self._wave[self._block :]
            fresh, self._state = self._encoder.step(block.unsqueeze(0).to(self._features), self._state)
            self._features = torch.cat([self._features, fresh], dim=1)
        if self._features.shape[1] < self._steps:
            return None
        ready, self._features = self._features[:, : self._steps], self._features[:, self._steps :]
        return ready

    def nothing(self) -> Tensor:
        """No steps, ``[1, 0, C]``."""
        return self._features[:, :0]

    def _heard(self, wave: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        self._wave = torch.cat([self._wave, torch.from_numpy(wave)])
        return wave
