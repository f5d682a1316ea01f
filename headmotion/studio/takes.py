"""Takes: speech and the motion that a model gave for it. Edits are applied to a take without generating it again."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from itertools import accumulate
from typing import Any

import numpy as np
from torch import Tensor

from ..controls import from_options
from ..core.conversion import reachable
from ..core.interfaces.representation import SupportsPoints2D
from ..core.motion import Motion
from ..core.plugins import registry
from ..export.mouth_shapes import cues, mouth_shapes
from ..media.audio import Audio
from ..pipeline.pipeline import Pipeline
from ..serving.protocol import Controls

MIN_SHAPE_FRAMES = 2
"""Shortest shape of the mouth that the page offers for correction."""
POSITIONAL = ("lips", "close_silence", "head", "hold_pose", "look_at", "limit", "blink")
"""Controls that edit positions, and not weights."""
MARGIN = 1.2
"""Side of the square in which a body is drawn, in sides of the box of all its positions."""
SPEECH_RATE = 16_000
"""Rate at which controls that listen get the speech (Hz)."""


@dataclass(frozen=True, eq=False)
class Take:
    """Motion before any control."""

    model: str

    speech: Audio
    pipeline: Pipeline
    motion: Motion
    seed: int
    warnings: tuple[str, ...] = ()
    """What was said when it was made."""

    def edited(self, controls: Controls) -> Motion:
        """Return the motion after controls; weights become landmarks first where a control needs positions."""
        needs_positions = any(getattr(controls, name) not in (None, False) for name in POSITIONAL)
        is_weights = self.motion.values.shape[-1] == 1 and is_face(self.motion)
        motion = self.motion.to("landmarks68") if needs_positions and is_weights else self.motion
        speech = self.speech.read(SPEECH_RATE) if controls.close_silence else np.zeros(0, np.float32)
        for control in from_options(**controls.model_dump(), seed=self.seed):
            motion = control(motion, speech, SPEECH_RATE)
        return motion


def is_face(motion: Motion) -> bool:
    """Return whether a motion can be shown by landmarks."""
    return converts(motion, "landmarks68")


def converts(motion: Motion, target: str) -> bool:
    """Return whether a motion is of a type of representation, or converters lead there."""
    source = str(motion.representation["type"])
    return source == target or target in reachable(registry().converters.values(), source)


def formats_of(motion: Motion) -> list[str]:
    """Return the files that a take of such a motion can become; see `take_file`."""
    formats = ["mp4", "webm", "gif", "npz", "csv", "spec"]
    formats += ["vtt", "html"] if is_face(motion) else []
    if motion.representation["type"] == "joints":
        formats += ["bvh", "glb"]
    return formats + (["glb", "live-link"] if converts(motion, "blendshapes") else [])


def motion_packet(motion: Motion) -> dict[str, Any]:
    """Return a motion as the page draws it, with what of it there is.

    Positions of ``landmarks`` ``[T, 68, 2]`` are in the motion's own picture or square; the page carries the
    displacements from ``reference`` over to the face that it draws. ``weights`` ``[T, 52]`` are ARKit's blend shapes,
    ``mouth_shapes`` runs of one shape (letter, first frame, frames), and ``formats`` the files that it can become. A
    motion that is no face has ``drawing``: positions ``[T, P, 2]`` in a square of side 1, and the ``edges`` between
    them.
    """
    fps = [motion.fps.numerator, motion.fps.denominator]
    packet: dict[str, Any] = {"fps": fps, "frames": len(motion), "formats": formats_of(motion)}
    packet |= _landmarks(motion) if is_face(motion) else _drawing(motion)
    return packet | (_weights(motion) if converts(motion, "blendshapes") else {})


def _landmarks(motion: Motion) -> dict[str, Any]:
    drawn = motion.to("landmarks68")
    reference = drawn.values[0] if drawn.reference is None else drawn.reference
    shapes = cues(mouth_shapes(drawn, drawn.build_representation()), MIN_SHAPE_FRAMES)
    starts = accumulate((frames for _, frames in shapes), initial=0)
    return {
        "landmarks": _encoded(drawn.values[..., :2]),
        "reference": reference[:, :2].tolist(),
        "mouth_shapes": [[letter, first, frames] for (letter, frames), first in zip(shapes, starts, strict=False)],
    }


def _weights(motion: Motion) -> dict[str, Any]:
    return {"weights": _encoded(motion.to("blendshapes").values[..., 0])}


def _drawing(motion: Motion) -> dict[str, Any]:
    representation = motion.build_representation()
    if not isinstance(representation, SupportsPoints2D):
        return {}
    points = representation.to_points2d(motion.values)
    low, high = points.amin((0, 1)), points.amax((0, 1))
    side = float((high - low).max()) or 1.0
    shown = (points - (low + high) / 2) / side / MARGIN + 0.5
    return {"drawing": {"points": _encoded(shown), "edges": [list(edge) for edge in representation.edges]}}


def _encoded(values: Tensor) -> str:
    return base64.b64encode(np.ascontiguousarray(values.cpu().numpy(), "<f4").tobytes()).decode()
