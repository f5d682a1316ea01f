"""What a model makes of clips that it was not trained on: each starts from its first frame and hears its own speech."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

import headmotion as hm
from headmotion.data.clip import SAMPLE_RATE, Clip
from headmotion.data.corpus import Corpus

TOGETHER = 50
"""Clips that are spoken as one batch."""


@dataclass(frozen=True)
class Spoken:
    """Clips of one length in the unit frame of each clip's first frame."""

    ids: tuple[str, ...]
    generated: Tensor
    """``[B, T, P, D]``; frame 0 is the real one."""
    real: Tensor
    """``[B, T, P, D]``."""
    audio: Tensor
    """Features ``[B, 4*T, C]``."""


@torch.no_grad()
def spoken(pipe: hm.Pipeline, corpus: Corpus, seed: int = 0) -> Iterator[Spoken]:
    """The clips of a corpus in batches, in order; noise depends on a clip's number alone."""
    clips = list(corpus)
    for first in range(0, len(clips), TOGETHER):
        part = clips[first : first + TOGETHER]
        frames = min(len(clip.landmarks) for clip in part)
        real = torch.stack([normalized(pipe.representation, clip)[:frames] for clip in part])
        audio = features(pipe, part, frames)
        steps = pipe.spec.steps_per_frame
        seeds = range(seed + first, seed + first + len(part))
        made = pipe.generator(real[:, :1], audio[:, steps:], seed=seeds)
        yield Spoken(tuple(clip.id for clip in part), torch.cat([real[:, :1], made], dim=1), real, audio)


def normalized(representation: hm.Representation, clip: Clip) -> Tensor:
    """A clip's motion ``[T, P, D]`` in the unit frame of its first frame."""
    values = torch.from_numpy(clip.landmarks.copy())
    return representation.normalize(values, representation.frame_of(values[:1]))


def features(pipe: hm.Pipeline, clips: Sequence[Clip], frames: int) -> Tensor:
    """Audio features ``[B, 4*T, C]`` of the first ``frames`` frames of each clip."""
    steps = frames * pipe.spec.steps_per_frame
    waves = torch.from_numpy(np.stack([clip.audio[: round(frames * SAMPLE_RATE / clip.fps)] for clip in clips]))
    return pipe.audio_encoder(waves, steps=steps)
