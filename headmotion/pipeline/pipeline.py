"""Pipeline: speech and a reference in, motion and video out."""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, Literal, cast

import torch
from torch import Tensor, nn

from ..controls import MotionEdit
from ..core.checkpoint import load_checkpoint, save_checkpoint
from ..core.errors import CheckpointError, HeadmotionError, ImageError
from ..core.interfaces.capabilities import Estimate
from ..core.interfaces.renderer import Picture, Renderer
from ..core.interfaces.specs import BuildContext, DetectorSpec, RendererSpec
from ..core.motion import Motion
from ..core.pipeline_spec import PipelineSpec
from ..core.plugins import registry
from ..core.spec import building, resolve_spec
from ..core.timing import Rate
from ..media.audio import Audio, AudioLike
from ..media.image import opaque, read_reduced
from ..media.image_scale import in_pixels, reduced
from .reference import VIDEOS, Reference, ReferenceLike, as_reference
from .session import Session, lookahead_ms

SEARCHED = 4096
"""Longer edge (px) to which a larger picture may be reduced to find a face in it."""


class Pipeline(nn.Module):
    """The built parts of a `PipelineSpec` on one device."""

    def __init__(
        self, spec: PipelineSpec, device: str | torch.device = "cpu", card: dict[str, Any] | None = None
    ) -> None:
        super().__init__()
        self.spec = spec
        self.card = card or {}
        with building("pipeline"):
            self.representation = spec.representation.build()
            self.audio_encoder = spec.audio_encoder.build(self.context(0))
            self.generator = spec.generator.build(self.context(self.audio_encoder.channels))
        self.eval()
        self.to(device)

    def context(self, audio_channels: int | None = None) -> BuildContext:
        """What further components (syncers, discriminators, losses) need to be built beside this pipeline."""
        channels = self.audio_encoder.channels if audio_channels is None else audio_channels
        return BuildContext(self.representation, channels, self.spec.steps_per_frame, self.spec.fps)

    @property
    def device(self) -> torch.device:
        """Where the parts are."""
        return next((p.device for p in self.parameters()), torch.device("cpu"))

    def lookahead_ms(
        self, sample_rate: int = 16_000, fps: Rate | None = None, controls: Sequence[MotionEdit] = ()
    ) -> float | None:
        """Milliseconds of audio beyond a frame's time stamp that the frame waits for; None: the whole clip."""
        return lookahead_ms(self, sample_rate, fps, controls)

    def generate(
        self,
        audio: AudioLike,
        reference: ReferenceLike = None,
        seed: int = 0,
        fps: Rate | None = None,
        controls: Sequence[MotionEdit] = (),
        style: Any = None,
        listener_audio: AudioLike | None = None,
    ) -> Motion:
        """Motion for speech, in the reference's own units.

        Args:
            audio: a path, an `Audio`, or ``(samples, rate)``.
            reference: an ``.npz`` with ``landmarks``, a picture, a video (its last frames count), poses ``[P, D]`` or
                ``[R, P, D]`` in pixels, a `Motion`, what `reference` returned, or None for the representation's
                neutral pose (the motion then is in the unit frame).
            seed: the only source of chance.
            fps: frames per second; None means the model's own.
            controls: edits, applied in order; see `headmotion.controls`.
            style: how to move, for a generator that knows styles (`SupportsStyle`).
            listener_audio: whom the speaker talks with, for a generator that hears them (`SupportsDialogue`); cut, or
                followed by silence, to the length of ``audio``.

        Returns:
            ``floor(duration * fps + 1/2)`` frames, at least one.

        Raises:
            HeadmotionError: the generator lacks the ability that ``style`` or ``listener_audio`` needs.
        """
        return Motion.concatenate(list(self.iter_motion(audio, reference, seed, fps, controls, style, listener_audio)))

    def estimate(
        self,
        audio: AudioLike,
        reference: ReferenceLike = None,
        seed: int = 0,
        fps: Rate | None = None,
        style: Any = None,
        listener_audio: AudioLike | None = None,
    ) -> Estimate:
        """The motion of `generate`, and how sure of it a generator is that says so.

        Raises:
            HeadmotionError: the generator does not say (`SupportsUncertainty`).
        """
        session = self._reading(speech := Audio.coerce(audio), reference, seed, fps, (), style)
        told = [(motion, session.deviation) for motion in session.run(speech, listener_audio)]
        return Estimate(Motion.concatenate([motion for motion, _ in told]), torch.cat([each for _, each in told]))

    def iter_motion(
        self,
        audio: AudioLike,
        reference: ReferenceLike = None,
        seed: int = 0,
        fps: Rate | None = None,
        controls: Sequence[MotionEdit] = (),
        style: Any = None,
        listener_audio: AudioLike | None = None,
    ) -> Iterator[Motion]:
        """The motion of `generate` piece by piece, about a second each, in memory that does not grow with the audio."""
        speech = Audio.coerce(audio)
        yield from self._reading(speech, reference, seed, fps, controls, style).run(speech, listener_audio)

    def stream(
        self,
        reference: ReferenceLike = None,
        sample_rate: int = 16_000,
        seed: int = 0,
        fps: Rate | None = None,
        controls: Sequence[MotionEdit] = (),
        style: Any = None,
    ) -> Session:
        """A live session: ``push`` samples as they come, ``flush`` at the end; its frames are those of `generate`."""
        return Session(self, self.reference(reference), sample_rate, seed, fps, controls, style)

    def _reading(
        self,
        speech: Audio,
        reference: ReferenceLike,
        seed: int,
        fps: Rate | None,
        controls: Sequence[MotionEdit],
        style: Any,
    ) -> Session:
        """A session for a speech that is there already, so that nothing is gained by answering soon."""
        block = max(1, round(self.spec.fps))
        return Session(self, self.reference(reference), speech.rate, seed, fps, controls, style, block)

    def reference(
        self,
        value: ReferenceLike,
        detector: DetectorSpec | dict[str, Any] | str | None = None,
        face: int | Literal["largest"] = "largest",
    ) -> Reference:
        """Whatever may serve as a reference, as poses with their frame.

        Args:
            value: as in `generate`.
            detector: finds the pose in a picture or video; None means the pipeline's own.
            face: which face is meant where there are several: ``largest``, or a number from 1, from the left.

        Raises:
            MotionError: a file that cannot be read, or poses of another shape.
            DetectorError: no detector, no face, or not that one.
        """

        def find(path: Path) -> Tensor:
            from ..detectors.reference_pose import PoseFinder
            from ..detectors.resolve import detector_spec

            found_by = detector_spec(detector or self.spec.detector).build(self.context())
            finder = PoseFinder(found_by, self.representation, face)
            if path.suffix.lower() in VIDEOS:
                return finder.in_video(path, self.generator.context_frames, self.spec.fps)
            picture, factor = read_reduced(path, SEARCHED)
            return reduced(finder.in_picture(picture), 1 / factor, self.representation)

        return as_reference(value, self.representation, find)

    def render(
        self,
        motion: Motion | Iterable[Motion],
        path: str | os.PathLike[str],
        image: str | os.PathLike[str] | Picture | None = None,
        audio: AudioLike | None = None,
        landmarks: ReferenceLike = None,
        renderer: RendererSpec | dict[str, Any] | str | None = None,
        quiet: bool = False,
    ) -> Path:
        """Write a video of a motion, or of its pieces as they come, in constant memory.

        Args:
            path: what to make: ``.mp4``, ``.webm``, ``.gif``, or without a suffix a folder of PNG pictures; it appears
                whole or not at all. A GIF and pictures have no sound.
            image: a picture's path or ``uint8 [H, W, 3]``, for renderers that need one; the transparency of a PNG or of
                ``[H, W, 4]`` is kept, except in ``.mp4``, if the renderer is one that keeps it.
            audio: speech to put under the video.
            landmarks: the pose in the picture; None takes the reference that the motion carries.
            renderer: a renderer's spec; None means the pipeline's own.
            quiet: no progress bar.
        """
        from ..media.frames_writer import write_frames

        pieces = iter([motion] if isinstance(motion, Motion) else motion)
        first = next(pieces, None)
        if first is None:
            raise ImageError("render", "at least one piece of motion", "none")
        drawing = self.renderer(renderer)
        picture: Picture | None
        if isinstance(image, str | os.PathLike):
            picture, factor = read_reduced(image, drawing.max_useful_edge, alpha=True)
        else:
            picture, factor = image, 1
        if picture is not None and not drawing.keeps_alpha:
            picture = opaque(picture)
        pose = None
        if landmarks is not None:
            pose = reduced(self.reference(landmarks).poses[-1], factor, self.representation).numpy()
        drawn = (in_pixels(piece, factor, self.representation) for piece in itertools.chain([first], pieces))
        frames = drawing.frames(drawn, picture, pose)
        speech = None if audio is None else Audio.coerce(audio)
        total = speech.frames(first.fps) if speech else None
        if isinstance(motion, Motion):
            total = len(motion)
        return write_frames(frames, Path(path), first.fps, audio=speech, total=total, quiet=quiet)

    def renderer(self, renderer: RendererSpec | dict[str, Any] | str | None = None) -> Renderer:
        """The pipeline's renderer, or another one for the same representation."""
        spec = self.spec.renderer if renderer is None else renderer
        chosen = spec if isinstance(spec, RendererSpec) else cast("RendererSpec", resolve_spec("renderer", spec))
        with building(f"renderer {chosen.type_name()}"):
            return chosen.build(self.context())

    def save(self, path: str | os.PathLike[str], step: int = 0, card: dict[str, Any] | None = None) -> Path:
        """Write one ``.safetensors`` file with weights and spec."""
        tensors = {name: value.detach().cpu().contiguous() for name, value in self.state_dict().items()}
        return save_checkpoint(
            path, self.spec.model_dump(mode="json"), tensors, step=step, card=self.card | (card or {})
        )


