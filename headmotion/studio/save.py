"""A take as a file: a video, or motion for other programs."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from ..core.errors import ServingError
from ..core.files import write_text
from ..core.motion import Motion
from ..export.motion_files import write_motion
from .face_packet import Crop, portrait_spec
from .faces import Face, landmarks68
from .single_file import talk_page
from .takes import Take

MEDIA_TYPES = {
    "mp4": "video/mp4",
    "webm": "video/webm",
    "gif": "image/gif",
    "npz": "application/octet-stream",
    "csv": "text/csv",
    "live-link": "text/csv",
    "glb": "model/gltf-binary",
    "vtt": "text/vtt",
    "html": "text/html",
}
"""What can be saved, and its type for HTTP."""
VIDEOS = ("mp4", "webm", "gif")
BLENDSHAPES = ("glb", "live-link")
"""Formats that hold ARKit's weights."""
SUFFIXES = {"live-link": "csv"}


def take_file(
    take: Take, motion: Motion, face: Face, crop: Crop, format: str, renderer: dict[str, Any] | None = None
) -> bytes:
    """Return the content of a file.

    Args:
        take: the take.
        motion: its motion after controls.
        face: the face that a video shows.
        crop: how much of the picture a video shows.
        format: a key of `MEDIA_TYPES`.
        renderer: spec of the renderer of a video; None draws the picture as the page does.

    Raises:
        ServingError: an unknown format.
        HeadmotionError: the motion cannot be written in this format, or the renderer cannot draw it.
    """
    if format not in MEDIA_TYPES:
        raise ServingError("format", f"one of {', '.join(MEDIA_TYPES)}", repr(format)[:60])
    with tempfile.TemporaryDirectory(prefix="headmotion-studio-") as folder:
        path = Path(folder) / f"talk.{SUFFIXES.get(format, format)}"
        if format == "html":
            write_text(path, talk_page(face.described(crop), motion, take.speech))
        elif format in VIDEOS:
            _render(take, motion, face, crop, path, renderer)
        else:
            chosen = motion.to("blendshapes") if format in BLENDSHAPES else motion
            write_motion(chosen, path, format)
        return path.read_bytes()


def _render(take: Take, motion: Motion, face: Face, crop: Crop, path: Path, renderer: dict[str, Any] | None) -> None:
    """Write a video of the landmarks, by whose renderer the page draws them, too."""
    from ..media.frames_writer import write_frames
    from ..media.image import opaque
    from ..renderers.portrait.portrait import Portrait

    drawn = motion.to("landmarks68")
    if renderer is None:
        picture = opaque(face.picture)
        frames = Portrait(portrait_spec(picture, crop), landmarks68()).frames([drawn], picture, face.pose)
        write_frames(frames, path, drawn.fps, audio=take.speech, total=len(drawn), quiet=True)
    else:
        take.pipeline.render(motion, path, opaque(face.picture), take.speech, renderer=renderer, quiet=True)
