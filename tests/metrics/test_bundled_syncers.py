"""Accuracy of the bundled metric syncers, on clips that they were not trained on."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import torch
from moving import FACE, context

from headmotion.core.checkpoint import read_header
from headmotion.core.interfaces.metric import MetricInput
from headmotion.core.motion import Motion
from headmotion.core.plugins import registry
from headmotion.data.clip import SAMPLE_RATE, Clip
from headmotion.data.corpus import open_corpus
from headmotion.data.synthetic.talking_faces import synthetic_clip
from headmotion.media.audio import Audio
from headmotion.metrics.av_sync import AVSync
from headmotion.metrics.specs import AVSyncSpec
from headmotion.metrics.syncer_model import BUNDLED
from headmotion.sync.av_offset import best_shift

EDGE = 8
"""Frames at either end that are cut, so that shifted audio exists."""


@pytest.fixture(scope="module")
def metric() -> AVSync:
    return AVSyncSpec().build(context(FACE))


def offsets(metric: AVSync, clips: Sequence[Clip], late: int) -> list[int]:
    """Return the detected offsets at the finest level, where the audio is this many frames late."""
    inputs = []
    for clip in clips:
        frames, per_frame = len(clip.landmarks), round(SAMPLE_RATE / clip.fps)
        speech = clip.audio[(EDGE - late) * per_frame : (frames - EDGE - late) * per_frame]
        values = torch.tensor(clip.landmarks[EDGE : frames - EDGE, :, :2])
        inputs.append(MetricInput(clip.id, Motion(values, clip.fps), audio=Audio(speech, SAMPLE_RATE)))
    return [int(best_shift(curves["level0"]).offset) for curves in metric.observe_batch(inputs)]


@pytest.mark.parametrize("late", [-4, 0, 4])
def test_late_audio_is_detected_in_synthetic_clips(metric: AVSync, late: int) -> None:
    # The first hundred were trained on.
    detected = np.array(offsets(metric, [synthetic_clip(1000 + k, 3.2) for k in range(8)], late))
    assert np.median(detected) == -late
    assert (np.abs(detected + late) <= 1).mean() >= 0.75


def test_late_audio_is_detected_in_real_clips(metric: AVSync, shared: Path) -> None:
    corpus = open_corpus(shared / "data" / "grid_s1").select(split="val")
    clips = [corpus[k] for k in range(12)]
    for late in (-5, 0, 5):
        assert (np.abs(np.array(offsets(metric, clips, late)) + late) <= 1).mean() >= 0.9


def test_the_file_is_small_and_documents_itself() -> None:
    path = BUNDLED["metric-syncers"]
    header = read_header(path)
    assert header.size < 2e6 and header.spec["space"] == "free"
    assert header.card["commit"] and header.card["recipe"]["data"]["distributable_only"] is True
    assert any(asset.name == path.name for assets in registry().assets.values() for asset in assets)