def build(spec: PipelineSpec | dict[str, Any], seed: int = 0, device: str = "auto") -> Pipeline:
    """A pipeline with fresh weights, drawn from ``seed``.

    Raises:
        SpecError: an unknown type or field, or parts that do not fit one another.
    """
    resolved = spec if isinstance(spec, PipelineSpec) else PipelineSpec.model_validate(spec)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return Pipeline(resolved, pick_device(device))


def load(source: str | os.PathLike[str], device: str = "auto") -> Pipeline:
    """A trained pipeline, by the name of a bundled model (see `models`) or from a ``.safetensors`` file.

    Raises:
        CheckpointError: no such model or file; damaged, unsafe, too new, or a plugin is missing.
    """
    bundled = registry().models
    path = bundled.get(os.fspath(source))
    if path is None:
        path = Path(source)
        if not path.suffix and not path.exists():
            known = ", ".join(sorted(bundled)) or "(none)"
            raise CheckpointError("model", f"a file or one of the bundled models {known}", repr(os.fspath(source)))
    header, tensors = load_checkpoint(path)
    pipeline = Pipeline(PipelineSpec.model_validate(header.spec), "cpu", dict(header.card))
    try:
        pipeline.load_state_dict(tensors)
    except RuntimeError as error:
        detail = str(error).splitlines()[-1].strip()
        raise CheckpointError("checkpoint", "tensors that fit its spec", f"{path}: {detail[:120]}") from None
    return pipeline.to(pick_device(device))


def models() -> list[str]:
    """Names of the bundled models, for `load`."""
    return sorted(registry().models)


def pick_device(name: str) -> torch.device:
    """``auto`` is CUDA, then MPS, then the CPU.

    Raises:
        HeadmotionError: not a device of this machine.
    """
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "mps" if torch.backends.mps.is_available() else "cpu"
    try:
        device = torch.device(name)
        torch.empty(0, device=device)
    except (RuntimeError, AssertionError, NotImplementedError):
        raise HeadmotionError("device", "auto, or a device of this machine (cpu, cuda, mps)", repr(name)) from None
    return device
