"""AV-Conf of a take at every level of the bundled metric syncers: of the whole, and as a curve over time."""

from __future__ import annotations

from fractions import Fraction
from functools import cache
from typing import Any

import torch

from ..core.motion import Motion
from ..media.audio import Audio
from ..metrics.syncer_model import SyncerModel
from ..sync.av_offset import best_shift, running_confidence, valid_pairs
from ..sync.syncer_pyramid import project
from ..sync.trained import TrainedSyncers
from .faces import landmarks68

SYNCERS = "metric-syncers"
"""Name of the bundled syncers, with which no generator was trained."""
SURROUNDINGS_S = 2.0
"""Speech over which the confidence around a moment is averaged (s)."""


@torch.no_grad()
def confidence_packet(motion: Motion, speech: Audio) -> dict[str, Any]:
    """Return offset and confidence per level, the finest first; levels that are longer than the take are left out.

    Args:
        motion: of a representation that can be converted to landmarks.
        speech: the audio that the motion was generated from.

    Returns:
        ``levels``, each with ``frame_ms`` (of the level), ``offset_ms`` and ``confidence`` of the whole take as the
        metric ``av-sync`` defines them, and ``values``: the confidence around the moments ``first_s + k * step_s``.

    Raises:
        MotionError: no conversion leads to landmarks.
    """
    trained = _syncers()
    fps = Fraction(trained.fps).limit_denominator(1001)
    landmarks = motion.to("landmarks68").resample(fps)
    if len(landmarks) < trained.syncers.window:
        return {"levels": []}
    points, features = trained.inputs(landmarks.values[..., :2], speech.read(trained.audio_encoder.sample_rate))
    embeddings = trained.syncers.embeddings(points[None], features[None])
    return {"levels": [_level(trained, level, *pair) for level, pair in enumerate(embeddings)]}


def _level(trained: TrainedSyncers, level: int, motion: torch.Tensor, audio: torch.Tensor) -> dict[str, Any]:
    step_s = trained.syncers.pyramid.stride**level / trained.fps
    motion, audio = (project(values[0], trained.space) for values in (motion, audio))
    offset, _, confidence = map(float, best_shift(valid_pairs(motion, audio)))
    values = running_confidence(motion, audio, round(SURROUNDINGS_S / 2 / step_s))
    return {
        "frame_ms": 1000 * step_s,
        "offset_ms": 1000 * step_s * offset,
        "confidence": confidence,
        "first_s": trained.syncers.window * step_s / 2,
        "step_s": step_s,
        "values": [round(value, 4) for value in values.tolist()],
    }


@cache
def _syncers() -> TrainedSyncers:
    return SyncerModel(SYNCERS, landmarks68()).trained
