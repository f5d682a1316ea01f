"""One speaker's samples as feature steps, while they are spoken."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from ..core.interfaces.audio_encoder import AudioEncoder
from ..media.audio import Resampler


class Hearing:
    """Samples of any rate in, feature steps of so many native frames at a time out.

    They are encoded in blocks of exactly these frames, so the steps do not depend on how the samples were cut.
    """

    def __init__(
        self, encoder: AudioEncoder, sample_rate: int, steps_per_frame: int, device: torch.device, frames: int = 1
    ) -> None:
        self._encoder, self._resampler = encoder, Resampler(sample_rate, encoder.sample_rate)
        self._steps, self._per_frame, self._frames = steps_per_frame, encoder.hop * steps_per_frame, frames
        self._wave = torch.zeros(0)
        self._features = torch.zeros(1, 0, encoder.channels, device=device)
        self._state = encoder.init_state(1)

    def push(self, wave: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        """Add the next samples ``[s]``, checked and mono; return them at the encoder's rate."""
        return self._heard(self._resampler.push_mono(wave))

    def end(self, frames: int) -> npt.NDArray[np.float32]:
        """No more samples: silence follows, enough for so many native frames more."""
        rest = self._heard(self._resampler.flush())
        self._heard(np.zeros(self._encoder.look_ahead + self._per_frame * (frames + self._frames), np.float32))
        return rest

    def take(self, most: int | None = None) -> Tensor | None:
        """The steps ``[1, n * steps_per_frame, C]`` of the next ``n`` frames; None until enough is heard.

        Args:
            most: as many frames, if that is fewer than a block has: how a speech ends.
        """
        frames = self._frames if most is None else min(most, self._frames)
        steps, samples = frames * self._steps, frames * self._per_frame
        while self._features.shape[1] < steps and len(self._wave) >= samples:
            block, self._wave = self._wave[:samples], self._wave[samples:]
            fresh, self._state = self._encoder.step(block.unsqueeze(0).to(self._features), self._state)
            self._features = torch.cat([self._features, fresh], dim=1)
        if self._features.shape[1] < steps:
            return None
        ready, self._features = self._features[:, :steps], self._features[:, steps:]
        return ready

    def nothing(self) -> Tensor:
        """No steps, ``[1, 0, C]``."""
        return self._features[:, :0]

    def _heard(self, wave: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        self._wave = torch.cat([self._wave, torch.from_numpy(wave)])
        return wave
