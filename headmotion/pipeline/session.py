"""Live sessions: samples in, frames out, the same frames however the samples are divided."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator, Sequence
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ..controls import ControlChain, ControlContext, MotionEdit
from ..core.arguments import SEEDS, as_integer, as_path
from ..core.conversion import basis_of
from ..core.errors import AudioError, CheckpointError, HeadmotionError, OutputError
from ..core.interfaces.capabilities import SupportsDialogue, SupportsStyle, SupportsUncertainty, as_streaming, lacking
from ..core.interfaces.generator import Generator
from ..core.interfaces.representation import require_fitted
from ..core.motion import Motion
from ..core.outputs import checked_motion, require_finite
from ..core.timing import FrameResampler, Rate, as_fps, frame_count
from ..media.audio import Audio, AudioLike, Wave
from .batched_calls import GeneratorCall, Work, run_alone
from .feature_stream import FeatureStream
from .host_settings import check_host
from .motion_options import MotionOptions, checked_controls
from .reference import Reference
from .sample_queue import Chunk, SampleQueue

if TYPE_CHECKING:
    from .pipeline import Pipeline


class Session:
    """One utterance while it is spoken. Memory does not grow with its length.

    Audio passes through encoder and generator in blocks of exactly ``block`` native frames, so the result does not
    depend on how the samples are divided. Blocks of one frame have the lowest latency; larger ones take less time.
    Several threads may use a session; they wait for each other.

    Args:
        pipeline: the built parts.
        reference: the pose that the motion starts from.
        sample_rate: rate of the samples (Hz).
        block: native frames that are processed at once.
        seed: see `MotionOptions`, as for the others.
        fps: frames per second of the motion.
        controls: edits of the motion.
        style: a style of the generator.

    Raises:
        HeadmotionError: the generator has no styles (`SupportsStyle`), or not this one; settings of torch or of the
            pipeline with which it cannot compute (`check_host`).
    """

    def __init__(
        self,
        pipeline: Pipeline,
        reference: Reference,
        sample_rate: int,
        block: int = 1,
        *,
        seed: int = 0,
        fps: Rate | None = None,
        controls: Sequence[MotionEdit] = (),
        style: Any = None,
    ) -> None:
        check_host(pipeline)
        seed = as_integer(seed, "seed", below=SEEDS)
        controls = checked_controls(controls)
        require_fitted(pipeline.representation)
        generator, native_fps = _styled(pipeline.generator, style), pipeline.spec.fps
        self.sample_rate, self._block = sample_rate, block
        self.fps = native_fps if fps is None else as_fps(fps)
        self._options = MotionOptions(seed=seed, fps=self.fps, controls=tuple(controls), style=style)
        self._lock = threading.RLock()
        self.pipeline, self._reference, self._generator = pipeline, reference, generator
        self._no_motion = _empty_motion(pipeline, reference, self.fps, seed, style)
        encoder_rate = pipeline.audio_encoder.sample_rate
        context = ControlContext(pipeline.representation, reference.poses[-1], self.fps, encoder_rate)
        self._has_controls, self._controls = bool(controls), ControlChain(controls, context)
        self._resampler = FrameResampler(native_fps, self.fps)
        self._samples_in = self._native_in = self._native_out = self._frames_out = 0
        self._ended = ""
        self._queue = SampleQueue(sample_rate)
        self._listener: FeatureStream | None = None
        self._is_dialogue: bool | None = None  # decided by the first push
        self._uncertain = generator if isinstance(generator, SupportsUncertainty) else None
        self._deviation = torch.zeros(0)
        self._no_frames = self._no_motion.values[:, None].repeat(1, 1 if self._uncertain is None else 2, 1, 1)
        self._stream = as_streaming(generator)
        with torch.inference_mode():
            poses = pipeline.representation.normalize(reference.poses, reference.frame)
            self._speaker = self._feature_stream()
            self._state = self._stream.init_state(poses.unsqueeze(0).to(pipeline.device), seed)

    def __repr__(self) -> str:
        state = f", ended: {self._ended}" if self._ended else ""
        return f"<Session: {self.sample_rate} Hz, {self.fps} fps, {self._frames_out} frames so far{state}>"

    def push(self, samples: Any, listener: Any = None) -> Motion:
        """Take the next samples and return the frames that they determine, perhaps none.

        Args:
            samples: ``[s]`` or ``[s, channels]`` in -1..1.
            listener: as many samples of the listener, the other person of a dialogue; at every push or at none.

        Raises:
            AudioError: samples of another shape, NaN or infinite; listener samples of another length, or missing.
            HeadmotionError: the generator takes no listener (`SupportsDialogue`), or the session has ended.
        """
        with self._lock:
            self.check_open()
            chunk = self._checked(samples, listener)
            if is_due := self._queue.is_due(len(chunk[0])):
                check_host(self.pipeline, goes_on=True)
            self._samples_in += len(chunk[0])
            self._queue.push(chunk)
            self._deviation = self._no_motion.values
            return run_alone(self.advance()) if is_due else self._no_motion

    def flush(self) -> Motion:
        """Return the remaining frames; the session ends.

        Raises:
            AudioError: nothing was pushed.
            HeadmotionError: the generator returned too few or too many frames, or the session has ended.
        """
        with self._lock:
            self.check_open()
            self.check_audio()
            check_host(self.pipeline, goes_on=True)
            self._ended = "one that was flushed"
            return run_alone(self.finish())

    def snapshot(self, path: str | os.PathLike[str]) -> Path:
        """Write the session as one ``.safetensors`` file, from which `Pipeline.restore` continues to the same bits.

        It may be written between any two pushes. The file is safe to read: it holds tensors and JSON, no pickle, and it
        appears whole or not at all.

        Returns:
            The path.

        Raises:
            CheckpointError: the encoder, the generator or a control has a state that cannot be stored; another suffix.
            HeadmotionError: the session has ended.
        """
        from .snapshot import save_snapshot

        with self._lock:
            self.check_open()
            return save_snapshot(self, as_path(path, "snapshot", CheckpointError))

    @property
    def has_queue(self) -> bool:
        """Whether samples wait of which something can be made."""
        return self._queue.is_due()

    def enqueue(self, samples: Any, listener: Any = None) -> None:
        """Check and queue samples for `advance`; arguments and errors as in `push`."""
        with self._lock:
            chunk = self._checked(samples, listener)
            self._samples_in += len(chunk[0])
            self._queue.push(chunk)

    def _checked(self, samples: Any, listener: Any) -> Chunk:
        chunk = self._queue.checked(samples, listener)
        self._check_listener(chunk[1], len(chunk[0]))
        return chunk

    def advance(self) -> Work[Motion]:
        """Process what is queued, as work that a pool does for many sessions at once."""
        waves = self._queue.waves()
        motions: list[Motion] = [] if waves else [self._no_motion]
        deviations = [] if waves else [self._no_motion.values]
        while waves:
            wave, listener = waves.popleft()
            if listener is not None:
                self._listener = self._listener or self._feature_stream()
                self._listener.push(listener)
            speech = self._speaker.push(wave)
            frames = yield from self._generate()
            motions.append(self._controls(self._motion(self._resampler.push(frames)), speech))
            deviations.append(self._deviation)
        self._deviation = _joined(deviations)
        # Controls get the speech as it comes, because frames may wait for it.
        self._queue.least = 0 if self._has_controls else self._speaker.least_samples()
        return motions[0] if len(motions) == 1 else Motion.concatenate(motions)

    def finish(self) -> Work[Motion]:
        """Process what is queued and the end of the audio, as work that a pool does for many sessions at once.

        Raises:
            HeadmotionError: the generator returned too few or too many frames.
        """
        earlier = yield from self.advance()
        deviation = self._deviation
        duration = Fraction(self._samples_in, self.sample_rate)
        native, total = frame_count(duration, self.pipeline.spec.fps), frame_count(duration, self.fps)
        speech = self._speaker.finish(native - self._native_in)
        if self._listener is not None:
            self._listener.finish(native - self._native_in)
        # The silence at the end only fills windows: no frame beyond the last of the speech may be generated.
        frames = [self._resampler.push((yield from self._generate(until=native)))]
        frames.append(self._resampler.push((yield from self._step(self._speaker.empty(), last=True))))
        if self._native_out != native:
            # The resampler would hold the last frame, and a generator that counts wrongly would look like a still face.
            steps = native * self.pipeline.spec.steps_per_frame
            name = f"generator {self._generator.spec.type_name()}"
            raise OutputError(name, f"{native} frames for {steps} audio steps", f"{self._native_out} frames")
        frames.append(self._resampler.flush(total))
        motion = self._controls(self._motion(torch.cat(frames)[: total - self._frames_out]), speech, last=True)
        self._deviation = torch.cat([deviation, self._deviation])
        return Motion.concatenate([earlier, motion])

    def run(self, speech: Audio, listener: AudioLike | None = None) -> Iterator[Motion]:
        """Push all of an audio, about a second at a time, and flush; yield the frames.

        Args:
            speech: the speaker's audio, whose rate is the session's.
            listener: audio of the listener; cut or padded with silence to the length of ``speech``.
        """
        listener_blocks = None if listener is None else Audio.coerce(listener).blocks(self.sample_rate)
        for block in speech.blocks(self.sample_rate):
            listener_block = None if listener_blocks is None else _fit(next(listener_blocks, None), len(block))
            with self._lock:
                self.check_open()  # the caller may flush between two frames, which ends the session
                self._check_listener(listener_block, len(block))
                self._samples_in += len(block)
                self._queue.push_mixed(block, listener_block)
                yield run_alone(self.advance())
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

    def check_open(self) -> None:
        """Raise a HeadmotionError if the session has ended."""
        if self._ended:
            raise HeadmotionError("session", "an open session", self._ended, "call pipeline.stream() again")

    def check_audio(self) -> None:
        """Raise an AudioError if nothing was pushed."""
        if not self._samples_in:
            raise AudioError("session", "some audio before the flush", "0 samples")

    def end(self, state: str) -> None:
        """Reserve the session for the caller, if it is open.

        Args:
            state: what the session is from now on, for the error, such as "one that is in a pool".
        """
        with self._lock:
            self.check_open()
            self._ended = state

    @property
    def arguments(self) -> dict[str, Any]:
        """The arguments with which the session was made, but for the pipeline."""
        return {"reference": self._reference, "sample_rate": self.sample_rate, "block": self._block, **self._options}

    def get_state(self) -> dict[str, Any]:
        """Return the position in the audio by part, for a snapshot; the session's own objects, not copies.

        Raises:
            CheckpointError: a control whose state cannot be stored.
        """
        encoder, generator = self.pipeline.audio_encoder.spec, self._generator.spec
        waves, mixers = self._queue.get_state()
        return {
            f"audio encoder {encoder.type_name()}": self._speaker.get_state(),
            "listener": None if self._listener is None else self._listener.get_state(),
            f"generator {generator.type_name()}": self._state,
            "controls": self._controls.get_state(),
            "frames": self._resampler.get_state(),
            "queue": waves,
            "mixers": mixers,
            "counts": (self._samples_in, self._native_in, self._native_out, self._frames_out),
            "others": (self._is_dialogue, self._deviation),
        }

    def set_state(self, state: dict[str, Any]) -> None:
        """Continue where `get_state` of a session with the same settings was called."""
        speaker, listener, self._state, controls, frames, queue, mixers, counts, others = state.values()
        self._samples_in, self._native_in, self._native_out, self._frames_out = counts
        self._is_dialogue, self._deviation = others
        self._queue.set_state(queue, mixers)
        self._speaker.set_state(speaker)
        if listener is not None:
            self._listener = self._feature_stream()
            self._listener.set_state(listener)
        self._controls.set_state(controls)
        self._resampler.set_state(frames)

    def _feature_stream(self) -> FeatureStream:
        pipeline = self.pipeline
        steps = pipeline.spec.steps_per_frame
        return FeatureStream(pipeline.audio_encoder, self.sample_rate, steps, pipeline.device, self._block)

    def _check_listener(self, wave: NDArray[np.float32] | None, count: int) -> None:
        """Check the listener's samples, of which there must be ``count``; None if there is no listener."""
        if wave is None and not self._is_dialogue:
            self._is_dialogue = False if count else self._is_dialogue
            return
        if not isinstance(self._generator, SupportsDialogue):
            raise lacking(self._generator, SupportsDialogue, "listener audio")
        if wave is None or self._is_dialogue is False or len(wave) != count:
            expected = f"{count} samples of the listener too, at every push from the first on"
            raise AudioError("session", expected, "none" if wave is None else f"{len(wave)} samples")
        self._is_dialogue = True

    def _generate(self, until: int | None = None) -> Work[Tensor]:
        """Return what `_step` returns for all blocks that are complete, but for no native frame from ``until`` on."""
        parts: list[Tensor] = []
        while until is None or self._native_in < until:
            remaining = None if until is None else until - self._native_in
            if (features := (yield from self._speaker.take(remaining))) is None:
                break
            if self._listener is not None and isinstance(self._generator, SupportsDialogue):
                listener = yield from self._listener.take(remaining)
                assert listener is not None, "both speakers have as many samples"
                self._state = self._generator.push_listener(listener, self._state)
            parts.append((yield from self._step(features)))
            self._native_in += features.shape[1] // self.pipeline.spec.steps_per_frame
        return _joined(parts) if parts else self._no_frames

    def _step(self, features: Tensor, last: bool = False) -> Work[Tensor]:
        """Return the native frames ``[t, 1, P, D]`` of the unit frame that the next features determine.

        With deviations it is ``[t, 2, P, D]``, so that both go through the resampling of frames together.
        """
        frames, self._state = yield GeneratorCall(self._stream, features, self._state, last)
        points, dims = self.pipeline.representation.points, self.pipeline.representation.dims
        frames = checked_motion(self._generator, frames, (1, None, points, dims))
        self._native_out += frames.shape[1]
        values = [frames[0]]
        if self._uncertain is not None:
            deviation = self._uncertain.deviation(self._state)
            values.append(checked_motion(self._generator, deviation, (1, frames.shape[1], points, dims))[0])
        result = (torch.stack(values, dim=1) if len(values) > 1 else frames[0, :, None]).cpu()
        require_finite(self._generator, result, "frames")
        return result

    def _motion(self, values: Tensor) -> Motion:
        if not len(values):  # most pushes of a few milliseconds
            self._deviation = self._no_motion.values
            return self._no_motion
        representation, reference = self.pipeline.representation, self._reference
        self._frames_out += len(values)
        # A copy, so that a motion does not keep the memory of its deviations.
        frames = representation.denormalize(values[:, 0].clone(), reference.frame)
        if self._uncertain is not None:
            # A deviation is a distance, so it is mapped to the motion's units as the difference of two poses.
            self._deviation = (representation.denormalize(values.sum(1), reference.frame) - frames).abs()
        return replace(self._no_motion, values=frames)


