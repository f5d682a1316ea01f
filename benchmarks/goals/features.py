"""Goals of the parts around the model: audio features, the renderer, the metrics."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

import cv2
import numpy as np
import python_speech_features as psf
import torch

import headmotion as hm
from headmotion.audio_encoders.log_mel import LogMel
from headmotion.audio_encoders.specs import LogMelSpec
from headmotion.core.interfaces.specs import BuildContext
from headmotion.media.image import read_picture
from headmotion.metrics.specs import AVSyncSpec
from headmotion.representations.specs import Landmarks68Spec

from ..evaluation import random_syncers, trembling_clips
from .timing import Measurement, median_seconds, threads

ASSETS = Path(hm.__file__).parent / "assets"


def audio_features() -> Measurement:
    """Measure `log-mel` against ``logfbank`` of python_speech_features, which gives the same values, on a minute."""
    wave = np.random.default_rng(0).normal(0, 0.05, 16_000 * 60).astype(np.float32)
    encoder, tensor = LogMel(LogMelSpec()), torch.from_numpy(wave)[None]
    with threads(1), torch.inference_mode():
        seconds = median_seconds({"ours": lambda: encoder(tensor), "psf": lambda: psf.logfbank(wave)}, 9)
    note = f"{1000 * seconds['ours']:.1f} ms, theirs {1000 * seconds['psf']:.1f} ms"
    return Measurement(seconds["psf"] / seconds["ours"], "x", note)


def portrait() -> Measurement:
    """Measure the frames per second of the `portrait` renderer, 512 x 512, on one core."""
    cv2.setNumThreads(1)
    pipe = hm.load("ms-sync", device="cpu")
    motion = pipe.generate(ASSETS / "speech.flac", reference=ASSETS / "portrait_landmarks.npz")[:100]
    picture, renderer = read_picture(ASSETS / "portrait.png"), pipe.with_renderer("portrait")
    with threads(1):
        seconds = median_seconds({"ours": lambda: [0 for _ in renderer.frames([motion], picture)]}, 5)["ours"]
    return Measurement(len(motion) / seconds, "frames/s", f"{1000 * seconds / len(motion):.1f} ms per frame")


def evaluation(count: int = 1000) -> Measurement:
    """Measure the seconds for offset and confidence of 1,000 clips of 80 frames."""
    context = BuildContext(Landmarks68Spec().build(), 0)
    with tempfile.TemporaryDirectory() as folder:
        metric = AVSyncSpec(syncers=str(random_syncers(Path(folder)))).build(context)
    clips = trembling_clips(count)
    with threads(2):
        metric.observe_batch(clips[:16])
        start = time.perf_counter()
        metric.observe_batch(clips)
        seconds = time.perf_counter() - start
    return Measurement(
        seconds, "s", f"{1000 * seconds / count:.1f} ms per clip on two threads, syncers of random weights"
    )
