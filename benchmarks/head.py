"""How far, how fast and how smoothly a model's head moves, compared with recorded heads that move.

    python benchmarks/head.py MODEL SHARED_DATA

For each recorded clip whose head turns (selected by ``tools/head_statistics.py``), the model generates from the clip's
speech and its first frame. Head poses are fitted to the two-dimensional landmarks of both, as the controls do.
``spread`` and ``speed`` are root mean squares of the pose around its mean and of its change per frame, in windows of
three seconds, below 5 Hz, where detectors do not tremble. They are averaged over speakers; the table has the ratio of
generated to recorded motion with its 95 % interval (bootstrap over speakers). Shifts are in inter-ocular distances, and
only of clips whose crop does not follow the head; ``shift`` is ``x`` and ``y`` together. ``jitter`` is the root mean
square third difference of all landmarks, unfiltered. ``drift`` is the change of the mean pose from the first ten
seconds to the last, over a minute of speech from consecutive clips, in standard deviations of the recorded pose.
``rest`` is the mouth opening over the inter-ocular distance in the second half of four seconds of silence, starting
from a closed mouth.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import numpy as np
import torch

import headmotion as hm
from headmotion.controls.control import ControlContext
from headmotion.controls.head_pose import HeadModel
from headmotion.data.corpus import Corpus, open_corpus
from headmotion.metrics.jitter import jitter
from headmotion.metrics.mouth_opening import opening_curve
from headmotion.metrics.pose_curves import head_curves
from headmotion.metrics.signals import Signal, low_pass, windowed_stats

sys.path.append(str(Path(__file__).parents[1] / "tools"))
from head_statistics import CROPPED, LOWPASS_HZ, moving_speakers

AXES = ("pitch", "yaw", "roll", "x", "y")
RATE, FPS = 16_000, 25


@dataclass(frozen=True)
class HeadMotion:
    """Poses ``[T, 5]`` of one clip, recorded and generated, and the jitter of both."""

    speaker: str
    real: Signal
    generated: Signal
    jitter: tuple[float, float]


def smooth(curve: Signal) -> Signal:
    """Return the curve below 5 Hz."""
    return low_pass(curve, LOWPASS_HZ, FPS, "head benchmark")


def compared(pipe: hm.Pipeline, shared: Path) -> Iterator[HeadMotion]:
    """Yield recorded and generated motion of every clip whose head moves."""
    speakers = {speaker for speaker, _ in moving_speakers(shared / "clips")}
    left, right = pipe.representation.scale_pair
    for number, clip in enumerate(open_corpus(shared / "clips")):
        if clip.speaker not in speakers or len(clip.landmarks) < 75:
            continue
        real = torch.from_numpy(clip.landmarks[..., :2])
        head = HeadModel(ControlContext(pipe.representation, real[0], Fraction(25)), "head benchmark")
        size = float((real[:, left] - real[:, right]).norm(dim=-1).median())
        generated = pipe.generate((clip.audio, RATE), real[:1], seed=number).values[: len(real)]
        yield HeadMotion(
            clip.speaker,
            smooth(head_curves(head, real, size)),
            smooth(head_curves(head, generated, size)),
            (jitter(real, size), jitter(generated, size)),
        )


def by_speaker(clips: list[HeadMotion], axis: int, measure: str) -> Signal:
    """Real and generated windowed statistics ``[speakers, 2]`` of one axis."""
    pairs_by_speaker: dict[str, list[tuple[float, float]]] = {}
    for clip in clips:
        if axis < 3 or not clip.speaker.startswith(CROPPED):
            pair = tuple(float(getattr(windowed_stats(curve), measure)[axis]) for curve in (clip.real, clip.generated))
            pairs_by_speaker.setdefault(clip.speaker, []).append(pair)  # type: ignore[arg-type]
    return np.array([np.mean(pairs, axis=0) for pairs in pairs_by_speaker.values()])


def ratio(pairs: Signal) -> dict[str, float]:
    """Return the mean of the generated values over that of the recorded ones, with its 95 % interval."""
    draws = pairs[np.random.default_rng(0).integers(0, len(pairs), (2000, len(pairs)))].mean(1)
    low, high = np.percentile(draws[:, 1] / draws[:, 0], [2.5, 97.5])
    real, generated = pairs.mean(0)
    return {"ratio": generated / real, "low": low, "high": high, "real": real, "generated": generated}


def drift(pipe: hm.Pipeline, corpus: Corpus, real_std: Signal, seconds: int = 60) -> dict[str, float]:
    """Return the change of the mean pose over a minute by axis, in standard deviations of the recorded pose."""
    speech = np.concatenate([clip.audio for clip in corpus])[: seconds * RATE]
    reference = torch.from_numpy(corpus[0].landmarks[:1, :, :2])
    left, right = pipe.representation.scale_pair
    size = float((reference[0, left] - reference[0, right]).norm())
    values = pipe.generate((speech, RATE), reference).values
    head = HeadModel(ControlContext(pipe.representation, reference[0], Fraction(25)), "head benchmark")
    pose = head_curves(head, values, size)
    shift = np.abs(pose[-250:].mean(0) - pose[:250].mean(0)) / real_std
    return {axis: float(value) for axis, value in zip(AXES, shift, strict=True)}


def silent_opening(pipe: hm.Pipeline) -> float:
    """Return the mouth opening in silence."""
    motion = pipe.generate((np.zeros(4 * RATE, np.float32), RATE))
    return float(opening_curve(pipe.representation, motion.values)[50:].mean())


def figures(pipe: hm.Pipeline, shared: Path) -> dict[str, object]:
    """Return all values of the benchmark."""
    clips = list(compared(pipe, shared))
    result: dict[str, object] = {"clips": len(clips), "speakers": len({clip.speaker for clip in clips})}
    for measure in ("std", "speed"):
        for axis, name in enumerate(AXES):
            result[f"{measure} {name}"] = ratio(by_speaker(clips, axis, measure))
        across, down = (by_speaker(clips, AXES.index(name), measure) for name in ("x", "y"))
        result[f"{measure} shift"] = ratio(np.hypot(across, down))
    result["jitter"] = ratio(np.array([clip.jitter for clip in clips]))
    real_std = np.array([by_speaker(clips, axis, "std")[:, 0].mean() for axis in range(5)])
    result["drift"] = drift(pipe, open_corpus(shared / "grid_s1").select(split="val"), real_std)
    result["rest"] = silent_opening(pipe)
    return result


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model")
    parser.add_argument("shared", type=Path)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    values = figures(hm.load(arguments.model, device="cpu"), arguments.shared)
    print(json.dumps(values, indent=1, default=float))
