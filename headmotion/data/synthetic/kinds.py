"""Synthetic corpora of every kind, in shards that name their representation."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from ...core.errors import CorpusError
from ...core.interfaces.specs import RepresentationSpec
from ...representations.specs import Landmarks68Spec
from ..made_from import record_of
from ..shard_writer import write_shards
from .body import skeleton
from .face_keypoints import keypoint_clip, keypoints_spec
from .gestures import gesture_clip
from .talking_faces import ClipFactory, synthetic_clip, synthetic_clips


@dataclass(frozen=True)
class SyntheticKind:
    """A kind of clips, and what their landmarks are in."""

    make: ClipFactory
    representation: Callable[[], RepresentationSpec]


KINDS = {
    "faces": SyntheticKind(synthetic_clip, lambda: Landmarks68Spec(dims=3)),
    "gestures": SyntheticKind(gesture_clip, skeleton),
    "keypoints": SyntheticKind(keypoint_clip, keypoints_spec),
}


def write_synthetic_shards(
    path: str | os.PathLike[str],
    kind: str,
    clips: int = 100,
    seed: int = 0,
    *,
    seconds: float = 3.0,
    clips_per_speaker: int = 5,
    val_every: int = 10,
) -> Path:
    """Write a corpus in shards of `faces`, `gestures` or `keypoints`; its ``corpus.json`` names the representation.

    The same call again finds it complete.

    Args:
        path: a new folder.
        kind: one of `KINDS`.
        clips: number of clips.
        seed: a corpus of another seed shares neither clips nor speakers with this one.
        seconds: duration of each clip.
        clips_per_speaker: clips that share voice, body and habits.
        val_every: every n-th speaker goes to the split ``val``, all others to ``train``.

    Raises:
        CorpusError: the folder is another corpus already, ``clips`` is 0, or the kind is unknown.
    """
    if kind not in KINDS:
        raise CorpusError("synthetic corpus", f"a kind among {', '.join(KINDS)}", repr(kind))
    generated = synthetic_clips(clips, seed, seconds, clips_per_speaker, val_every, KINDS[kind].make)
    made_from = record_of(
        synthetic=kind,
        clips=clips,
        seed=seed,
        seconds=seconds,
        clips_per_speaker=clips_per_speaker,
        val_every=val_every,
    )
    return write_shards(path, generated, representation=KINDS[kind].representation(), made_from=made_from)
