"""A clip as a small video: what was made, beside what was real."""

from __future__ import annotations

import base64
import tempfile
from pathlib import Path

import numpy as np

from ..core.interfaces.representation import Representation
from ..core.interfaces.specs import BuildContext
from ..core.motion import Motion
from ..media.frames_writer import write_frames
from ..renderers.specs import SkeletonSpec
from .eval_clip import Case

SIZE = 240
"""Edge of each of the two pictures in pixels."""


def video(case: Case, motion: Motion, representation: Representation) -> str:
    """An MP4 with sound as a data address; left the motion, right the real one, in the same view."""
    skeleton = SkeletonSpec(size=SIZE, line_width=1, point_radius=1).build(BuildContext(representation, 0))
    sides = zip(*(skeleton.frames([each]) for each in (motion, case.real)), strict=True)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "clip.mp4"
        pictures = (np.concatenate(pair, axis=1) for pair in sides)
        write_frames(pictures, path, case.real.fps, case.audio, total=len(case.real), quiet=True)
        return f"data:video/mp4;base64,{base64.b64encode(path.read_bytes()).decode()}"
