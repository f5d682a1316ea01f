"""Live sessions: samples in, frames out, the same frames whatever the chunks."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor

from ..controls import ControlChain, ControlContext, MotionEdit, chain_lookahead_ms
from ..core.errors import AudioError, HeadmotionError
from ..core.interfaces.capabilities import SupportsDialogue, SupportsStyle, SupportsUncertainty, as_streaming, lacking
from ..core.motion import Motion
from ..core.timing import FrameResampler, Rate, as_fps, frame_count
from ..media.audio import Audio, AudioLike, Resampler, Wave, as_mono
from .feature_stream import Hearing
from .reference import Reference

if TYPE_CHECKING:
    from .pipeline import Pipeline


class Session:
    """One utterance as it is spoken. Memory does not grow with its length.

    Audio passes through the encoder and the generator in blocks of exactly ``block`` native frames, so the result does
    not depend on how the samples were cut. One frame at a time answers soonest; many take less time in all.
    """

    def __init__(
        self,
        pipeline: Pipeline,
        reference: Reference,
        sample_rate: int,
        seed: int = 0,
        fps: Rate | None = None,
        controls: Sequence[MotionEdit] = (),
        style: Any = None,
        block: int = 1,
    ) -> None:
        native, self._chosen = pipeline.spec.fps, pipeline.generator
        if style is not None:
            if not isinstance(self._chosen, SupportsStyle):
                raise lacking(self._chosen, SupportsStyle, "a style")
            self._chosen = self._chosen.styled(style)
        self.sample_rate, self._block = sample_rate, block
        self.fps = native if fps is None else as_fps(fps)
        self._pipeline, self._reference = pipeline, reference
        encoder_rate = pipeline.audio_encoder.sample_rate
        context = ControlContext(pipeline.representation, reference.poses[-1], self.fps, encoder_rate)
        self._edited, self._controls = bool(controls), ControlChain(controls, context)
        self._frames = FrameResampler(native, self.fps)
        self._samples_in = self._frames_heard = self._frames_generated = self._frames_out = 0
        self._closed = False
        self._provenance = {"seed": seed, "model": pipeline.card.get("name", ""), "synthetic": True}
        if isinstance(style, str):
            self._provenance["style"] = style
        self._generator = as_streaming(self._chosen)
        self._listener: SupportsDialogue | None = None
        self._other: Hearing | None = None
        self._unsure = self._chosen if isinstance(self._chosen, SupportsUncertainty) else None
        self._deviation = torch.zeros(0)
        with torch.inference_mode():
            poses = pipeline.representation.normalize(reference.poses, reference.frame)
            self._own = self._hearing()
            self._state = self._generator.init_state(poses.unsqueeze(0).to(pipeline.device), seed)

    def push(self, samples: Any, other: Any = None) -> Motion:
        """Next samples in, the frames that they determine out (perhaps none).

        Args:
            samples: ``[s]`` or ``[s, channels]`` in -1..1.
            other: as many samples of whom the speaker talks with, from the first push on or never.

        Raises:
            AudioError: samples of another shape, NaN or infinite; ``other`` of another length, or not every time.
            HeadmotionError: the generator hears no other speaker (`SupportsDialogue`).
        """
        self._still_open()
        return self._push(as_mono(samples, "audio"), None if other is None else as_mono(other, "other audio"))

    @torch.inference_mode()
    def _push(self, wave: Wave, other: Wave | None) -> Motion:
        """Push samples that are already mono."""
        self._listen(other, len(wave))
        self._samples_in += len(wave)
        heard = self._own.push(wave)
        return self._controls(self._motion(self._frames.push(self._generated())), heard)

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
        native, total = frame_count(duration, self._pipeline.spec.fps), frame_count(duration, self.fps)
        rest = self._own.end(native - self._frames_heard)
        if self._other is not None:
            self._other.end(native - self._frames_heard)
        pieces = [self._frames.push(self._generated(until=native))]
        pieces.append(self._frames.push(self._step(self._own.nothing(), last=True)))
        if self._frames_generated != native:
            # The resampler would hold the last frame, so a generator that counts wrongly would look like a still face.
            steps = native * self._pipeline.spec.steps_per_frame
            name = f"generator {self._chosen.spec.type_name()}"
            raise HeadmotionError(name, f"{native} frames for {steps} audio steps", f"{self._frames_generated} frames")
        pieces.append(self._frames.flush(total))
        return self._controls(self._motion(torch.cat(pieces)[: total - self._frames_out]), rest, last=True)

    def run(self, speech: Audio, other: AudioLike | None = None) -> Iterator[Motion]:
        """All of an audio at the session's rate, about a second at a time, to the end; `flush` included.

        Args:
            other: whom the speaker talks with; cut, or followed by silence, to the length of ``speech``.
        """
        theirs = None if other is None else Audio.coerce(other).blocks(self.sample_rate)
        for block in speech.blocks(self.sample_rate):
            self._still_open()
            yield self._push(block, None if theirs is None else fitted(next(theirs, block[:0]), len(block)))
        yield self.flush()

    @property
    def deviation(self) -> Tensor:
        """Standard deviations ``[t, P, D]`` of the frames that the last `push` or `flush` gave, in the motion's units.

        Raises:
            HeadmotionError: the generator does not tell (`SupportsUncertainty`), or controls edit what it made.
        """
        if self._unsure is None:
            raise lacking(self._chosen, SupportsUncertainty, "deviations")
        if self._edited:
            raise HeadmotionError("session", "no controls, where deviations are asked for", "some", "leave them out")
        return self._deviation

    def _hearing(self) -> Hearing:
        pipeline = self._pipeline
        steps = pipeline.spec.steps_per_frame
        return Hearing(pipeline.audio_encoder, self.sample_rate, steps, pipeline.device, self._block)

    def _listen(self, wave: Wave | None, count: int) -> None:
        """Hear the other speaker's samples, of which there must be ``count``; None: there is no other."""
        if wave is None and self._other is None:
            return
        if not isinstance(self._chosen, SupportsDialogue):
            raise lacking(self._chosen, SupportsDialogue, "another speaker's audio")
        late = self._other is None and self._samples_in > 0
        if wave is None or late or len(wave) != count:
            expected = f"{count} samples of the other speaker too, at every push from the first on"
            raise AudioError("session", expected, "none" if wave is None else f"{len(wave)} samples")
        if self._other is None:
            self._listener, self._other = self._chosen, self._hearing()
        self._other.push(wave)

    def _generated(self, until: int | None = None) -> Tensor:
        """What `_step` gives for all native frames that can be heard by now, but none past ``until``."""
        representation = self._pipeline.representation
        pieces = [torch.zeros(0, 1 if self._unsure is None else 2, representation.points, representation.dims)]
        while until is None or self._frames_heard < until:
            most = None if until is None else until - self._frames_heard
            if (ready := self._own.take(most)) is None:
                break
            theirs = None if self._other is None else self._other.take(most)
            if self._listener is not None and theirs is not None:
                self._state = self._listener.push_listener(theirs, self._state)
            pieces.append(self._step(ready))
            self._frames_heard += ready.shape[1] // self._pipeline.spec.steps_per_frame
        return torch.cat(pieces)

    def _step(self, audio: Tensor, last: bool = False) -> Tensor:
        """Native frames ``[t, 1, P, D]`` of the unit frame that more audio determines.

        With deviations ``[t, 2, P, D]``: the two go through the resampling of frames together.
        """
        frames, self._state = self._generator.step(audio, self._state, last)
        self._frames_generated += frames.shape[1]
        told = [frames[0]] if self._unsure is None else [frames[0], self._unsure.deviation(self._state)[0]]
        return torch.stack(told, dim=1).cpu()

    def _motion(self, told: Tensor) -> Motion:
        representation, reference = self._pipeline.representation, self._reference
        self._frames_out += len(told)
        values = representation.denormalize(told[:, 0].clone(), reference.frame)
        if self._unsure is not None:
            self._deviation = (representation.denormalize(told.sum(1), reference.frame) - values).abs()
        return Motion(
            values,
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


def fitted(wave: Wave, count: int) -> Wave:
    """A wave cut, or followed by silence, to so many samples."""
    return np.pad(wave[:count], (0, max(0, count - len(wave))))


def lookahead_ms(
    pipeline: Pipeline, sample_rate: int, fps: Rate | None = None, controls: Sequence[MotionEdit] = ()
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
