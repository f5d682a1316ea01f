"""Live sessions: samples in, frames out, the same frames whatever the chunks."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import torch

from .controls import Chain, Edit, Setting, chain_lookahead_ms
from .core.abilities import as_streaming
from .core.audio import Resampler
from .core.errors import AudioError, HeadmotionError
from .core.motion import Motion
from .core.timing import FrameResampler, Rate, as_fps, frame_count
from .reference import Reference

if TYPE_CHECKING:
    from .pipeline import Pipeline


class Session:
    """One utterance as it is spoken. Memory does not grow with its length.

    Audio passes through the resampler, the encoder and the generator in blocks of exactly one native frame, so the
    result does not depend on how the samples were cut.
    """

    def __init__(
        self,
        pipeline: Pipeline,
        reference: Reference,
        sample_rate: int,
        seed: int = 0,
        fps: Rate | None = None,
        controls: Sequence[Edit] = (),
    ) -> None:
        encoder, native = pipeline.audio_encoder, pipeline.spec.fps
        self._generator = as_streaming(pipeline.generator)
        self.sample_rate = sample_rate
        self.fps = native if fps is None else as_fps(fps)
        self._pipeline, self._reference = pipeline, reference
        setting = Setting(pipeline.representation, reference.poses[-1], self.fps, encoder.sample_rate)
        self._controls = Chain(controls, setting)
        self._resampler = Resampler(sample_rate, encoder.sample_rate)
        self._frames = FrameResampler(native, self.fps)
        self._steps = pipeline.spec.steps_per_frame
        self._block = encoder.hop * self._steps
        self._wave = torch.zeros(0)
        self._features = torch.zeros(1, 0, encoder.channels, device=pipeline.device)
        self._samples_in = self._frames_heard = self._frames_out = 0
        self._closed = False
        self._provenance = {"seed": seed, "model": pipeline.card.get("name", ""), "synthetic": True}
        with torch.inference_mode():
            poses = pipeline.representation.normalize(reference.poses, reference.frame)
            self._encoder_state = encoder.init_state(1)
            self._generator_state = self._generator.init_state(poses.unsqueeze(0).to(pipeline.device), seed)

    @torch.inference_mode()
    def push(self, samples: Any) -> Motion:
        """Next samples ``[s]`` or ``[s, channels]`` in -1..1 in, the frames that they determine out (perhaps none).

        Raises:
            AudioError: samples of another shape, NaN or infinite.
        """
        self._still_open()
        self._samples_in += len(samples)
        heard = torch.from_numpy(self._resampler.push(samples))
        return self._controls(self._motion(self._frames.push(self._generated(heard))), heard.numpy())

    @torch.inference_mode()
    def flush(self) -> Motion:
        """The remaining frames; the session ends.

        Raises:
            AudioError: nothing was pushed.
        """
        self._still_open()
        if not self._samples_in:
            raise AudioError("session", "some audio before the flush", "0 samples")
        self._closed = True
        duration = Fraction(self._samples_in, self.sample_rate)
        native = frame_count(duration, self._pipeline.spec.fps)
        rest = torch.from_numpy(self._resampler.flush())
        # Silence follows the end, enough of it for the window of the last step.
        silence = torch.zeros(self._pipeline.audio_encoder.look_ahead + self._block * (native + 1))
        frames = self._generated(torch.cat([rest, silence]), until=native)
        last, _ = self._generator.step(self._features[:, :0], self._generator_state, last=True)
        pieces = [self._frames.push(frames), self._frames.push(last[0].cpu())]
        pieces.append(self._frames.flush(frame_count(duration, self.fps)))
        total = frame_count(duration, self.fps) - self._frames_out
        return self._controls(self._motion(torch.cat(pieces)[:total]), rest.numpy(), last=True)

    def _generated(self, heard: torch.Tensor, until: int | None = None) -> torch.Tensor:
        """Native frames ``[t, P, D]`` of the unit frame that more samples determine; none are heard past ``until``."""
        encoder = self._pipeline.audio_encoder
        self._wave = torch.cat([self._wave, heard])
        frames = []
        while len(self._wave) >= self._block and (until is None or self._frames_heard < until):
            block, self._wave = self._wave[: self._block], self._wave[self._block :]
            fresh, self._encoder_state = encoder.step(block.unsqueeze(0).to(self._features), self._encoder_state)
            self._features = torch.cat([self._features, fresh], dim=1)
            if self._features.shape[1] >= self._steps:
                ready, self._features = self._features[:, : self._steps], self._features[:, self._steps :]
                piece, self._generator_state = self._generator.step(ready, self._generator_state)
                self._frames_heard += 1
                frames.append(piece[0].cpu())
        representation = self._pipeline.representation
        return torch.cat(frames) if frames else torch.zeros(0, representation.points, representation.dims)

    def _motion(self, frames: torch.Tensor) -> Motion:
        representation, reference = self._pipeline.representation, self._reference
        self._frames_out += len(frames)
        return Motion(
            representation.denormalize(frames.clone(), reference.frame),
            self.fps,
            representation=representation.spec.model_dump(mode="json"),
            frame=reference.frame,
            units=reference.units,
            reference=reference.poses[-1],
            provenance=self._provenance,
        )

    def _still_open(self) -> None:
        if self._closed:
            raise HeadmotionError("session", "an open session", "one that was flushed", "call pipeline.stream() again")


def lookahead_ms(
    pipeline: Pipeline, sample_rate: int, fps: Rate | None = None, controls: Sequence[Edit] = ()
) -> float | None:
    """Milliseconds of audio beyond a frame's time stamp that the frame waits for, resamplers and controls included.

    None where the generator or a control needs the whole clip.
    """
    encoder, native = pipeline.audio_encoder, pipeline.spec.fps
    ahead = as_streaming(pipeline.generator).lookahead
    if ahead is None:
        return None
    ahead += FrameResampler(native, native if fps is None else as_fps(fps)).lookahead
    # The window of the last step that frame 0 waits for, and the rest of the block it ends in.
    block = encoder.hop * pipeline.spec.steps_per_frame
    needed = (ahead + 1) * block - encoder.hop + encoder.look_ahead
    samples = -(-needed // block) * block
    edited = chain_lookahead_ms(controls, 1000 * samples / encoder.sample_rate)
    return None if edited is None else edited + 1000 * Resampler(sample_rate, encoder.sample_rate).delay_seconds
