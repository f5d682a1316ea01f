"""How long metrics take, on clips of 80 frames with 3.2 s of speech.

    python benchmarks/evaluation.py [RUN/syncers.safetensors]

Prints, as JSON, seconds of the clock and of the processor for each metric. Without a file of syncers those of the
recipe `metric-syncers` are built with random weights, which take as long.
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


def clips(count: int) -> list[MetricInput]:
    """Faces that tremble and noise: metrics take as long as over real ones."""
    chance = np.random.default_rng(0)
    made = []
    for number in range(count):
        poses = [200 * FACE.neutral() + torch.from_numpy(chance.normal(size=(FRAMES, 68, 2))).float() for _ in range(2)]
        generated, real = (Motion(each, Fraction(25)) for each in poses)
        wave = chance.normal(0, 0.1, FRAMES * RATE // 25).astype(np.float32)
        made.append(MetricInput(str(number), generated, real, Audio(wave, RATE)))
    return made


def random_syncers(folder: Path) -> Path:
    """The syncers of the recipe, untrained."""
    corpus = write_synthetic(folder / "corpus", clips=2, seconds=3.2)
    none = ["syncers.steps=0", "data.batch_size=2", "syncers.batch_size=48", "data.distributable_only=false"]
    return train("metric-syncers", [corpus], folder / "run", device="cpu", overrides=none, quiet=True)


def timed(work: Callable[[], object]) -> dict[str, float]:
    """Seconds."""
    work_began, began = time.process_time(), time.perf_counter()
    work()
    return {"seconds": round(time.perf_counter() - began, 2), "cpu_seconds": round(time.process_time() - work_began, 2)}


def figures(syncers: Path, count: int) -> dict[str, dict[str, float]]:
    """Seconds by what is done."""
    context = BuildContext(FACE, 0)
    sync: AVSync = AVSyncSpec(syncers=str(syncers)).build(context)
    given = clips(count)
    sync.observe_batch(given[:16])
    found = {
        f"av-sync, {count} clips together": timed(lambda: sync.observe_batch(given)),
        f"av-sync, {count} clips one by one": timed(lambda: [sync.observe(clip) for clip in given]),
    }
    seen = FrechetSyncersSpec(syncers=str(syncers), durations=(80,)).build(context)
    for name, metric in (
        ("frechet-motion", FrechetMotionSpec(durations=(80,)).build(context)),
        ("frechet-syncers", seen),
    ):
        observed = [metric.observe(clip) for clip in given]
        found[f"{name}, {count} clips"] = timed(lambda metric=metric: [metric.observe(clip) for clip in given])  # type: ignore[misc]
        found[f"{name}, figures"] = timed(lambda metric=metric, observed=observed: metric.figures(observed))  # type: ignore[misc]
    return found


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("syncers", type=Path, nargs="?")
    parser.add_argument("--clips", type=int, default=1000)
    parser.add_argument("--threads", type=int, default=2)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    with tempfile.TemporaryDirectory() as folder:
        syncers = arguments.syncers or random_syncers(Path(folder))
        print(json.dumps(figures(syncers, arguments.clips), indent=1))
