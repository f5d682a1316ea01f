"""Live sessions: samples in, frames out, the same frames however the samples are divided."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor

from ..controls import ControlChain, ControlContext, MotionEdit, chain_lookahead_ms
from ..core.errors import AudioError, HeadmotionError
from ..core.interfaces.audio_encoder import needs_whole_clip
from ..core.interfaces.capabilities import SupportsDialogue, SupportsStyle, SupportsUncertainty, as_streaming, lacking
from ..core.motion import Motion
from ..core.timing import FrameResampler, Rate, as_fps, frame_count
from ..media.audio import Audio, AudioLike, Resampler, Wave, as_mono
from .feature_stream import FeatureStream
from .reference import Reference

if TYPE_CHECKING:
    from .pipeline import Pipeline


class Session:
    """One utterance while it is spoken. Memory does not grow with its length.

    Audio passes through encoder and generator in blocks of exactly ``block`` native frames, so the result does not
    depend on how the samples are divided. Blocks of one frame have the lowest latency; larger ones take less time.

    Args:
        pipeline: the built parts.
        reference: the pose that the motion starts from.
        sample_rate: rate of the samples (Hz).
        seed: seed of the generator's noise.
        fps: frames per second of the motion; None means the pipeline's own.
        controls: edits of the motion, applied in order.
        style: a style of the generator; None means its default.
        block: native frames that are processed at once.

    Raises:
        HeadmotionError: the generator has no styles (`SupportsStyle`), or not this one.
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
        generator, native_fps = pipeline.generator, pipeline.spec.fps
        if style is not None:
            if not isinstance(generator, SupportsStyle):
                raise lacking(generator, SupportsStyle, "a style")
            generator = generator.styled(style)
        self.sample_rate, self._block = sample_rate, block
        self.fps = native_fps if fps is None else as_fps(fps)
        self._pipeline, self._reference, self._generator = pipeline, reference, generator
        self._representation_fields = pipeline.representation.spec.model_dump(mode="json")
        self._provenance = {"seed": seed, "model": pipeline.card.get("name", ""), "synthetic": True}
        if isinstance(style, str):
            self._provenance["style"] = style
        encoder_rate = pipeline.audio_encoder.sample_rate
        context = ControlContext(pipeline.representation, reference.poses[-1], self.fps, encoder_rate)
        self._has_controls, self._controls = bool(controls), ControlChain(controls, context)
        self._resampler = FrameResampler(native_fps, self.fps)
        self._samples_in = self._native_in = self._native_out = self._frames_out = 0
        self._closed = False
        self._listener: FeatureStream | None = None
        self._uncertain = generator if isinstance(generator, SupportsUncertainty) else None
        self._deviation = torch.zeros(0)
        self._stream = as_streaming(generator)
        with torch.inference_mode():
            poses = pipeline.representation.normalize(reference.poses, reference.frame)
            self._speaker = self._feature_stream()
            self._state = self._stream.init_state(poses.unsqueeze(0).to(pipeline.device), seed)

    def push(self, samples: Any, listener: Any = None) -> Motion:
        """Take the next samples and return the frames that they determine, perhaps none.

        Args:
            samples: ``[s]`` or ``[s, channels]`` in -1..1.
            listener: as many samples of the listener, the other person of a dialogue; at every push or at none.

        Raises:
            AudioError: samples of another shape, NaN or infinite; listener samples of another length, or missing.
            HeadmotionError: the generator takes no listener (`SupportsDialogue`), or the session has ended.
        """
        self._check_open()
        return self._push(as_mono(samples, "audio"), None if listener is None else as_mono(listener, "listener audio"))

    @torch.inference_mode()
    def flush(self) -> Motion:
        """Return the remaining frames; the session ends.

        Raises:
            AudioError: nothing was pushed.
            HeadmotionError: the generator returned too few or too many frames, or the session has ended.
        """
        self._check_open()
        if not self._samples_in:
            raise AudioError("session", "some audio before the flush", "0 samples")
        self._closed = True
        duration = Fraction(self._samples_in, self.sample_rate)
        native, total = frame_count(duration, self._pipeline.spec.fps), frame_count(duration, self.fps)
        speech = self._speaker.finish(native - self._native_in)
        if self._listener is not None:
            self._listener.finish(native - self._native_in)
        # The silence at the end only fills windows: no frame beyond the last of the speech may be generated.
        frames = [self._resampler.push(self._generate(until=native))]
        frames.append(self._resampler.push(self._step(self._speaker.empty(), last=True)))
        if self._native_out != native:
            # The resampler would hold the last frame, and a generator that counts wrongly would look like a still face.
            steps = native * self._pipeline.spec.steps_per_frame
            name = f"generator {self._generator.spec.type_name()}"
            raise HeadmotionError(name, f"{native} frames for {steps} audio steps", f"{self._native_out} frames")
        frames.append(self._resampler.flush(total))
        return self._controls(self._motion(torch.cat(frames)[: total - self._frames_out]), speech, last=True)

    def run(self, speech: Audio, listener: AudioLike | None = None) -> Iterator[Motion]:
        """Push all of an audio, about a second at a time, and flush; yield the frames.

        Args:
            speech: the speaker's audio, whose rate is the session's.
            listener: audio of the listener; cut or padded with silence to the length of ``speech``.
        """
        listener_blocks = None if listener is None else Audio.coerce(listener).blocks(self.sample_rate)
        for block in speech.blocks(self.sample_rate):
            self._check_open()  # the caller may flush between two frames
            yield self._push(block, None if listener_blocks is None else _fit(next(listener_blocks, None), len(block)))
        yield self.flush()

    @property
    def deviation(self) -> Tensor:
        """Standard deviations ``[t, P, D]`` of the frames of the last `push` or `flush`, in the motion's units.

        Raises:
            HeadmotionError: the generator estimates none (`SupportsUncertainty`), or controls edit its motion.
        """
        if self._uncertain is None:
            raise lacking(self._generator, SupportsUncertainty, "deviations")
        if self._has_controls:
            raise HeadmotionError("session", "no controls with deviations", "some", "leave the controls out")
        return self._deviation

    @torch.inference_mode()
    def _push(self, wave: Wave, listener: Wave | None) -> Motion:
        """Push samples that are already checked and mono."""
        self._push_listener(listener, len(wave))
        self._samples_in += len(wave)
        speech = self._speaker.push(wave)
        return self._controls(self._motion(self._resampler.push(self._generate())), speech)

    def _feature_stream(self) -> FeatureStream:
        pipeline = self._pipeline
        steps = pipeline.spec.steps_per_frame
        return FeatureStream(pipeline.audio_encoder, self.sample_rate, steps, pipeline.device, self._block)

    def _push_listener(self, wave: Wave | None, count: int) -> None:
        """Add the listener's samples, of which there must be ``count``; None if there is no listener."""
        if wave is None and self._listener is None:
            return
        if not isinstance(self._generator, SupportsDialogue):
            raise lacking(self._generator, SupportsDialogue, "listener audio")
        late = self._listener is None and self._samples_in > 0
        if wave is None or late or len(wave) != count:
            expected = f"{count} samples of the listener too, at every push from the first on"
            raise AudioError("session", expected, "none" if wave is None else f"{len(wave)} samples")
        if self._listener is None:
            self._listener = self._feature_stream()
        self._listener.push(wave)

    def _generate(self, until: int | None = None) -> Tensor:
        """Return what `_step` returns for all blocks that are complete, but for no native frame from ``until`` on."""
        representation = self._pipeline.representation
        parts = [torch.zeros(0, 1 if self._uncertain is None else 2, representation.points, representation.dims)]
        while until is None or self._native_in < until:
            remaining = None if until is None else until - self._native_in
            if (features := self._speaker.take(remaining)) is None:
                break
            if self._listener is not None and isinstance(self._generator, SupportsDialogue):
                listener = self._listener.take(remaining)
                assert listener is not None, "both speakers have as many samples"
                self._state = self._generator.push_listener(listener, self._state)
            parts.append(self._step(features))
            self._native_in += features.shape[1] // self._pipeline.spec.steps_per_frame
        return torch.cat(parts)

    def _step(self, features: Tensor, last: bool = False) -> Tensor:
        """Return the native frames ``[t, 1, P, D]`` of the unit frame that the next features determine.

        With deviations it is ``[t, 2, P, D]``, so that both go through the resampling of frames together.
        """
        frames, self._state = self._stream.step(features, self._state, last)
        self._native_out += frames.shape[1]
        values = [frames[0]]
        if self._uncertain is not None:
            values.append(self._uncertain.deviation(self._state)[0])
        return torch.stack(values, dim=1).cpu()

    def _motion(self, values: Tensor) -> Motion:
        representation, reference = self._pipeline.representation, self._reference
        self._frames_out += len(values)
        # A copy, so that a motion does not keep the memory of its deviations.
        frames = representation.denormalize(values[:, 0].clone(), reference.frame)
        if self._uncertain is not None:
            # A deviation is a distance, so it is mapped to the motion's units as the difference of two poses.
            self._deviation = (representation.denormalize(values.sum(1), reference.frame) - frames).abs()
        return Motion(
            frames,
            self.fps,
            representation=self._representation_fields,
            frame=reference.frame,
            units=reference.units,
            reference=reference.poses[-1],
            provenance=self._provenance,
        )

    def _check_open(self) -> None:
        if self._closed:
            raise HeadmotionError("session", "an open session", "one that was flushed", "call pipeline.stream() again")


