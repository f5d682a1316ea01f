"""From a motion to pictures and videos, by the renderer that suits what is there."""

from __future__ import annotations

import itertools
import logging
import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy.typing as npt

from ..core.arguments import as_path
from ..core.errors import HeadmotionError, ImageError
from ..core.interfaces.renderer import Picture, Renderer
from ..core.interfaces.specs import RendererSpec
from ..core.motion import Motion
from ..core.outputs import checked_pictures
from ..core.short_repr import shown
from ..media.audio import Audio, AudioLike
from ..media.frames_writer import write_frames
from ..media.image import opaque, read_reduced, reduce_motion, reduce_poses
from .aligned_features import AlignedFeatures
from .reference import ReferenceLike
from .renderer_options import changed_spec

if TYPE_CHECKING:
    from .pipeline import Pipeline

SOUND_SUFFIXES = (".mp4", ".webm")
SLACK_FRAMES = 2
"""Frames by which a sound may be longer or shorter than its motion without a warning."""
_log = logging.getLogger("headmotion")


def render(
    pipeline: Pipeline,
    motion: Motion | Iterable[Motion],
    path: str | os.PathLike[str],
    image: str | os.PathLike[str] | Picture | None,
    audio: AudioLike | None,
    landmarks: ReferenceLike,
    renderer: RendererSpec | dict[str, Any] | str | None,
    *,
    quiet: bool,
    size: int | None,
    crop: str | None,
) -> Path:
    """Write a video; see `Pipeline.render`."""
    target, first, parts = as_path(path, "render", ImageError), *_parts(motion)
    view = {name: value for name, value in (("size", size), ("crop", crop)) if value is not None}
    drawing = _suitable(pipeline, image is not None) if renderer is None else pipeline.with_renderer(renderer)
    if view:
        drawing = pipeline.with_renderer(changed_spec(drawing, view))
    picture, factor = _read_image(image, drawing)
    pose = None
    if landmarks is not None:
        pose = reduce_poses(pipeline.reference(landmarks).picture_pose, factor, pipeline.representation).numpy()
    scaled = (reduce_motion(part, factor, pipeline.representation) for part in parts)
    sound = None if audio is None else Audio.coerce(audio)
    frames = iter_frames(pipeline, scaled, picture, pose, sound, drawing)
    # For the progress bar only, so a sound track is not decoded just to count its frames.
    total = None if sound is None else sound.announced_frames(first.fps)
    if isinstance(motion, Motion):
        total = len(motion)
        if sound is not None and target.suffix.lower() in SOUND_SUFFIXES:
            _warn_of_other_length(motion, sound)
    return write_frames(frames, target, first.fps, audio=sound, total=total, quiet=quiet)


def _warn_of_other_length(motion: Motion, sound: Audio) -> None:
    """Warn of a picture that will stand still, or of silence, at the end: the motion is not that of the sound."""
    # What the file announces is known without decoding it, and good enough where it says that nothing is missing.
    announced = sound.announced_frames(motion.fps)
    if announced is not None and abs(announced - len(motion)) <= SLACK_FRAMES:
        return
    longer = sound.frames(motion.fps) - len(motion)
    if abs(longer) > SLACK_FRAMES:
        end = "the last picture stands still until the sound ends" if longer > 0 else "the end of the video is silent"
        got = f"{float(sound.duration):.2f} s, the motion {float(motion.duration):.2f} s"
        _log.warning("the sound has %s: %s", got, end)


def _parts(motion: Motion | Iterable[Motion]) -> tuple[Motion, Iterator[Motion]]:
    """Return the first part of a motion, and all parts."""
    if not isinstance(motion, Motion | Iterable):
        raise ImageError("render", "a Motion, or parts of one", shown(motion))
    parts = iter([motion] if isinstance(motion, Motion) else motion)
    first = next(parts, None)
    if not isinstance(first, Motion):
        raise ImageError("render", "at least one part of a motion", "none" if first is None else shown(first))
    return first, itertools.chain([first], parts)


def _suitable(pipeline: Pipeline, has_image: bool) -> Renderer:
    """Return the pipeline's renderer, or one that takes a picture if there is one, and none if not."""
    own = pipeline.renderer
    # Nothing but a trained renderer draws what the model has learned.
    if own.needs_image == has_image or next(own.parameters(), None) is not None:
        return own
    return pipeline.with_renderer("portrait" if has_image else "skeleton")


def _read_image(image: str | os.PathLike[str] | Picture | None, renderer: Renderer) -> tuple[Picture | None, int]:
    """Read a picture as the renderer needs it; a file larger than that is reduced by a whole factor.

    Returns:
        The picture, and the factor by which it was reduced.
    """
    picture: Picture | None
    if isinstance(image, str | os.PathLike):
        picture, factor = read_reduced(image, renderer.max_useful_edge, alpha=True)
    else:
        picture, factor = image, 1
    if picture is not None and not renderer.keeps_alpha:
        picture = opaque(picture)
    return picture, factor


def iter_frames(
    pipeline: Pipeline,
    motion: Iterable[Motion],
    image: Picture | None,
    landmarks: npt.ArrayLike | None,
    audio: AudioLike | None,
    renderer: Renderer | None,
) -> Iterator[Picture]:
    """Yield pictures; see `Pipeline.iter_frames`."""
    drawing = pipeline.renderer if renderer is None else renderer
    name = f"renderer {drawing.spec.type_name()}"
    parts = _Counted([motion] if isinstance(motion, Motion) else motion)
    if drawing.needs_image and image is None:
        raise ImageError(name, "a picture", "none", "give image=, or a renderer that needs none, such as 'skeleton'")
    if "audio" not in drawing.needs:
        return checked_pictures(drawing, drawing.frames(iter(parts), image, landmarks), parts.finish)
    if audio is None:
        raise HeadmotionError(name, "the speech, from which it draws", "none", "give audio=")
    features = AlignedFeatures(pipeline, Audio.coerce(audio), iter(parts))
    pictures = drawing.frames(features.parts(), image, landmarks, features)
    return checked_pictures(drawing, pictures, parts.finish)


class _Counted:
    """Parts of a motion whose frames are counted as they are drawn."""

    def __init__(self, motion: Iterable[Motion]) -> None:
        self._parts, self._count = iter(motion), 0

    def __iter__(self) -> Iterator[Motion]:
        for part in self._parts:
            self._count += len(part)
            yield part

    def finish(self) -> int:
        """Return the number of all frames, also of parts that were not requested."""
        for _ in self:
            pass
        return self._count
