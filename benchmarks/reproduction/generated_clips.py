"""Motion that a model generates for unseen clips, from each clip's first frame and speech."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

import headmotion as hm
from headmotion.data.clip import SAMPLE_RATE, Clip
from headmotion.data.corpus import Corpus

BATCH_SIZE = 50
"""Clips that are generated together."""


@dataclass(frozen=True)
class GeneratedClips:
    """A batch of clips of one length, in the unit frame of each clip's first frame."""

    ids: tuple[str, ...]
    generated: Tensor
    """``[B, T, P, D]``; frame 0 is the recorded one."""
    recorded: Tensor
    """``[B, T, P, D]``."""
    audio: Tensor
    """Features ``[B, 4*T, C]``."""


@torch.no_grad()
def generate_clips(pipe: hm.Pipeline, corpus: Corpus, seed: int = 0) -> Iterator[GeneratedClips]:
    """Generate the clips of a corpus in batches, in order; noise depends on a clip's number alone."""
    clips = list(corpus)
    for first in range(0, len(clips), BATCH_SIZE):
        batch = clips[first : first + BATCH_SIZE]
        frames = min(len(clip.landmarks) for clip in batch)
        recorded = torch.stack([unit_frame_motion(pipe.representation, clip)[:frames] for clip in batch])
        audio = features(pipe, batch, frames)
        steps = pipe.spec.steps_per_frame
        seeds = range(seed + first, seed + first + len(batch))
        generated = pipe.generator(recorded[:, :1], audio[:, steps:], seed=seeds)
        generated = torch.cat([recorded[:, :1], generated], dim=1)
        yield GeneratedClips(tuple(clip.id for clip in batch), generated, recorded, audio)


def unit_frame_motion(representation: hm.Representation, clip: Clip) -> Tensor:
    """Return a clip's motion ``[T, P, D]`` in the unit frame of its first frame."""
    values = torch.from_numpy(clip.landmarks.copy())
    return representation.normalize(values, representation.frame_of(values[:1]))


def features(pipe: hm.Pipeline, clips: Sequence[Clip], frames: int) -> Tensor:
    """Return audio features ``[B, 4*T, C]`` of the first ``frames`` frames of each clip."""
    steps = frames * pipe.spec.steps_per_frame
    waves = torch.from_numpy(np.stack([clip.audio[: round(frames * SAMPLE_RATE / clip.fps)] for clip in clips]))
    return pipe.audio_encoder(waves, steps=steps)
