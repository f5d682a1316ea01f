"""What the bundled metric syncers are worth, on clips that they have not seen."""

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
from headmotion.metrics.syncer_model import BUNDLED_DIR
from headmotion.sync.av_offset import best_shift

EDGE = 8


@pytest.fixture(scope="module")
def metric() -> AVSync:
    return AVSyncSpec().build(context(FACE))


def offsets(metric: AVSync, clips: Sequence[Clip], late: int) -> list[int]:
    """What is found at the finest level where the sound is so many frames late."""
    given = []
    for clip in clips:
        frames, per_frame = len(clip.landmarks), round(SAMPLE_RATE / clip.fps)
        speech = clip.audio[(EDGE - late) * per_frame : (frames - EDGE - late) * per_frame]
        values = torch.tensor(clip.landmarks[EDGE : frames - EDGE, :, :2])
        given.append(MetricInput(clip.id, Motion(values, clip.fps), audio=Audio(speech, SAMPLE_RATE)))
    return [int(best_shift(each["level0"]).offset) for each in metric.observe_batch(given)]


@pytest.mark.parametrize("late", [-4, 0, 4])
def test_sound_that_is_late_is_found_in_synthetic_clips(metric: AVSync, late: int) -> None:
    # The first hundred were trained on.
    found = np.array(offsets(metric, [synthetic_clip(1000 + k, 3.2) for k in range(8)], late))
    assert np.median(found) == -late
    assert (np.abs(found + late) <= 1).mean() >= 0.75


def test_sound_that_is_late_is_found_in_real_clips(metric: AVSync, shared: Path) -> None:
    corpus = open_corpus(shared / "data" / "grid_s1").select(split="val")
    clips = [corpus[k] for k in range(12)]
    for late in (-5, 0, 5):
        assert (np.abs(np.array(offsets(metric, clips, late)) + late) <= 1).mean() >= 0.9


def test_the_file_is_small_and_tells_what_it_is() -> None:
    path = BUNDLED_DIR / "metric-syncers.safetensors"
    header = read_header(path)
    assert header.size < 2e6 and header.spec["space"] == "free"
    assert header.card["commit"] and header.card["recipe"]["data"]["distributable_only"] is True
    assert any(asset.name == path.name for assets in registry().assets.values() for asset in assets)
