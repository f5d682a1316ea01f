"""A linear regression from the encoder's features to the mouth: a lower bound of what the features predict.

    python benchmarks/ridge.py SHARED_DATA

Ridge regression from Whisper's features of five frames (two before and two after, which is 200 ms of look-ahead with
the encoder's) to opening and width, trained on `TRAINING` sentences of GRID's speaker 1; the penalty is the one that is
best on `HELD_OUT` further sentences of the training split. It moves no face, and is measured as in
``benchmarks/mouth.py``.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import mouth  # pyright: ignore[reportMissingImports]
import numpy as np
import torch

import headmotion as hm
from headmotion.data.clip import Clip
from headmotion.data.corpus import Corpus, open_corpus
from headmotion.media.audio import Wave
from headmotion.metrics.mouth_opening import opening_curve
from headmotion.metrics.signals import Signal

TRAINING, HELD_OUT, NEIGHBORS = 300, 50, 2
PENALTIES = (3e3, 1e4, 3e4, 1e5)


class Ridge:
    """The regression, trained.

    Args:
        shared: folder of the training clips.
    """

    def __init__(self, shared: Path) -> None:
        self.pipe = hm.build(
            {"audio_encoder": {"type": "whisper", "look_ahead_ms": 120}, "steps_per_frame": 2}, device="cpu"
        )
        clips = list(open_corpus(shared / "grid_s1").select(split="train"))
        inputs = np.concatenate([self._features(clip.audio) for clip in clips[:TRAINING]])
        targets = np.concatenate([curves - curves.mean(0) for curves in map(self.recorded, clips[:TRAINING])])
        self.mean, self.scale = inputs.mean(0), inputs.std(0) + 1e-6
        inputs = (inputs - self.mean) / self.scale
        products, moments = inputs.T @ inputs, inputs.T @ targets
        self.weights, best = np.zeros_like(moments), -1.0
        for penalty in PENALTIES:
            previous, self.weights = self.weights, np.linalg.solve(products + penalty * np.eye(len(products)), moments)
            score = self.score(clips[TRAINING : TRAINING + HELD_OUT])
            self.weights, best = (self.weights, score) if score > best else (previous, best)

    def predict(self, audio: Wave) -> Signal:
        """Return opening and width ``[T, 2]`` up to a constant."""
        return np.asarray((self._features(audio) - self.mean) / self.scale @ self.weights)

    def recorded(self, clip: Clip) -> Signal:
        """Return the recorded opening and width ``[T, 2]``."""
        landmarks = torch.from_numpy(clip.landmarks)
        opening = opening_curve(self.pipe.representation, landmarks)
        return np.stack([opening, mouth.width_curve(self.pipe.representation, landmarks)], axis=1)

    def score(self, clips: list[Clip]) -> float:
        """Return the mean correlation of opening and width."""
        values = [
            mouth.band_correlation(self.predict(clip.audio)[:, axis], self.recorded(clip)[:, axis])
            for clip in clips
            for axis in (0, 1)
        ]
        return float(np.mean(values))

    def figures(self, corpus: Corpus) -> dict[str, object]:
        """Return what ``mouth.figures`` returns of a model."""
        clips = list(corpus)
        scores: dict[str, list[float]] = {"model": [], "width": [], "amplitude": [], "shuffled": []}
        for number, clip in enumerate(clips):
            own, recorded = self.predict(clip.audio), self.recorded(clip)
            other = clips[(number + len(clips) // 2) % len(clips)].audio
            shuffled = self.predict(np.resize(other, len(clip.audio)))
            for name, curve, axis in (("model", own, 0), ("width", own, 1), ("shuffled", shuffled, 0)):
                scores[name].append(mouth.band_correlation(curve[:, axis], recorded[:, axis]))
            scores["amplitude"].append(float(mouth.banded(own[:, 0]).std() / mouth.banded(recorded[:, 0]).std()))
        return {"clips": len(clips)} | {name: mouth.interval(values) for name, values in scores.items()}

    def _features(self, audio: Wave) -> Signal:
        """Return features of every frame and its neighbors ``[T, N]``."""
        frames = len(audio) // 640
        steps = self.pipe.audio_encoder(torch.from_numpy(audio)[None], 2 * frames)[0].double().numpy()
        padded = np.pad(steps.reshape(frames, -1), ((NEIGHBORS, NEIGHBORS), (0, 0)), mode="edge")
        return np.concatenate([padded[k : k + frames] for k in range(2 * NEIGHBORS + 1)], axis=1)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("shared", type=Path)
    shared = parser.parse_args().shared
    torch.set_num_threads(1)
    regression = Ridge(shared)
    for title, corpus in mouth.unseen(shared).items():
        print(json.dumps({"set": title} | regression.figures(corpus)))
