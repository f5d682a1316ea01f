"""Clips whose sound and motion are apart, found by syncers that were trained on the rest."""

from __future__ import annotations

import copy
from collections.abc import Iterator

import numpy as np

from ..data.clip import Clip
from ..data.corpus import Corpus
from ..pipeline.pipeline import Pipeline
from ..sync.syncer_pyramid import SyncerPyramid
from ..sync.trained import TrainedSyncers

LOOKED_AT = 50
"""Clips, spread over the corpus: a fault that many clips share shows in these, in seconds."""
LONGEST = 10
"""Seconds of each."""
APART = 2
"""Frames. One frame is heard by nobody, and measured on clips that are right."""
CONFIDENT = 0.2
"""Of `SyncMeasure`. Clips that are right but were measured off by 2 frames or more stayed below it."""
NAMED = 10


def offset_warnings(syncers: SyncerPyramid, pipeline: Pipeline, corpus: Corpus) -> Iterator[str]:
    """One line that names the clips that are apart by `APART` frames or more at the finest level, if there are any."""
    chosen = np.unique(np.linspace(0, len(corpus) - 1, min(LOOKED_AT, len(corpus))).round().astype(int))
    # Copies, in single precision on the CPU: training goes on with the modules as they are.
    encoder = copy.deepcopy(pipeline.audio_encoder).float().cpu()
    seen, fps = pipeline.representation, float(pipeline.context().fps)
    judge = TrainedSyncers(copy.deepcopy(syncers).float().cpu().eval(), seen, encoder, fps)
    measured = [(clip.id, *_measured(clip, judge)) for clip in (corpus[int(k)] for k in chosen)]
    apart = [(name, offset) for name, offset, sure in measured if abs(offset) >= APART and sure >= CONFIDENT]
    if apart:
        names = ", ".join(f"{name} ({offset:+d})" for name, offset in apart[:NAMED])
        more = f" and {len(apart) - NAMED} more" if len(apart) > NAMED else ""
        yield (
            f"sound and motion are apart in {len(apart)} of {len(measured)} clips that were looked at, in frames, "
            f"negative where the sound is late: {names}{more}; shift their sound, or leave them out by the weight 0"
        )


def _measured(clip: Clip, judge: TrainedSyncers) -> tuple[int, float]:
    """Offset in frames and confidence of a clip at the finest level."""
    frames = min(len(clip.landmarks), round(LONGEST * clip.fps))
    samples = frames * judge.syncers.steps_per_frame * judge.audio_encoder.hop
    levels = judge.measure(clip.landmarks[:frames].copy(), clip.audio[:samples])
    return (levels[0].offset, levels[0].confidence) if levels else (0, 0.0)
