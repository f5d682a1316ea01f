"""Find clips whose sound and motion are apart in time, by the syncers that were trained on all clips."""

from __future__ import annotations

import copy
from collections.abc import Iterator

import numpy as np

from ..data.clip import Clip
from ..data.corpus import Corpus
from ..pipeline.pipeline import Pipeline
from ..sync.syncer_pyramid import SyncerPyramid
from ..sync.trained import TrainedSyncers

MAX_CLIPS = 50
"""Clips that are checked, spread over the corpus: enough to show a fault that many clips share, within seconds."""
MAX_SECONDS = 10
"""Length of each clip that is checked."""
MIN_OFFSET_FRAMES = 2
"""One frame is inaudible, and is measured on clips that are right."""
MIN_CONFIDENCE = 0.2
"""Of `SyncMeasure`. Clips that are right but were measured off by 2 frames or more stayed below it."""
MAX_NAMED = 10
"""Clips that a warning names."""


def offset_warnings(syncers: SyncerPyramid, pipeline: Pipeline, corpus: Corpus) -> Iterator[str]:
    """Yield one line that names the clips which are off by `MIN_OFFSET_FRAMES` or more, if there are any.

    Args:
        syncers: trained; they are copied, and so is the audio encoder.
        pipeline: the one that they were trained for.
        corpus: the clips.
    """
    count = min(MAX_CLIPS, len(corpus))
    indices = np.unique(np.linspace(0, len(corpus) - 1, count).round().astype(int))
    # Copies, in single precision on the CPU: training goes on with the modules as they are.
    encoder = copy.deepcopy(pipeline.audio_encoder).float().cpu()
    fps = float(pipeline.context().fps)
    trained = TrainedSyncers(copy.deepcopy(syncers).float().cpu().eval(), pipeline.representation, encoder, fps)
    measured = [(clip.id, *_measure(clip, trained)) for clip in (corpus[int(k)] for k in indices)]
    shifted = [
        (name, offset)
        for name, offset, confidence in measured
        if abs(offset) >= MIN_OFFSET_FRAMES and confidence >= MIN_CONFIDENCE
    ]
    if shifted:
        names = ", ".join(f"{name} ({offset:+d})" for name, offset in shifted[:MAX_NAMED])
        more = f" and {len(shifted) - MAX_NAMED} more" if len(shifted) > MAX_NAMED else ""
        yield (
            f"audio and motion are offset in {len(shifted)} of {len(measured)} clips that were checked, in frames, "
            f"negative where the audio is late: {names}{more}; shift their audio, or leave them out by the weight 0"
        )


def _measure(clip: Clip, trained: TrainedSyncers) -> tuple[int, float]:
    """Return the offset in frames and the confidence of a clip at the finest level; zeros if it is too short."""
    frames = min(len(clip.landmarks), round(MAX_SECONDS * clip.fps))
    samples = frames * trained.syncers.steps_per_frame * trained.audio_encoder.hop
    levels = trained.measure(clip.landmarks[:frames].copy(), clip.audio[:samples])
    return (levels[0].offset, levels[0].confidence) if levels else (0, 0.0)
