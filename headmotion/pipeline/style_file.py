"""A style that is a file: the motion of a person, for generators that take one as a style."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from ..core.errors import MotionError
from ..core.motion import Motion
from ..core.plugins import registry
from ..core.short_repr import short_repr
from ..media.file_kind import SUFFIXES, file_kind

if TYPE_CHECKING:
    from .pipeline import Pipeline


VIDEO_SUFFIXES = tuple(suffix for suffix, kind in SUFFIXES.items() if kind == "video")
"""Suffixes by which a style is meant to be a video, also one that is not there."""


def is_style_file(style: str | None) -> bool:
    """Return whether a style is a file rather than a name."""
    # Unlike a path's own method, it answers for names that no path can have.
    return style is not None and os.path.isfile(style)  # noqa: PTH113


def read_style(pipeline: Pipeline, style: str | None) -> str | Motion | None:
    """Return the motion in a file of motion or in a video, in the pipeline's representation; a name stays a name.

    Only for those who may read any file: servers pass a client's style on as a name.

    Raises:
        HeadmotionError: a file in which there is no motion, or one that cannot be converted.
    """
    if style is None or not is_style_file(style):
        if style is not None and Path(style).suffix.lower() in (*registry().motion_suffixes, *VIDEO_SUFFIXES):
            raise MotionError("style", "an existing file", short_repr(style))
        return style
    path = Path(style)
    if path.suffix.lower() not in registry().motion_suffixes and file_kind(path) == "video":
        from ..detectors.detect_motion import detect_motion  # slow to import

        representation = pipeline.representation.spec.model_dump(mode="json")
        return detect_motion(path, representation, pipeline.spec.detector, fps=pipeline.spec.fps)
    return Motion.load(path).to(pipeline.representation)
