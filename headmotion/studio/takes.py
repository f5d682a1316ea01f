"""Takes: speech and the motion that a model gave for it. Edits are applied to a take without generating it again."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..controls import from_options
from ..core.motion import Motion
from ..media.audio import Audio
from ..pipeline.pipeline import Pipeline
from ..serving.protocol import Controls

SPEECH_RATE = 16_000
"""Rate at which controls that listen get the speech (Hz)."""


@dataclass(frozen=True, eq=False)
class Take:
    """Motion before any control."""

    speech: Audio
    pipeline: Pipeline
    motion: Motion
    seed: int

    def edited(self, controls: Controls) -> Motion:
        """Return the motion after controls."""
        motion = self.motion
        speech = self.speech.read(SPEECH_RATE) if controls.close_silence else np.zeros(0, np.float32)
        for control in from_options(**controls.model_dump(), seed=self.seed):
            motion = control(motion, speech, SPEECH_RATE)
        return motion


def motion_packet(motion: Motion) -> dict[str, Any]:
    """Return a motion as the page draws it: landmarks ``[T, 68, 2]`` and ARKit's blend shapes ``[T, 52]``.

    Positions are in the motion's own picture or square; the page carries the displacements from ``reference`` over to
    the face that it draws.
    """
    drawn = motion.to("landmarks68")
    reference = drawn.values[0] if drawn.reference is None else drawn.reference
    weights = motion.to("blendshapes")
    return {
        "fps": [drawn.fps.numerator, drawn.fps.denominator],
        "frames": len(drawn),
        "landmarks": _encoded(drawn.values.cpu().numpy()),
        "reference": reference[:, :2].tolist(),
        "weights": _encoded(weights.values[..., 0].cpu().numpy()),
    }


def _encoded(values: Any) -> str:
    return base64.b64encode(np.ascontiguousarray(values, "<f4").tobytes()).decode()
