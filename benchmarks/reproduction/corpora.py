"""The corpora that are trained on: recordings, and synthetic clips whose causes are known at each time scale."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from headmotion.core.files import atomic_folder
from headmotion.core.npz import read_arrays
from headmotion.core.spec import Spec
from headmotion.data.corpus import Corpus, open_corpus
from headmotion.data.shard_writer import write_shards
from headmotion.data.synthetic.curves import FPS, STEPS_PER_SECOND, Curve
from headmotion.data.synthetic.talking_faces import SyntheticClip, synthetic_clip

CAUSES = "causes.npz"
CLIPS_PER_SPEAKER = 5
"""Clips of each synthetic speaker; every tenth speaker is for validation."""


@dataclass(frozen=True)
class Recorded:
    """A folder of recorded clips, converted to shards."""

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
    """Clips of `headmotion.data.synthetic.talking_faces`, with the curves that they were made from."""

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
            for clip in self._generate():
                causes.update({f"{clip.id}/{name}": curve for name, curve in causes_of(clip).items()})
                yield replace(clip, landmarks=clip.landmarks[..., :2])

        write_shards(target, with_causes(), representation={"type": "landmarks68"})
        np.savez(target / CAUSES, **causes)  # type: ignore[arg-type]

    def _generate(self) -> Iterator[SyntheticClip]:
        first = self.seed * 1_000_000
        for k in range(self.clips):
            speaker = k // CLIPS_PER_SPEAKER
            split = "val" if speaker % 10 == 9 else "train"
            yield synthetic_clip(first + k, self.seconds, speaker=first + speaker, split=split)


@dataclass(frozen=True)
class Points:
    """A subset of another corpus's landmarks as plain keypoints."""

    name: str
    base: Synthetic
    """The other corpus, written to the same folder."""
    indices: tuple[int, ...]

    @property
    def key(self) -> Mapping[str, Any]:
        """What the clips depend on."""
        return {"base": self.base.key, "kept": self.indices}

    def write(self, target: Path) -> None:
        """Write the corpus, and the other one unless it exists."""
        base = open_corpus(corpus_folder(self.base, target.parent))
        clips = (replace(clip, landmarks=clip.landmarks[:, self.indices]) for clip in base)
        write_shards(target, clips, representation={"type": "keypoints", "points": len(self.indices)})


CorpusPlan = Recorded | Synthetic | Points


def corpus_folder(plan: CorpusPlan, folder: Path) -> Path:
    """Return the folder of a corpus, which is written unless it exists."""
    target = folder / f"{plan.name}-{digest(plan.key)[:8]}"
    if not target.exists():
        try:
            with atomic_folder(target) as temporary:
                plan.write(temporary)
        except OSError:
            if not target.exists():  # else another process has just written the same corpus
                raise
    return target


def unseen(corpus: Path, max_count: int) -> Corpus:
    """Return the first clips of the validation split."""
    return Corpus(open_corpus(corpus).select(split="val").entries[:max_count])


def causes_of(clip: SyntheticClip) -> dict[str, Curve]:
    """Return the curves ``[T]`` at 25 fps that lips, nods and posture follow."""
    assert clip.script is not None and clip.face_motion is not None
    frames = slice(0, None, STEPS_PER_SECOND // FPS)
    return {
        "opening": clip.face_motion.opening,
        "accent": clip.script.accent[frames],
        "phrase": clip.script.phrase[frames],
    }


def stored_causes(corpus: Path, id: str) -> Mapping[str, Curve]:
    """Read the curves of one clip of a synthetic corpus."""
    names = ("opening", "accent", "phrase")
    stored = read_arrays(corpus / CAUSES, *(f"{id}/{name}" for name in names))
    return {name: stored[f"{id}/{name}"] for name in names}


def digest(settings: Mapping[str, Any]) -> str:
    """Return a digest of settings as JSON: what was made with the same settings need not be made again."""
    return hashlib.sha256(json.dumps(settings, sort_keys=True).encode()).hexdigest()


def non_default_values(value: Any) -> Any:
    """Return a spec as JSON values without defaults, so that a field which is added later changes no digest."""
    if isinstance(value, Spec):
        values = {name: getattr(value, name) for name in type(value).model_fields}
        fields = type(value).model_fields.items()
        defaults = {name: field.get_default(call_default_factory=True) for name, field in fields}
        return {
            name: non_default_values(item) for name, item in values.items() if name == "type" or item != defaults[name]
        }
    if isinstance(value, dict):
        return {name: non_default_values(item) for name, item in value.items()}
    return [non_default_values(item) for item in value] if isinstance(value, tuple | list) else str(value)
