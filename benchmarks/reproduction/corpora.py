"""What is trained on: recordings, and synthetic clips whose cause is known at each time scale."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from headmotion.core.files import atomic_folder
from headmotion.core.npz import read_arrays
from headmotion.data.corpus import Corpus, open_corpus
from headmotion.data.shard_writer import write_shards
from headmotion.data.synthetic.curves import FPS, STEPS_PER_SECOND, Curve
from headmotion.data.synthetic.talking_faces import SyntheticClip, synthetic_clip

from .digests import digest

CAUSES = "causes.npz"
CLIPS_PER_SPEAKER = 5
"""Clips of each synthetic speaker; every tenth speaker is kept for validation."""


@dataclass(frozen=True)
class Recorded:
    """A folder of recorded clips, brought into shards."""

    name: str
    folder: Path

    @property
    def key(self) -> Mapping[str, Any]:
        """What the clips depend on."""
        return {"name": self.name, "index": hashlib.sha256((self.folder / "index.csv").read_bytes()).hexdigest()}

    def write(self, target: Path) -> None:
        """Write the corpus."""
        flat = (replace(clip, landmarks=clip.landmarks[..., :2]) for clip in open_corpus(self.folder))
        write_shards(target, flat, representation={"type": "landmarks68"})


@dataclass(frozen=True)
class Synthetic:
    """Clips of `headmotion.data.synthetic.talking_faces`, and the curves that they were made from."""

    name: str
    clips: int
    seconds: float = 4.0
    seed: int = 31

    @property
    def key(self) -> Mapping[str, Any]:
        """What the clips depend on."""
        return dict(vars(self))

    def write(self, target: Path) -> None:
        """Write the corpus, and for each clip the opening of its lips, its accents and its phrases at 25 fps."""
        causes: dict[str, Curve] = {}

        def with_causes() -> Iterator[SyntheticClip]:
            for clip in self._made():
                causes.update({f"{clip.id}/{name}": curve for name, curve in causes_of(clip).items()})
                yield replace(clip, landmarks=clip.landmarks[..., :2])

        write_shards(target, with_causes(), representation={"type": "landmarks68"})
        np.savez(target / CAUSES, **causes)  # type: ignore[arg-type]

    def _made(self) -> Iterator[SyntheticClip]:
        first = self.seed * 1_000_000
        for k in range(self.clips):
            speaker = k // CLIPS_PER_SPEAKER
            split = "val" if speaker % 10 == 9 else "train"
            yield synthetic_clip(first + k, self.seconds, speaker=first + speaker, split=split)


@dataclass(frozen=True)
class Points:
    """Some landmarks of another corpus as plain keypoints, beside which it lies."""

    name: str
    base: Synthetic
    kept: tuple[int, ...]

    @property
    def key(self) -> Mapping[str, Any]:
        """What the clips depend on."""
        return {"base": self.base.key, "kept": self.kept}

    def write(self, target: Path) -> None:
        """Write the corpus, and the other one unless it is there."""
        whole = open_corpus(made(self.base, target.parent))
        few = (replace(clip, landmarks=clip.landmarks[:, self.kept]) for clip in whole)
        write_shards(target, few, representation={"type": "keypoints", "points": len(self.kept)})


Plan = Recorded | Synthetic | Points


def causes_of(clip: SyntheticClip) -> dict[str, Curve]:
    """Curves ``[T]`` at 25 fps that lips, nods and posture follow."""
    assert clip.script is not None and clip.face_motion is not None
    frames = slice(0, None, STEPS_PER_SECOND // FPS)
    return {
        "opening": clip.face_motion.opening,
        "accent": clip.script.accent[frames],
        "phrase": clip.script.phrase[frames],
    }


def made(plan: Plan, folder: Path) -> Path:
    """The corpus of a plan, written unless it is there."""
    target = folder / f"{plan.name}-{digest(plan.key)[:8]}"
    if not target.exists():
        try:
            with atomic_folder(target) as temporary:
                plan.write(temporary)
        except OSError:
            if not target.exists():  # else another process has just written the same
                raise
    return target


def unseen(corpus: Path, most: int) -> Corpus:
    """The first clips that nobody trains on."""
    return Corpus(open_corpus(corpus).select(split="val").entries[:most])


def causes(corpus: Path, id: str) -> Mapping[str, Curve]:
    """The curves of one clip of a synthetic corpus."""
    names = ("opening", "accent", "phrase")
    stored = read_arrays(corpus / CAUSES, *(f"{id}/{name}" for name in names))
    return {name: stored[f"{id}/{name}"] for name in names}
