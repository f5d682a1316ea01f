"""FeatureStream: the feature steps of one speaker's samples, while they arrive."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor

from ..core.errors import OutputError
from ..core.interfaces.audio_encoder import AudioEncoder, SupportsAudioStreaming, needs_whole_clip
from ..core.outputs import checked_features
from ..media.audio import Resampler, Wave
from .batched_calls import EncoderCall, Work


class FeatureStream:
    """Samples of any rate in, feature steps out, a block of native frames at a time.

    Every call of the encoder gets exactly one block, so the steps do not depend on how the samples are divided. Of an
    encoder that needs the whole clip, all steps come after `finish`, and memory grows with the clip.

    Args:
        encoder: the audio encoder.
        sample_rate: rate of the samples (Hz).
        steps_per_frame: audio steps per motion frame.
        device: device of the steps.
        frames: native frames per block.
    """

    def __init__(
        self, encoder: AudioEncoder, sample_rate: int, steps_per_frame: int, device: torch.device, frames: int = 1
    ) -> None:
        self._encoder, self._resampler = encoder, Resampler(sample_rate, encoder.sample_rate)
        self._steps_per_frame, self._samples_per_frame = steps_per_frame, encoder.hop * steps_per_frame
        self._block_frames = frames
        self._wave = torch.zeros(0)
        self._clip: list[Tensor] = []  # all samples, where the encoder needs them at once
        self._features = torch.zeros(1, 0, encoder.channels, device=device)
        self._samples_in = self._steps_out = 0
        self._streaming: SupportsAudioStreaming | None = None
        self._state: Any = None
        if isinstance(encoder, SupportsAudioStreaming) and not needs_whole_clip(encoder):
            self._streaming, self._state = encoder, encoder.init_state(1)

    def push(self, wave: Wave) -> Wave:
        """Add the next samples ``[s]``, checked and mono; return them at the encoder's rate."""
        return self._append(self._resampler.push(wave))

    def least_samples(self) -> int:
        """Return the least number of samples to push until `take` may return a block again, after it returned None.

        Fewer may be held back and pushed later together, for the same blocks at the same time.
        """
        missing = self._block_frames * self._samples_per_frame - self._wave.shape[0]
        return self._resampler.least_samples(missing)

    def finish(self, frames: int) -> Wave:
        """End the samples; silence follows, enough for ``frames`` more native frames.

        Returns:
            The last samples ``[s]`` at the encoder's rate, without the silence.
        """
        remainder = self._append(self._resampler.flush())
        if self._streaming is None:
            clip = torch.cat(self._clip).unsqueeze(0).to(self._features)
            steps = frames * self._steps_per_frame
            features = self._encoder(clip, steps)
            self._features = checked_features(self._encoder, features, 1, steps, self._encoder.channels)
            self._clip = []
            return remainder
        # Silence fills the window of the last step, and one block more, because only whole blocks are encoded.
        silence = (self._encoder.look_ahead or 0) + self._samples_per_frame * (frames + self._block_frames)
        self._append(np.zeros(silence, np.float32))
        return remainder

    def take(self, max_frames: int | None = None) -> Work[Tensor | None]:
        """Return the steps of the next block, or None until there are enough samples; the encoder is called as work.

        Args:
            max_frames: length of the last block, if fewer frames than a block remain.

        Returns:
            ``[1, n * steps_per_frame, C]`` for ``n`` frames.
        """
        frames = self._block_frames if max_frames is None else min(max_frames, self._block_frames)
        steps, samples = frames * self._steps_per_frame, frames * self._samples_per_frame
        while self._streaming is not None and self._features.shape[1] < steps and self._wave.shape[0] >= samples:
            block, self._wave = self._wave[:samples], self._wave[samples:]
            call = EncoderCall(self._streaming, block.unsqueeze(0).to(self._features), self._state)
            new, self._state = yield call
            new = checked_features(self._encoder, new, 1, None, self._encoder.channels)
            self._features = torch.cat([self._features, new], dim=1) if self._features.shape[1] else new
            self._check_count(samples, new.shape[1])
        if self._features.shape[1] < steps:
            return None
        block_features, self._features = self._features[:, :steps], self._features[:, steps:]
        return block_features

    def empty(self) -> Tensor:
        """Return no steps, ``[1, 0, C]``."""
        return self._features[:, :0]

    def get_state(self) -> dict[str, Any]:
        """Return the position in the audio, from which `set_state` of a new stream of the same encoder continues."""
        state = {"resampler": self._resampler.get_state(), "wave": self._wave, "features": self._features}
        return state | {"encoder": self._state, "clip": self._clip, "counts": (self._samples_in, self._steps_out)}

    def set_state(self, state: dict[str, Any]) -> None:
        """Continue where `get_state` was called."""
        self._resampler.set_state(state["resampler"])
        self._wave, self._features = state["wave"], state["features"]
        self._state, self._clip = state["encoder"], state["clip"]
        self._samples_in, self._steps_out = state["counts"]

    def _check_count(self, samples: int, steps: int) -> None:
        """Raise an OutputError if the encoder has returned fewer steps than its look-ahead promises."""
        self._samples_in, self._steps_out = self._samples_in + samples, self._steps_out + steps
        encoder = self._encoder
        due = (self._samples_in - (encoder.look_ahead or 0)) // encoder.hop + 1
        if self._steps_out < due:
            name, got = f"audio encoder {encoder.spec.type_name()}", f"{self._steps_out} steps"
            raise OutputError(name, f"{due} steps after {self._samples_in} samples", got, "state the true look_ahead")

    def _append(self, wave: Wave) -> Wave:
        if self._streaming is None:
            self._clip.append(torch.from_numpy(wave))
        else:
            new = torch.from_numpy(wave)
            self._wave = torch.cat([self._wave, new]) if self._wave.shape[0] else new
        return wave
