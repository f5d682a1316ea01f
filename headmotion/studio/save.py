"""A take as a file: a video, or motion for other programs."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

from ..core.errors import ServingError
from ..core.files import write_text
from ..core.motion import Motion
from ..core.short_repr import short_repr
from ..export.motion_files import write_motion
from ..serving.protocol import Controls
from .face_packet import Crop, portrait_spec
from .faces import Face, landmarks68
from .single_file import talk_page
from .takes import Take, is_face

MEDIA_TYPES = {
    "mp4": "video/mp4",
    "webm": "video/webm",
    "gif": "image/gif",
    "npz": "application/octet-stream",
    "csv": "text/csv",
    "bvh": "text/plain",
    "live-link": "text/csv",
    "glb": "model/gltf-binary",
    "vtt": "text/vtt",
    "html": "text/html",
    "spec": "application/json",
}
"""What can be saved, and its type for HTTP."""
VIDEOS = ("mp4", "webm", "gif")
BODIES = ("joints",)
"""Representations that are written as they are to formats that otherwise hold ARKit's weights."""
CONVERTED = {"glb": "blendshapes", "live-link": "blendshapes", "vtt": "landmarks68"}
"""What a motion is converted to for a format."""
SUFFIXES = {"live-link": "csv", "spec": "json"}


def take_file(
    take: Take,
    controls: Controls,
    face: Face,
    crop: Crop,
    format: str,
    renderer: dict[str, Any] | None = None,
) -> bytes:
    """Return the content of a file.

    Args:
        take: the take.
        controls: edits of its motion.
        face: the face that a video shows.
        crop: how much of the picture a video shows.
        format: a key of `MEDIA_TYPES`.
        renderer: spec of the renderer of a video; None draws the picture as the page does.

    Raises:
        ServingError: an unknown format.
        HeadmotionError: the motion cannot be written in this format, or the renderer cannot draw it.
    """
    if format not in MEDIA_TYPES:
        raise ServingError("format", f"one of {', '.join(MEDIA_TYPES)}", short_repr(format))
    motion = take.edited(controls)
    with tempfile.TemporaryDirectory(prefix="headmotion-studio-") as folder:
        path = Path(folder) / f"talk.{SUFFIXES.get(format, format)}"
        if format == "spec":
            write_text(path, spec_text(take, face, controls))
        elif format == "html":
            write_text(path, talk_page(face.described(crop), motion, take.speech))
        elif format in VIDEOS:
            _render(take, motion, face, crop, path, renderer)
        else:
            is_body = motion.representation["type"] in BODIES
            write_motion(motion if is_body or format not in CONVERTED else motion.to(CONVERTED[format]), path, format)
        return path.read_bytes()


def spec_text(take: Take, face: Face, controls: Controls) -> str:
    """Return what a take was made from, as JSON: model, parts, seed, controls, and the landmarks of the face."""
    content = {
        "model": take.model,
        "pipeline": take.pipeline.spec.model_dump(mode="json"),
        "seed": take.seed,
        "controls": controls.model_dump(mode="json", exclude_defaults=True),
        "provenance": dict(take.motion.provenance),
        "landmarks": face.pose.tolist(),
    }
    return json.dumps(content, indent=1) + "\n"


def _render(take: Take, motion: Motion, face: Face, crop: Crop, path: Path, renderer: dict[str, Any] | None) -> None:
    """Write a video, by the renderer by which the page draws a face; a body is drawn as lines."""
    from ..media.frames_writer import write_frames
    from ..media.image import opaque
    from ..renderers.portrait.portrait import Portrait

    if renderer is None and is_face(motion):
        drawn = motion.to("landmarks68")
        picture = opaque(face.picture)
        frames = Portrait(portrait_spec(picture, crop), landmarks68()).frames([drawn], picture, face.pose)
        write_frames(frames, path, drawn.fps, audio=take.speech, total=len(drawn), quiet=True)
    else:
        shown = opaque(face.picture) if is_face(motion) else None
        take.pipeline.render(motion, path, shown, take.speech, renderer=renderer or "skeleton", quiet=True)
