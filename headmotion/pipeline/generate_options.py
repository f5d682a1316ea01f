"""The options of generating one file, and the calls of the pipeline that they stand for."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Self

from pydantic import ConfigDict, Field

from ..core.booleans import StrictNumbers
from ..core.errors import SpecError
from ..core.interfaces.specs import resolve_spec
from ..core.motion import Motion
from ..core.timing import as_fps
from ..core.validation import validated
from .closed_mouth import Mouth
from .style_file import read_style

if TYPE_CHECKING:
    from ..media.audio import Audio
    from .pipeline import Pipeline
    from .reference import Reference


class GenerateOptions(StrictNumbers):
    """How one file is generated; the names are those of the options of ``headmotion animate``."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    seed: int = Field(0, ge=0, lt=1 << 63)
    """Seed of the generator's noise."""
    fps: str | None = Field(None, coerce_numbers_to_str=True)
    """Frames per second; None means the model's own."""
    style: str | None = None
    """Style of the generator: a name, or a file with the motion of a person (`read_style`)."""
    listener_audio: str | None = None
    """File with the speech of the other person of a dialogue."""
    audio_track: int | None = Field(None, ge=1)
    """Audio track of the speech, from 1; None: the main one."""
    landmarks: str | None = None
    """File with the pose in the picture; None lets a detector find it."""
    detector: dict[str, Any] | str | None = None
    """Detector of the pose; None means the pipeline's own."""
    face: int | Literal["largest"] = "largest"
    """Which of several faces."""
    mouth: Mouth = "auto"
    """Whether the mouth of a still picture is closed before it speaks; see `Pipeline.reference`."""
    renderer: dict[str, Any] | str | None = None
    """Renderer of a video; None means the model's own, or one that fits."""
    crop: Literal["head", "none"] | None = None
    """What of the picture is shown."""
    size: int | None = None
    """Longer edge of a video (px)."""
    head: float | None = None
    """See `headmotion.controls.from_options`, as for the others that follow."""
    lips: float | None = None
    """Gain of lips and jaw."""
    close_silence: bool = False
    """Whether the mouth closes in silence."""
    smooth: float | None = None
    """Window of the smoothing (ms)."""
    blink: float | None = None
    """Blinks per minute."""
    look_at: tuple[float, float] | None = None
    """Yaw and pitch (degrees)."""
    hold_pose: bool = False
    """Whether the head is held still."""
    limit: bool = False
    """Whether openings and angles are limited."""
    weights: dict[str, float] | None = None
    """What is added to weights by name, such as ``{"jawOpen": 0.2}``."""
    control: tuple[dict[str, Any] | str, ...] = ()
    """Specs of further controls, such as those of plugins."""

    @classmethod
    def parse(cls, values: Mapping[str, Any]) -> Self:
        """Return checked options.

        Raises:
            SpecError: an unknown name, or a value that does not fit.
        """
        return validated(cls, dict(values), "options", error=SpecError)

    def check(self) -> None:
        """Check what needs neither model nor files, so that a mistake is found before any file is generated.

        Raises:
            HeadmotionError: a rate or a renderer that is none, or a value that a control refuses.
        """
        from ..controls import from_options

        if self.fps is not None:
            as_fps(self.fps)
        if self.renderer is not None:
            resolve_spec("renderer", self.renderer)
        from_options(**self.control_options())

    def control_options(self) -> dict[str, Any]:
        """Return the arguments of `headmotion.controls.from_options`."""
        names = ("head", "lips", "close_silence", "smooth", "blink", "look_at", "hold_pose", "limit", "weights", "seed")
        return {name: getattr(self, name) for name in names} | {"more": self.control}


def iter_motion(pipe: Pipeline, speech: Audio, options: GenerateOptions, reference: Reference) -> Iterator[Motion]:
    """Yield the motion for speech in parts of about a second.

    Raises:
        HeadmotionError: an option that does not fit the model.
    """
    from ..controls import from_options

    return pipe.iter_motion(
        speech,
        reference,
        listener_audio=options.listener_audio,
        seed=options.seed,
        fps=options.fps,
        controls=from_options(**options.control_options()),
        style=read_style(pipe, options.style),
    )


def write_video(
    pipe: Pipeline,
    motions: Iterable[Motion],
    target: Path,
    image: str | Path | None,
    speech: Audio,
    options: GenerateOptions,
    quiet: bool = True,
) -> Path:
    """Draw consecutive motions as a video or pictures.

    Args:
        pipe: the pipeline.
        motions: parts of the motion.
        target: the output.
        image: picture of the face, if any.
        speech: sound track.
        options: renderer, size and crop.
        quiet: no progress bar.

    Returns:
        The output's path.

    Raises:
        HeadmotionError: an input that cannot be read, an option that does not fit the model, or an output that cannot
            be written.
    """
    view: dict[str, Any] = {"size": options.size, "crop": options.crop}
    return pipe.render(motions, target, image=image, audio=speech, renderer=options.renderer, quiet=quiet, **view)
