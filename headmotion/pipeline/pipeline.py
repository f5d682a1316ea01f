"""Pipeline: speech and a reference in, motion and video out."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy.typing as npt
import torch
from torch import Tensor, nn
from typing_extensions import Unpack, override

from ..controls import MotionEdit
from ..core.arguments import as_integer, as_path
from ..core.built import checked_part, checked_representation
from ..core.checkpoint import save_checkpoint
from ..core.component import Component, require_registered
from ..core.errors import CheckpointError, SpecError
from ..core.html_table import html_table
from ..core.interfaces.capabilities import Estimate
from ..core.interfaces.renderer import Picture, Renderer
from ..core.interfaces.specs import BuildContext, DetectorSpec, RendererSpec, resolve_spec
from ..core.motion import Motion
from ..core.pipeline_spec import PipelineSpec
from ..core.short_repr import shown
from ..core.spec import building
from ..core.timing import Rate
from ..media.audio import Audio, AudioLike
from ..media.file_kind import file_kind
from .closed_mouth import Mouth
from .host_settings import check_host
from .look_ahead import lookahead_ms
from .motion_options import MotionOptions
from .reference import Reference, ReferenceLike, as_reference
from .renderer_options import take_weights
from .session import Session

if TYPE_CHECKING:
    from .generate_many import GenerateReport
    from .pool import Pool


PARTS = ("representation", "audio_encoder", "generator", "renderer")


class Pipeline(nn.Module):
    """The built parts of a `PipelineSpec` on one device.

    Args:
        spec: the parts.
        device: where they are placed.
        card: facts about the model, which `save` writes.
        restoring: whether tensors of a checkpoint follow, so that no part needs its files of weights.

    Raises:
        SpecError: parts that cannot be built, or do not fit one another.
    """

    def __init__(
        self,
        spec: PipelineSpec,
        device: str | torch.device = "cpu",
        card: dict[str, Any] | None = None,
        restoring: bool = False,
    ) -> None:
        super().__init__()
        self.spec = spec
        self.card = card or {}
        self._restoring = restoring
        with building("pipeline"):
            self.representation = checked_representation(spec.representation, spec.representation.build())
            # The encoder comes first, because the other parts need to know its channels.
            self.audio_encoder = checked_part(spec.audio_encoder, spec.audio_encoder.build(self.context(0)))
            context = self.context(self.audio_encoder.channels)
            self.generator = checked_part(spec.generator, spec.generator.build(context))
            # Last, so that its weights do not change which random numbers the generator's weights are drawn from.
            self.renderer = checked_part(spec.renderer, spec.renderer.build(self.context()))
        self._restoring = False
        for name in PARTS:
            require_registered(getattr(self, name), (self.representation,))
        # A part may complete its spec while it is built: frozen weights add the SHA-256 of their file.
        self.spec = spec.model_copy(update={name: getattr(self, name).spec for name in PARTS})
        self.eval()
        self.to(device)

    @override
    def __repr__(self) -> str:
        spec = self.spec
        parts = (spec.audio_encoder, spec.generator, spec.representation, spec.renderer)
        return f"<Pipeline: {' -> '.join(part.type_name() for part in parts)}, {spec.fps} fps, {self.device}>"

    def _repr_html_(self) -> str:
        """Return what notebooks show: a row per part with its weights and its settings."""
        rows = {name.replace("_", " "): _part_cells(getattr(self, name)) for name in PARTS}
        lookahead = self.lookahead_ms()
        waits = "the whole clip" if lookahead is None else f"{lookahead:g} ms"
        note = f"{self.spec.fps} fps, look-ahead {waits}, on {self.device}"
        return html_table(str(self.card.get("name", "Pipeline")), ("part", "type", "weights", "settings"), rows, note)

    def context(self, audio_channels: int | None = None) -> BuildContext:
        """Return the context in which further parts (syncers, discriminators, losses) are built for this pipeline.

        Args:
            audio_channels: numbers per audio step; None means those of the pipeline's encoder.
        """
        channels = self.audio_encoder.channels if audio_channels is None else audio_channels
        steps, fps = self.spec.steps_per_frame, self.spec.fps
        return BuildContext(self.representation, channels, steps, fps, restoring=self._restoring)

    @property
    def device(self) -> torch.device:
        """The device of the parts."""
        return next((p.device for p in self.parameters()), torch.device("cpu"))

    def lookahead_ms(
        self, sample_rate: int = 16_000, fps: Rate | None = None, controls: Sequence[MotionEdit] = ()
    ) -> float | None:
        """Return the audio beyond a frame's time stamp that the frame waits for (ms); None means the whole clip.

        Args:
            sample_rate: rate of the samples (Hz).
            fps: frames per second of the motion; None means the pipeline's own.
            controls: edits of the motion.
        """
        return lookahead_ms(self, sample_rate, fps, controls)

    def generate(
        self,
        audio: AudioLike,
        reference: ReferenceLike = None,
        *,
        listener_audio: AudioLike | None = None,
        **options: Unpack[MotionOptions],
    ) -> Motion:
        """Generate motion for speech, in the reference's own units.

        Args:
            audio: a path, an `Audio`, or ``(samples, rate)``.
            reference: an ``.npz`` with ``landmarks``, a picture, a video (its last frames are used), poses ``[P, D]``
                or ``[R, P, D]`` in pixels, a `Motion`, a result of `reference`, or None for the representation's
                neutral pose (the motion is then in the unit frame).
            listener_audio: audio of the other person of a dialogue, if the generator supports it (`SupportsDialogue`);
                cut or padded with silence to the length of ``audio``.
            options: ``seed``, ``fps``, ``controls`` and ``style``; see `MotionOptions`.

        Returns:
            ``floor(duration * fps + 1/2)`` frames, at least one.

        Raises:
            HeadmotionError: the generator lacks the capability for ``style`` or ``listener_audio``.
        """
        speech = Audio.coerce(audio)
        parts = list(self.iter_motion(speech, reference, listener_audio=listener_audio, **options))
        return replace(Motion.concatenate(parts), speech=speech)

    def estimate(
        self,
        audio: AudioLike,
        reference: ReferenceLike = None,
        *,
        listener_audio: AudioLike | None = None,
        **options: Unpack[MotionOptions],
    ) -> Estimate:
        """Generate motion with the generator's uncertainty; arguments as in `generate`, without controls.

        Raises:
            HeadmotionError: the generator estimates no uncertainty (`SupportsUncertainty`), or there are controls.
        """
        speech = Audio.coerce(audio)
        session = self._offline_session(speech, reference, options)
        estimates = [(motion, session.deviation) for motion in session.run(speech, listener_audio)]
        motions, deviations = zip(*estimates, strict=True)
        return Estimate(Motion.concatenate(motions), torch.cat(deviations))

    def iter_motion(
        self,
        audio: AudioLike,
        reference: ReferenceLike = None,
        *,
        listener_audio: AudioLike | None = None,
        **options: Unpack[MotionOptions],
    ) -> Iterator[Motion]:
        """Yield the motion of `generate` in parts of about a second, in memory that does not grow with the audio."""
        speech = Audio.coerce(audio)
        yield from self._offline_session(speech, reference, options).run(speech, listener_audio)

    def stream(
        self, reference: ReferenceLike = None, sample_rate: int = 16_000, **options: Unpack[MotionOptions]
    ) -> Session:
        """Start a live session, to be pushed samples as they arrive and flushed at the end.

        Its frames are those of `generate`.

        Args:
            reference: as in `generate`.
            sample_rate: rate of the samples (Hz).
            options: see `MotionOptions`.
        """
        check_host(self)  # also here, because a reference computes, too
        return Session(self, self.reference(reference), sample_rate, **options)

    def restore(self, path: str | os.PathLike[str]) -> Session:
        """Continue a session from a file that `Session.snapshot` wrote, with the same frames to the last bit.

        Raises:
            CheckpointError: no snapshot, a damaged one, or one of a pipeline with other parts or other weights.
        """
        from .snapshot import load_snapshot

        return load_snapshot(self, as_path(path, "snapshot", CheckpointError))

    def pool(self) -> Pool:
        """Return a pool: many live sessions that come and go, advanced together in batches."""
        from .pool import Pool

        return Pool(self)

    def generate_many(
        self,
        jobs: Sequence[str | os.PathLike[str] | Mapping[str, Any]],
        output: str | os.PathLike[str],
        suffix: str = ".mp4",
        image: str | os.PathLike[str] | None = None,
        *,
        workers: int | None = None,
        ray_address: str | None = None,
        stall_seconds: float = 300,
        quiet: bool = True,
        **options: Any,
    ) -> GenerateReport:
        """Generate a video or a motion file for each of many audio files, in several processes.

        A call that was interrupted can be repeated, as can one with further jobs: outputs that are there already, made
        from the same inputs with the same model and options, are kept. A file that fails is a line in the report.

        Args:
            jobs: audio files, folders of them, patterns such as ``talks/*.wav``, or mappings with the keys ``audio``,
                ``image``, ``output`` (relative to the folder) and ``options`` (a mapping), of which only the first is
                required.
            output: folder of the outputs and of ``report.csv``.
            suffix: of outputs that have no name of their own: ``.mp4``, ``.webm``, ``.gif``, an empty one for folders
                of pictures, or ``.npz`` or ``.json`` for the motion itself.
            image: picture of the face for all jobs that name none.
            workers: processes; None: one per processor, or a single one on another device than the CPU; 0: this process
                only.
            ray_address: address of a running Ray cluster that replaces the processes, such as ``auto``. Its machines
                must share a file system that holds the inputs and the outputs.
            stall_seconds: a job without progress for this long has failed.
            quiet: no progress bar.
            options: of all jobs; see `GenerateOptions`. A job's own options come first.

        Raises:
            HeadmotionError: no job, a path where nothing is, two jobs with one output, or unknown options.
        """
        from .generate_many import generate_many

        execution: dict[str, Any] = {"workers": workers, "ray_address": ray_address, "stall_seconds": stall_seconds}
        return generate_many(self, jobs, output, suffix, image, quiet=quiet, **execution, **options)

    def _offline_session(self, speech: Audio, reference: ReferenceLike, options: MotionOptions) -> Session:
        """Start a session for a complete recording: in blocks of a second, because low latency has no value there."""
        check_host(self)
        return Session(self, self.reference(reference), speech.rate, max(1, round(self.spec.fps)), **options)

    def reference(
        self,
        value: ReferenceLike,
        detector: DetectorSpec | dict[str, Any] | str | None = None,
        face: int | Literal["largest"] = "largest",
        mouth: Mouth = "auto",
    ) -> Reference:
        """Read a reference: poses with the square that maps them to the unit frame.

        Args:
            value: as in `generate`.
            detector: finds the pose in a picture or video; None means the pipeline's own.
            face: which of several faces: ``largest``, or a number counted from the left, starting at 1.
            mouth: ``closed`` lets the motion start from closed lips whatever the picture shows, ``as-is`` from what it
                shows, ``auto`` from closed lips where the mouth is wide open, which a warning says, as it says that
                the lips of a picture stay apart in a smile if the generator does not close them in speech
                (`Generator.closes_parted_lips`). A generator takes what it starts from for silence. Several poses, such
                as those of a video, stay as they are.

        Raises:
            MotionError: a file that cannot be read, or poses of another shape.
            DetectorError: there is no detector, no face, or no face of that number.
        """

        # A function, because most references are poses already, and detectors are slow to import and to build.
        def find_poses(path: Path) -> Tensor:
            from ..detectors.reference_pose import PoseFinder

            finder = PoseFinder.build(detector or self.spec.detector, self.context(), face)
            if file_kind(path) == "video":
                return finder.in_video(path, self.generator.context_frames, self.spec.fps)
            return finder.in_picture_file(path)

        return as_reference(value, self.representation, find_poses, mouth, self.generator.closes_parted_lips)

    def render(
        self,
        motion: Motion | Iterable[Motion],
        path: str | os.PathLike[str],
        image: str | os.PathLike[str] | Picture | None = None,
        audio: AudioLike | None = None,
        landmarks: ReferenceLike = None,
        renderer: RendererSpec | dict[str, Any] | str | None = None,
        quiet: bool = False,
        size: int | None = None,
        crop: Literal["head", "none"] | None = None,
    ) -> Path:
        """Write a video of a motion, or of its consecutive parts as they are generated, in constant memory.

        Args:
            motion: the motion, or parts of it such as those of `iter_motion`.
            path: the output: ``.mp4``, ``.webm``, ``.gif``, or a name without a suffix for a folder of PNG pictures. It
                appears whole or not at all. A GIF and pictures have no sound.
            image: a picture's path or ``uint8 [H, W, 3]``, for renderers that need one. The transparency of a PNG or of
                ``[H, W, 4]`` is kept, except in ``.mp4``, if the renderer keeps it.
            audio: sound track of the video, and the speech for a renderer that draws from it.
            landmarks: the pose in the picture; None takes the reference that the motion carries.
            renderer: see `with_renderer`; None means the pipeline's own. One that is not trained gives way to
                ``portrait`` if it takes no picture and there is one, and to ``skeleton`` if the one that it needs is
                missing.
            quiet: no progress bar.
            size: longer edge of the video (px), for renderers that can be given one; None leaves the renderer's own.
            crop: ``head`` shows the head only, ``none`` the whole picture; None leaves the renderer's own.

        Returns:
            The path.

        Raises:
            SpecError: a renderer that has no ``size`` or ``crop``, or is trained for another size.
            ImageError: no motion, a picture that cannot be read, or an output that cannot be written.
            HeadmotionError: no audio for a renderer that draws from it.
        """
        from .drawing import render

        return render(self, motion, path, image, audio, landmarks, renderer, quiet=quiet, size=size, crop=crop)

    def iter_frames(
        self,
        motion: Iterable[Motion],
        image: Picture | None = None,
        landmarks: npt.ArrayLike | None = None,
        audio: AudioLike | None = None,
        renderer: Renderer | None = None,
    ) -> Iterator[Picture]:
        """Yield one picture ``uint8 [H, W, 3]`` per frame of a motion, in constant memory.

        Args:
            motion: consecutive parts of one motion, in pixels of the picture.
            image: the still picture ``uint8 [H, W, 3]``, for renderers that need one.
            landmarks: pose ``[P, D]`` in the picture, pixels; None takes the reference that the motion carries.
            audio: the speech, for a renderer that draws from it; other renderers get none.
            renderer: a renderer of `with_renderer`; None means the pipeline's own.

        Raises:
            ImageError: the renderer needs a picture, or a pose in it, and there is none.
            HeadmotionError: no audio for a renderer that draws from it.
        """
        from .drawing import iter_frames

        return iter_frames(self, motion, image, landmarks, audio, renderer)

    def with_renderer(self, renderer: RendererSpec | dict[str, Any] | str) -> Renderer:
        """Build another renderer for the pipeline's motion, on its device.

        A renderer of the same type as the pipeline's own takes its weights, so that a trained renderer can be given
        another size, for example.

        Args:
            renderer: a renderer's spec, its JSON values, or its type.

        Raises:
            SpecError: an unknown renderer, one that cannot be built, or one with weights that are not trained, or do
                not fit its settings.
        """
        spec = resolve_spec("renderer", renderer)
        if spec == self.renderer.spec:
            return self.renderer
        with building(f"renderer {spec.type_name()}"), torch.random.fork_rng(devices=[]):
            built = checked_part(spec, spec.build(self.context())).eval()
            require_registered(built, (self.representation,))
        take_weights(built, self.renderer)
        return built.to(self.device)

    def with_generator(self, **fields: Any) -> Pipeline:
        """Return a copy of the pipeline whose generator has other settings and the same weights.

        Args:
            fields: of the generator's spec, such as ``head_amount`` and ``temperature`` of `causal-flow`.

        Raises:
            SpecError: the spec has no such field, or the value needs other weights.
        """
        own = self.spec.generator
        generator = own.model_validate(own.model_dump() | fields)
        changed = self.spec.model_copy(update={"generator": generator})
        with torch.random.fork_rng(devices=[]):
            pipeline = Pipeline(changed, "cpu", self.card, restoring=True)
        try:
            pipeline.load_state_dict(self.state_dict())
        except RuntimeError:
            expected, got = "settings that fit the weights", ", ".join(sorted(fields))
            remedy = "train a model with this spec"
            raise SpecError(f"generator {own.type_name()}", expected, got, remedy) from None
        return pipeline.to(self.device)

    def save(self, path: str | os.PathLike[str], step: int = 0, card: dict[str, Any] | None = None) -> Path:
        """Write one ``.safetensors`` file with weights and spec.

        Args:
            path: a name ending in ``.safetensors``.
            step: number of training steps of the weights.
            card: further facts about the model as JSON values.

        Returns:
            The path.

        Raises:
            CheckpointError: another suffix, or a card that JSON cannot hold.
        """
        target, steps = as_path(path, "checkpoint", CheckpointError), as_integer(step, "step")
        if not isinstance(card or {}, Mapping):
            raise CheckpointError("checkpoint", "a card of facts by name", shown(card))
        tensors = {name: value.detach().cpu().contiguous() for name, value in self.state_dict().items()}
        return save_checkpoint(
            target, self.spec.model_dump(mode="json"), tensors, step=steps, card=self.card | (card or {})
        )


def _part_cells(part: Component) -> tuple[str, str, str]:
    """Return type, number of weights and settings that are no defaults of a part."""
    spec, weights = part.spec, sum(parameter.numel() for parameter in part.parameters())
    settings = spec.model_dump(mode="json", exclude_defaults=True, exclude={"type"})
    return spec.type_name(), f"{weights:,}" if weights else "", ", ".join(f"{k} {v}" for k, v in settings.items())
