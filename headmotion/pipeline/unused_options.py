"""Options of a generation that would change nothing, because what they are about is missing."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

from ..core.plugins import registry
from ..media.file_kind import file_kind
from .generate_options import GenerateOptions

DETECTION = ("detector", "face")
"""Options of how the pose is found in a picture or a video."""
DRAWING = ("renderer", "crop", "size")
"""Options of how motion is drawn."""


def unused_options(
    options: GenerateOptions, names: Collection[str], image: Path | None, target: Path
) -> dict[str, str]:
    """Return which of several options have no effect on an output, with what each is for.

    Args:
        options: all options of the output.
        names: those in question, which somebody set; also ``image``.
        image: picture of the face.
        target: the output.
    """
    source = image if options.landmarks is None else Path(options.landmarks)
    is_motion = target.suffix.lower() in registry().written_suffixes
    unused: dict[str, str] = {}
    if (requested := [name for name in DETECTION if name in names]) and not _is_searched(source):
        unused |= dict.fromkeys(requested, "a picture or a video in which the face is found")
    if "mouth" in names and source is None:
        unused["mouth"] = "the face of a picture"
    if is_motion:
        unused |= dict.fromkeys((name for name in DRAWING if name in names), "videos and pictures")
        if "image" in names and options.landmarks is not None:
            unused["image"] = "videos and pictures here, because the landmarks give the pose of a motion"
    return unused


def _is_searched(source: Path | None) -> bool:
    """Return whether a detector looks for the pose in a file."""
    if source is None:
        return False
    try:
        # That it is missing, or cannot be read, is another error.
        return not source.is_file() or file_kind(source) in ("picture", "video")
    except OSError:
        return True
