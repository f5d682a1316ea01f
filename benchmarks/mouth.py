"""How well a model's mouth follows speech on unseen clips, beside simple baselines.

    python benchmarks/mouth.py MODEL SHARED_DATA

Opening = distance of the representation's mouth pair over its scale pair, band-passed to 1..8 Hz; Pearson correlation
with the true opening at the best lag within 3 frames, per clip; mean over clips with its 95 % interval (bootstrap).
Amplitude = standard deviation of the generated opening over that of the true one. The reference is the clip's first
frame. ``shuffled`` gives each clip another clip's audio.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from scipy.signal import butter, sosfiltfilt  # type: ignore[import-untyped]

import headmotion as hm
from headmotion.data.clip import Clip
from headmotion.data.corpus import Corpus, open_corpus

Curve = npt.NDArray[np.float64]
BAND_HZ, REACH_FRAMES, FPS = (1.0, 8.0), 3, 25


def opening(representation: hm.Representation, poses: torch.Tensor) -> Curve:
    """Mouth opening over the size of the face, per frame."""
    points = representation.to_points2d(poses)
    (a, b), (c, d) = representation.openings["mouth"][0], representation.scale_pair
    size = (points[:, c] - points[:, d]).norm(dim=-1).mean()
    return ((points[:, a] - points[:, b]).norm(dim=-1) / size).double().numpy()


def banded(curve: Curve) -> Curve:
    """The part between 1 and 8 Hz."""
    return np.asarray(sosfiltfilt(butter(3, BAND_HZ, "band", fs=FPS, output="sos"), curve))


def best_correlation(one: Curve, other: Curve) -> float:
    """Largest Pearson correlation over shifts of up to 3 frames."""
    found = []
    for lag in range(-REACH_FRAMES, REACH_FRAMES + 1):
        a, b = one[max(0, lag) : len(one) + min(0, lag)], other[max(0, -lag) : len(other) + min(0, -lag)]
        found.append(np.corrcoef(a, b)[0, 1] if a.std() and b.std() else 0.0)
    return float(max(found))


def loudness(clip: Clip) -> Curve:
    """Audio energy per frame in dB."""
    frames = clip.audio[: 640 * len(clip.landmarks)].reshape(-1, 640)
    return np.asarray(10 * np.log10(np.square(frames, dtype=np.float64).mean(1) + 1e-8))


def figures(pipe: hm.Pipeline, corpus: Corpus) -> dict[str, object]:
    """Correlation and amplitude of the model, of loudness, and of the model with another clip's audio."""
    clips = list(corpus)
    scores: dict[str, list[float]] = {"model": [], "loudness": [], "shuffled": [], "amplitude": []}
    for number, clip in enumerate(clips):
        true = opening(pipe.representation, torch.from_numpy(clip.landmarks))
        other = clips[(number + len(clips) // 2) % len(clips)]
        made = {}
        for name, audio in (("model", clip.audio), ("shuffled", np.resize(other.audio, len(clip.audio)))):
            motion = pipe.generate((audio, 16_000), clip.landmarks[:1])
            made[name] = opening(pipe.representation, motion.values)[: len(true)]
            scores[name].append(best_correlation(banded(made[name]), banded(true[: len(made[name])])))
        scores["loudness"].append(best_correlation(banded(loudness(clip)), banded(true)))
        scores["amplitude"].append(float(banded(made["model"]).std() / banded(true).std()))
    return {"clips": len(clips)} | {name: interval(values) for name, values in scores.items()}


def interval(values: list[float]) -> dict[str, float]:
    """Mean with its 95 % bootstrap interval."""
    draws = np.random.default_rng(0).choice(values, (2000, len(values))).mean(1)
    low, high = np.percentile(draws, [2.5, 97.5])
    return {"mean": round(float(np.mean(values)), 3), "low": round(float(low), 3), "high": round(float(high), 3)}


def near_frontal(shared: Path) -> Corpus:
    """Confirmed, near frontal validation clips of speakers that no training clip shows."""
    import csv

    with (shared / "clips" / "index.csv").open(encoding="utf-8") as stream:
        kept = {r["id"] for r in csv.DictReader(stream) if r["sync"] == "confirmed" and abs(float(r["yaw_deg"])) < 20}
    corpus = open_corpus(shared / "clips").select(split="val")
    return Corpus(entry for entry in corpus.entries if entry.id in kept)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model")
    parser.add_argument("shared", type=Path)
    arguments = parser.parse_args()
    pipeline = hm.load(arguments.model, device="cpu")
    seen_speaker = open_corpus(arguments.shared / "grid_s1").select(split="val")
    for title, chosen in (("grid_s1 val", seen_speaker), ("unseen speakers", near_frontal(arguments.shared))):
        print(json.dumps({"set": title} | figures(pipeline, chosen)))
