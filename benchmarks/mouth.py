"""How well a model's mouth follows speech on unseen clips, compared with simple baselines.

    python benchmarks/mouth.py MODEL SHARED_DATA

The opening is the distance of the representation's mouth pair over its scale pair, band-passed to 1..8 Hz; the width is
that of the corners of the mouth. A clip's figure is Pearson's correlation with the recorded opening at the best lag
within 3 frames; the table has the mean over clips with its 95 % interval (bootstrap). The amplitude is the standard
deviation of the generated opening over that of the recorded one. The reference is the clip's first frame. ``shuffled``
uses another clip's audio. Unseen speakers are those of confirmed clips that no shipped model may be trained on; those
near frontal are within 20 degrees of it, and in the validation split. Unseen speakers of Arabic say single words.
"""

from __future__ import annotations

import argparse
import csv
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
    """Return the curve between 1 and 8 Hz."""
    return band_pass(curve, SPEC.low_hz, SPEC.high_hz, FPS, "mouth benchmark")


def band_correlation(generated: Signal, recorded: Signal) -> float:
    """Return the correlation of the band-passed curves at the best lag."""
    return best_correlation(banded(generated), banded(recorded), SPEC.reach_frames)


def loudness(clip: Clip) -> Signal:
    """Return the audio energy per frame in dB."""
    return level_db(clip.audio, len(clip.landmarks))


def figures(pipe: hm.Pipeline, corpus: Corpus) -> dict[str, object]:
    """Return correlation and amplitude of the model, and correlations of loudness and with another clip's audio."""
    clips = list(corpus)
    scores: dict[str, list[float]] = {"model": [], "width": [], "loudness": [], "shuffled": [], "amplitude": []}
    for number, clip in enumerate(clips):
        recorded = opening_curve(pipe.representation, torch.from_numpy(clip.landmarks))
        other = clips[(number + len(clips) // 2) % len(clips)]
        for name, audio in (("model", clip.audio), ("shuffled", np.resize(other.audio, len(clip.audio)))):
            motion = pipe.generate((audio, 16_000), clip.landmarks[:1])
            values = clip_values(pipe.representation, motion.values, clip)
            scores[name].append(values["opening"])
            if name == "model":
                scores["width"].append(values["width"])
                scores["amplitude"].append(values["amplitude"])
        scores["loudness"].append(band_correlation(loudness(clip), recorded))
    return {"clips": len(clips)} | {name: interval(values) for name, values in scores.items()}


def clip_values(representation: hm.Representation, generated: torch.Tensor, clip: Clip) -> dict[str, float]:
    """Return how generated poses ``[T, P, D]`` follow the recorded ones: opening, width and amplitude."""
    pair = generated[: len(clip.landmarks)], torch.from_numpy(clip.landmarks)[: len(generated)]
    opening, recorded = (opening_curve(representation, poses) for poses in pair)
    widths = (width_curve(representation, poses) for poses in pair)
    return {
        "opening": band_correlation(opening, recorded),
        "width": band_correlation(*widths),
        "amplitude": float(banded(opening).std() / banded(recorded).std()),
    }


def width_curve(representation: hm.Representation, poses: torch.Tensor) -> Signal:
    """Return the distance of the corners of the mouth over that of the scale pair, ``[T]``."""
    points = representation.to_points2d(poses)
    outline, (left, right) = representation.contours["outer_lips"], representation.scale_pair
    scale = (points[:, left] - points[:, right]).norm(dim=-1).mean()
    corners = points[:, outline[0]] - points[:, outline[len(outline) // 2]]
    return np.asarray((corners.norm(dim=-1) / scale).double().numpy())


def interval(values: list[float]) -> dict[str, float]:
    """Return the mean with its 95 % bootstrap interval."""
    draws = np.random.default_rng(0).choice(values, (2000, len(values))).mean(1)
    low, high = np.percentile(draws, [2.5, 97.5])
    return {"mean": round(float(np.mean(values)), 3), "low": round(float(low), 3), "high": round(float(high), 3)}


def near_frontal(shared: Path) -> Corpus:
    """Return confirmed, near frontal validation clips of speakers that are not in the training split."""
    ids = {row["id"] for row in confirmed(shared) if abs(float(row["yaw_deg"])) < 20}
    corpus = open_corpus(shared / "clips").select(split="val")
    return Corpus(entry for entry in corpus.entries if entry.id in ids)


def evaluation_only(shared: Path) -> Corpus:
    """Return confirmed clips that no shipped model may be trained on."""
    ids = {row["id"] for row in confirmed(shared) if row["distribute"] == "0"}
    return Corpus(entry for entry in open_corpus(shared / "clips").entries if entry.id in ids)


def confirmed(shared: Path) -> list[dict[str, str]]:
    """Return the rows of clips whose sound is known to belong to the mouth."""
    with (shared / "clips" / "index.csv").open(encoding="utf-8") as stream:
        return [row for row in csv.DictReader(stream) if row["sync"] == "confirmed"]


def unseen(shared: Path) -> dict[str, Corpus]:
    """Return the clips that are measured, by their title."""
    return {
        "GRID speaker 1, unseen sentences": open_corpus(shared / "grid_s1").select(split="val"),
        "unseen speakers, near frontal": near_frontal(shared),
        "unseen speakers": evaluation_only(shared),
        "unseen speakers of Arabic": open_corpus(shared / "arabic"),
    }


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model")
    parser.add_argument("shared", type=Path)
    arguments = parser.parse_args()
    pipeline = hm.load(arguments.model, device="cpu")
    for title, corpus in unseen(arguments.shared).items():
        print(json.dumps({"set": title} | figures(pipeline, corpus)))
