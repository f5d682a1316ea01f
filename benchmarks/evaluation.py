"""Time of metrics, on clips of 80 frames with 3.2 s of speech.

    python benchmarks/evaluation.py [RUN/syncers.safetensors]

Prints, as JSON, wall-clock and processor seconds of each metric. Without a file of syncers those of the recipe
`metric-syncers` are built with random weights, which take as long.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import numpy as np
import torch

from headmotion.core.interfaces.metric import MetricInput
from headmotion.core.interfaces.specs import BuildContext
from headmotion.core.motion import Motion
from headmotion.data.synthetic.talking_faces import write_synthetic
from headmotion.media.audio import Audio
from headmotion.metrics.av_sync import AVSync
from headmotion.metrics.specs import AVSyncSpec, FrechetMotionSpec, FrechetSyncersSpec
from headmotion.representations.specs import Landmarks68Spec
from headmotion.training import train

FRAMES, RATE = 80, 16_000
FACE = Landmarks68Spec().build()


def trembling_clips(count: int) -> list[MetricInput]:
    """Return faces that tremble, with noise as speech: metrics take as long as over real ones."""
    rng = np.random.default_rng(0)
    clips = []
    for number in range(count):
        poses = [200 * FACE.neutral() + torch.from_numpy(rng.normal(size=(FRAMES, 68, 2))).float() for _ in range(2)]
        generated, real = (Motion(values, Fraction(25)) for values in poses)
        wave = rng.normal(0, 0.1, FRAMES * RATE // 25).astype(np.float32)
        clips.append(MetricInput(str(number), generated, real, Audio(wave, RATE)))
    return clips


def random_syncers(folder: Path) -> Path:
    """Write the syncers of the recipe, hardly trained, and return their file."""
    corpus = write_synthetic(folder / "corpus", clips=2, seconds=3.2)
    changes = ["phases.syncers.steps=1", "phases.syncers.batch_size=48", "data.batch_size=2"]
    return train("metric-syncers", [corpus], folder / "run", device="cpu", overrides=changes, quiet=True)


def timed(work: Callable[[], object]) -> dict[str, float]:
    """Return the wall-clock and processor seconds of a call."""
    cpu_start, start = time.process_time(), time.perf_counter()
    work()
    return {"seconds": round(time.perf_counter() - start, 2), "cpu_seconds": round(time.process_time() - cpu_start, 2)}


def metric_seconds(syncers: Path, count: int) -> dict[str, dict[str, float]]:
    """Return the seconds by metric and way of calling it."""
    context = BuildContext(FACE, 0)
    sync: AVSync = AVSyncSpec(syncers=str(syncers)).build(context)
    clips = trembling_clips(count)
    sync.observe_batch(clips[:16])
    seconds = {
        f"av-sync, {count} clips together": timed(lambda: sync.observe_batch(clips)),
        f"av-sync, {count} clips one by one": timed(lambda: [sync.observe(clip) for clip in clips]),
    }
    frechet_syncers = FrechetSyncersSpec(syncers=str(syncers), durations=(80,)).build(context)
    for name, metric in (
        ("frechet-motion", FrechetMotionSpec(durations=(80,)).build(context)),
        ("frechet-syncers", frechet_syncers),
    ):
        observed = [metric.observe(clip) for clip in clips]
        seconds[f"{name}, {count} clips"] = timed(lambda metric=metric: [metric.observe(clip) for clip in clips])  # type: ignore[misc]
        seconds[f"{name}, values"] = timed(lambda metric=metric, observed=observed: metric.figures(observed))  # type: ignore[misc]
    return seconds


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("syncers", type=Path, nargs="?")
    parser.add_argument("--clips", type=int, default=1000)
    parser.add_argument("--threads", type=int, default=2)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    with tempfile.TemporaryDirectory() as folder:
        syncers = arguments.syncers or random_syncers(Path(folder))
        print(json.dumps(metric_seconds(syncers, arguments.clips), indent=1))
