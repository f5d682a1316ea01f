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
import torch

import headmotion as hm
from headmotion.data.clip import Clip
from headmotion.data.corpus import Corpus, open_corpus
from headmotion.evaluation.baselines.energy_mouth import level_db
from headmotion.metrics.mouth_opening import best_correlation, opening_curve
from headmotion.metrics.signals import Signal, band_pass
from headmotion.metrics.specs import OpeningSpec

SPEC, FPS = OpeningSpec(), 25


def banded(curve: Signal) -> Signal:
    """The part between 1 and 8 Hz."""
    return band_pass(curve, SPEC.low_hz, SPEC.high_hz, FPS, "mouth benchmark")


def follows(made: Signal, true: Signal) -> float:
    """Correlation of the bands at the best lag."""
    return best_correlation(banded(made), banded(true), SPEC.reach_frames)


def loudness(clip: Clip) -> Signal:
    """Audio energy per frame in dB."""
    return level_db(clip.audio, len(clip.landmarks))


def figures(pipe: hm.Pipeline, corpus: Corpus) -> dict[str, object]:
    """Correlation and amplitude of the model, of loudness, and of the model with another clip's audio."""
    clips = list(corpus)
    scores: dict[str, list[float]] = {"model": [], "loudness": [], "shuffled": [], "amplitude": []}
    for number, clip in enumerate(clips):
        true = opening_curve(pipe.representation, torch.from_numpy(clip.landmarks))
        other = clips[(number + len(clips) // 2) % len(clips)]
        made = {}
        for name, audio in (("model", clip.audio), ("shuffled", np.resize(other.audio, len(clip.audio)))):
            motion = pipe.generate((audio, 16_000), clip.landmarks[:1])
            made[name] = opening_curve(pipe.representation, motion.values)[: len(true)]
            scores[name].append(follows(made[name], true[: len(made[name])]))
        scores["loudness"].append(follows(loudness(clip), true))
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


def unseen(shared: Path) -> dict[str, Corpus]:
    """The clips that are measured, by what they are."""
    return {
        "GRID speaker 1, unseen sentences": open_corpus(shared / "grid_s1").select(split="val"),
        "unseen speakers, near frontal": near_frontal(shared),
    }


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model")
    parser.add_argument("shared", type=Path)
    arguments = parser.parse_args()
    pipeline = hm.load(arguments.model, device="cpu")
    for title, chosen in unseen(arguments.shared).items():
        print(json.dumps({"set": title} | figures(pipeline, chosen)))