def _fit(wave: Wave | None, count: int) -> Wave:
    """Cut a wave to ``count`` samples, or pad it with silence; None is a wave without samples."""
    wave = np.zeros(0, np.float32) if wave is None else wave[:count]
    return np.pad(wave, (0, count - len(wave)))


def lookahead_ms(
    pipeline: Pipeline, sample_rate: int, fps: Rate | None = None, controls: Sequence[MotionEdit] = ()
) -> float | None:
    """Compute the audio beyond a frame's time stamp that the frame waits for, resamplers and controls included (ms).

    Args:
        pipeline: the built parts.
        sample_rate: rate of the samples (Hz).
        fps: frames per second of the motion; None means the pipeline's own.
        controls: edits of the motion.

    Returns:
        Milliseconds; None if the audio encoder, the generator or a control needs the whole clip.
    """
    encoder, native_fps = pipeline.audio_encoder, pipeline.spec.fps
    frames = as_streaming(pipeline.generator).lookahead
    if frames is None or encoder.look_ahead is None or needs_whole_clip(encoder):
        return None
    frames += FrameResampler(native_fps, native_fps if fps is None else as_fps(fps)).lookahead
    # Up to the end of the window of the last step that frame 0 waits for, rounded up to a block of one frame.
    block = encoder.hop * pipeline.spec.steps_per_frame
    needed = (frames + 1) * block - encoder.hop + encoder.look_ahead
    samples = -(-needed // block) * block
    edited = chain_lookahead_ms(controls, 1000 * samples / encoder.sample_rate)
    return None if edited is None else edited + 1000 * Resampler(sample_rate, encoder.sample_rate).delay_seconds
