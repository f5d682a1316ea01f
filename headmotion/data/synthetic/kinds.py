"""Synthetic corpora of every kind, in shards that know their representation."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from ...core.errors import CorpusError
from ...core.interfaces.specs import RepresentationSpec
from ...representations.specs import Landmarks68Spec
from ..shard_writer import write_shards
from .body import skeleton
from .gestures import gesture_clip
from .keypoints import keypoint_clip, keypoints_spec
from .talking_faces import Make, synthetic_clip, synthetic_clips


@dataclass(frozen=True)
class Kind:
    """What moves with the speech, and what its numbers mean."""

    make: Make
    representation: Callable[[], RepresentationSpec]


KINDS = {
    "faces": Kind(synthetic_clip, lambda: Landmarks68Spec(dims=3)),
    "gestures": Kind(gesture_clip, skeleton),
    "keypoints": Kind(keypoint_clip, keypoints_spec),
}


def write_kind(
    path: str | os.PathLike[str],
    kind: str,
    clips: int = 100,
    seed: int = 0,
    *,
    seconds: float = 3.0,
    clips_per_speaker: int = 5,
    val_every: int = 10,
) -> Path:
    """Write a corpus in shards of `faces`, `gestures` or `keypoints`; its ``corpus.json`` has the representation.

    Args:
        path: a new folder.
        kind: one of `KINDS`.
        clips: number of clips.
        seed: a corpus of another seed shares neither clips nor speakers with this one.
        seconds: duration of each clip.
        clips_per_speaker: clips that share voice, body and manner.
        val_every: every so manieth speaker goes to the split ``val``, all others to ``train``.

    Raises:
        CorpusError: the folder is a corpus already, no clips are asked for, or an unknown kind.
    """
    if kind not in KINDS:
        raise CorpusError("synthetic corpus", f"a kind among {', '.join(KINDS)}", repr(kind))
    made = synthetic_clips(clips, seed, seconds, clips_per_speaker, val_every, KINDS[kind].make)
    return write_shards(path, made, representation=KINDS[kind].representation())
