"""A control under test, with the representation whose motion it edits."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ..controls.control import Control
from ..core.interfaces.specs import BuildContext, ControlSpec, RepresentationSpec
from ..core.motion import Motion
from ..media.audio import Wave
from .build_context import Subject
from .inputs import poses, to_motion

RATE = 16_000
"""Of the speech that controls are given (Hz)."""


@dataclass(frozen=True)
class ControlSubject:
    """A spec of a control, and the representation of the motion that it edits."""

    spec: ControlSpec
    """The spec under test."""
    representation: RepresentationSpec
    """Of the motion."""
    parts: Mapping[str, Any] = field(default_factory=dict)
    """Not used by controls."""

    def build(self) -> Control:
        """Build the control."""
        return self.spec.build()

    def motion(self, frames: int, seed: int = 0) -> Motion:
        """Return a motion of noisy resting poses, with its first frame as the reference."""
        subject = Subject(self.spec, BuildContext(self.representation.build(), audio_channels=26))  # type: ignore[arg-type]
        return to_motion(subject, poses(subject, 1, frames, seed)[0])

    def speech(self, motion: Motion) -> Wave:
        """Return noise of the length of a motion, silent in its middle third."""
        count = round(len(motion) / float(motion.fps) * RATE)
        wave = np.random.default_rng(5).normal(0, 0.1, count).astype(np.float32)
        wave[count // 3 : 2 * count // 3] = 0
        return wave
