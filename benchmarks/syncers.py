"""How well trained syncers recognize which speech belongs to which motion.

    python benchmarks/syncers.py RUN/syncers.safetensors SHARED_DATA

``top-1 of 48`` is the fraction of windows whose own audio is the nearest by cosine, among 48 windows of 5 frames, each
from a random position of a random clip, at the level's frame rate. The table has the mean over 200 draws with its 95 %
interval (bootstrap over clips). ``all`` draws windows anywhere, also in silence, where windows cannot be
distinguished. ``words`` draws windows whose middle lies within a word (GRID's word times).
"""

from __future__ import annotations

import argparse
import csv
import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch

from headmotion.data.corpus import open_corpus
from headmotion.sync.syncer_pyramid import project
from headmotion.sync.trained import TrainedSyncers, load_syncers

GROUP, DRAWS = 48, 200
Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Windows:
    """All windows of a clip at one level."""

    motion: torch.Tensor
    """Unit-length embeddings, ``[W, E]``."""
    audio: torch.Tensor
    """Unit-length embeddings, ``[W, E]``."""
    words: Mask
    """Which windows lie within words, ``[W]``."""


def word_times(folder: Path) -> dict[str, list[tuple[float, float]]]:
    """Return start and end of each word in seconds by clip, for clips whose index has them."""
    with (folder / "index.csv").open(encoding="utf-8") as stream:
        rows = [row for row in csv.DictReader(stream) if row.get("words")]
    return {row["id"]: [(start, end) for start, end, word in json.loads(row["words"]) if word != "sil"] for row in rows}


@torch.no_grad()
def embedded(trained: TrainedSyncers, folder: Path, split: str = "val") -> list[list[Windows]]:
    """Return the windows of every clip, by level."""
    words_by_clip, syncers = word_times(folder), trained.syncers
    levels: list[list[Windows]] = [[] for _ in syncers.levels]
    for clip in open_corpus(folder).select(split=split):
        motion, audio = trained.inputs(clip.landmarks, clip.audio)
        for level, (motion_embeddings, audio_embeddings) in enumerate(syncers.embeddings(motion[None], audio[None])):
            motion_windows, audio_windows = project(motion_embeddings[0], "unit"), project(audio_embeddings[0], "unit")
            middle = (np.arange(len(motion_windows)) + syncers.window / 2) * syncers.pyramid.stride**level / trained.fps
            words = words_by_clip.get(clip.id, [])
            in_word = np.array([any(start <= second < end for start, end in words) for second in middle])
            levels[level].append(Windows(motion_windows, audio_windows, in_word))
    return levels


def hits(clips: list[Windows], words: bool) -> dict[int, list[float]]:
    """Return for each drawn window of a clip whether its own audio is the nearest."""
    rng, result = np.random.default_rng(0), dict[int, list[float]]()
    usable = [k for k, clip in enumerate(clips) if not words or clip.words.any()]
    for _ in range(DRAWS):
        indices = rng.choice(usable, GROUP, replace=len(usable) < GROUP)
        windows = [rng.choice(np.flatnonzero(clips[k].words | (not words))) for k in indices]
        motion = torch.stack([clips[k].motion[window] for k, window in zip(indices, windows, strict=True)])
        audio = torch.stack([clips[k].audio[window] for k, window in zip(indices, windows, strict=True)])
        correct = (motion @ audio.T).argmax(1) == torch.arange(GROUP)
        for k, hit in zip(indices, correct.tolist(), strict=True):
            result.setdefault(int(k), []).append(hit)
    return result


def figure(clips: list[Windows], words: bool) -> dict[str, float]:
    """Return the mean fraction of hits over clips, with its interval."""
    fractions = np.array([np.mean(values) for values in hits(clips, words).values()])
    draws = np.random.default_rng(0).choice(fractions, (2000, len(fractions))).mean(1)
    low, high = np.percentile(draws, [2.5, 97.5])
    return {"mean": round(float(fractions.mean()), 3), "low": round(float(low), 3), "high": round(float(high), 3)}


def figures(path: Path, shared: Path) -> dict[str, list[dict[str, float]]]:
    """Return one figure per level by protocol, the finest level first."""
    trained = load_syncers(path)
    grid, others = embedded(trained, shared / "grid_s1"), embedded(trained, shared / "clips")
    return {
        "GRID speaker 1, unseen sentences, words": [figure(level, True) for level in grid],
        "GRID speaker 1, unseen sentences, all": [figure(level, False) for level in grid],
        "unseen speakers, all": [figure(level, False) for level in others],
    }


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("syncers", type=Path)
    parser.add_argument("shared", type=Path)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    print(json.dumps(figures(arguments.syncers, arguments.shared), indent=1))
