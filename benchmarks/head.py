"""How far, how fast and how smoothly a model's head moves, beside real heads that move.

    python benchmarks/head.py MODEL SHARED_DATA

For each real clip whose head turns (chosen by ``tools/head_statistics.py``), a model hears the clip's speech and starts
from its first frame. The head's pose is found in the two-dimensional landmarks of both by the fit of the controls.
``spread`` and ``speed``: root mean square of what remains of the pose around its mean, and of its change per frame,
in windows of three seconds, below 5 Hz, where detectors do not tremble; mean over speakers; the model's over the real
one's, with the 95 % interval of the ratio (bootstrap over speakers). Shifts are in inter-ocular distances, and only
of clips whose picture does not follow the head; ``shift`` is ``x`` and ``y`` together. ``jitter``: root mean square
third difference of all landmarks, unfiltered. ``drift`` (a minute of speech, clips in a row): how far the middle of
the pose in the last ten seconds is from that in the first ten, in standard deviations of the real pose. ``rest``:
mouth opening over inter-ocular distance in the second half of four seconds of silence, from a closed mouth.
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
class Moved:
    """Poses ``[T, 5]`` of one clip, real and generated, and their jitter."""

    speaker: str
    real: Signal
    generated: Signal
    jitter: tuple[float, float]


def smooth(curve: Signal) -> Signal:
    """Without what is faster than 5 Hz."""
    return low_pass(curve, LOWPASS_HZ, FPS, "head benchmark")


def compared(pipe: hm.Pipeline, shared: Path) -> Iterator[Moved]:
    """Every clip whose head moves."""
    chosen = {speaker for speaker, _ in moving_speakers(shared / "clips")}
    left, right = pipe.representation.scale_pair
    for number, clip in enumerate(open_corpus(shared / "clips")):
        if clip.speaker not in chosen or len(clip.landmarks) < 75:
            continue
        real = torch.from_numpy(clip.landmarks[..., :2])
        head = HeadModel(ControlContext(pipe.representation, real[0], Fraction(25)), "head benchmark")
        size = float((real[:, left] - real[:, right]).norm(dim=-1).median())
        made = pipe.generate((clip.audio, RATE), real[:1], seed=number).values[: len(real)]
        yield Moved(
            clip.speaker,
            smooth(head_curves(head, real, size)),
            smooth(head_curves(head, made, size)),
            (jitter(real, size), jitter(made, size)),
        )


def by_speaker(clips: list[Moved], axis: int, measure: str) -> Signal:
    """Real and generated windowed statistics ``[speakers, 2]`` of one axis."""
    found: dict[str, list[tuple[float, float]]] = {}
    for clip in clips:
        if axis < 3 or not clip.speaker.startswith(CROPPED):
            pair = tuple(float(getattr(windowed_stats(curve), measure)[axis]) for curve in (clip.real, clip.generated))
            found.setdefault(clip.speaker, []).append(pair)  # type: ignore[arg-type]
    return np.array([np.mean(pairs, axis=0) for pairs in found.values()])


def ratio(pairs: Signal) -> dict[str, float]:
    """Mean generated over mean real, with its 95 % interval."""
    draws = pairs[np.random.default_rng(0).integers(0, len(pairs), (2000, len(pairs)))].mean(1)
    low, high = np.percentile(draws[:, 1] / draws[:, 0], [2.5, 97.5])
    real, generated = pairs.mean(0)
    return {"ratio": generated / real, "low": low, "high": high, "real": real, "generated": generated}


def drift(pipe: hm.Pipeline, corpus: Corpus, real_std: Signal, seconds: int = 60) -> dict[str, float]:
    """Shift of the middle of the pose over a minute, largest over rotations and shifts."""
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
    """Mouth opening at rest."""
    motion = pipe.generate((np.zeros(4 * RATE, np.float32), RATE))
    return float(opening_curve(pipe.representation, motion.values)[50:].mean())


def figures(pipe: hm.Pipeline, shared: Path) -> dict[str, object]:
    """All of it."""
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
    found = figures(hm.load(arguments.model, device="cpu"), arguments.shared)
    print(json.dumps(found, indent=1, default=float))