def _styled(generator: Generator, style: Any) -> Generator:
    """Return the generator in a style; None leaves it as it is."""
    if style is None:
        return generator
    if not isinstance(generator, SupportsStyle):
        raise lacking(generator, SupportsStyle, "a style")
    styled: Generator = generator.styled(style)
    return styled


def _empty_motion(pipeline: Pipeline, reference: Reference, fps: Fraction, seed: int, style: Any) -> Motion:
    """Return a motion without frames, with all else that the frames of a session have."""
    representation = pipeline.representation
    provenance = {"seed": seed, "model": pipeline.card.get("name", ""), "synthetic": True}
    return Motion(
        torch.zeros(0, representation.points, representation.dims),
        fps,
        representation=representation.spec.model_dump(mode="json"),
        frame=reference.frame,
        units=reference.units,
        reference=reference.picture_pose,
        provenance=provenance | ({"style": style} if isinstance(style, str) else {}),
        basis=basis_of(representation),
    )


def _joined(parts: Sequence[Tensor]) -> Tensor:
    return parts[0] if len(parts) == 1 else torch.cat(list(parts))


def _fit(wave: Wave | None, count: int) -> Wave:
    """Cut a wave to ``count`` samples, or pad it with silence; None is a wave without samples."""
    wave = np.zeros(0, np.float32) if wave is None else wave[:count]
    return np.pad(wave, (0, count - len(wave)))
