"""How well trained syncers tell which speech belongs to which motion.

    python benchmarks/syncers.py RUN/syncers.safetensors SHARED_DATA

``top-1 of 48``: of 48 windows of 5 frames from clips drawn at random (each at a random place, at the level's own frame
rate), the share whose own audio is the nearest by cosine; mean over 200 draws with its 95 % interval (bootstrap over
clips). ``all``: windows anywhere, also where nobody speaks and nothing can be told. ``words``: windows whose middle
lies within a word (GRID's word times).
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
    """Unit-length embeddings ``[W, E]`` of all windows of a clip at one level, and which of them lie within words."""

    motion: torch.Tensor
    audio: torch.Tensor
    words: Mask


def word_times(folder: Path) -> dict[str, list[tuple[float, float]]]:
    """Seconds of each word by clip, where the index has them."""
    with (folder / "index.csv").open(encoding="utf-8") as stream:
        rows = [row for row in csv.DictReader(stream) if row.get("words")]
    return {r["id"]: [(a, b) for a, b, word in json.loads(r["words"]) if word != "sil"] for r in rows}


@torch.no_grad()
def embedded(trained: TrainedSyncers, folder: Path, split: str = "val") -> list[list[Windows]]:
    """Windows of every clip, by level."""
    spoken, syncers = word_times(folder), trained.syncers
    found: list[list[Windows]] = [[] for _ in syncers.levels]
    for clip in open_corpus(folder).select(split=split):
        motion, audio = trained.inputs(clip.landmarks, clip.audio)
        for level, (m, a) in enumerate(syncers.embeddings(motion[None], audio[None])):
            seen, heard = project(m[0], "unit"), project(a[0], "unit")
            middle = (np.arange(len(seen)) + syncers.window / 2) * syncers.pyramid.stride**level / trained.fps
            words = np.array([any(a <= t < b for a, b in spoken.get(clip.id, [])) for t in middle])
            found[level].append(Windows(seen, heard, words))
    return found


def hits(clips: list[Windows], words: bool) -> dict[int, list[float]]:
    """Whether drawn windows found their audio, by clip."""
    chance, found = np.random.default_rng(0), dict[int, list[float]]()
    usable = [k for k, clip in enumerate(clips) if not words or clip.words.any()]
    for _ in range(DRAWS):
        picked = chance.choice(usable, GROUP, replace=len(usable) < GROUP)
        places = [chance.choice(np.flatnonzero(clips[k].words | (not words))) for k in picked]
        motion = torch.stack([clips[k].motion[place] for k, place in zip(picked, places, strict=True)])
        audio = torch.stack([clips[k].audio[place] for k, place in zip(picked, places, strict=True)])
        right = (motion @ audio.T).argmax(1) == torch.arange(GROUP)
        for k, hit in zip(picked, right.tolist(), strict=True):
            found.setdefault(int(k), []).append(hit)
    return found


def figure(clips: list[Windows], words: bool) -> dict[str, float]:
    """Mean share of hits and its interval."""
    each = np.array([np.mean(values) for values in hits(clips, words).values()])
    low, high = np.percentile(np.random.default_rng(0).choice(each, (2000, len(each))).mean(1), [2.5, 97.5])
    return {"mean": round(float(each.mean()), 3), "low": round(float(low), 3), "high": round(float(high), 3)}


def figures(path: Path, shared: Path) -> dict[str, list[dict[str, float]]]:
    """By protocol, one figure per level, the finest first."""
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
