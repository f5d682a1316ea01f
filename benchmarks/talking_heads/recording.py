"""Recorded clips with pictures, and those of a corpus that are measured."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

import headmotion as hm
from headmotion.core.interfaces.renderer import Picture
from headmotion.data.clip import SAMPLE_RATE, Clip
from headmotion.data.corpus import Corpus

Frames = npt.NDArray[np.uint8]
"""``[T, H, W, 3]``."""


@dataclass(frozen=True, eq=False)
class Recording:
    """A recorded clip, of whose pictures a method is given the first."""

    name: str
    split: str
    speaker: str
    frames: Tensor
    """``uint8 [T, 3, H, W]``."""
    poses: Tensor
    """``[T, 68, 2]`` in pixels of the pictures."""
    speech: tuple[npt.NDArray[np.float32], int]
    """Samples and their rate."""
    fps: Fraction

    @property
    def image(self) -> Picture:
        """The still picture."""
        return self.frames[0].permute(1, 2, 0).contiguous().numpy()

    @property
    def motion(self) -> hm.Motion:
        """The recorded motion."""
        return hm.Motion(self.poses, self.fps, reference=self.poses[0])

    @cached_property
    def shown_frame(self) -> int:
        """The frame whose lips differ most from those of the still picture, which the sheet shows."""
        lips = self.poses[:, 48:]
        shapes = lips - lips.mean(1, keepdim=True)
        return int((shapes - shapes[0]).norm(dim=-1).mean(1).argmax())


def choose(corpus: Corpus, split: str, count: int) -> list[Recording]:
    """Read at most ``count`` clips of a split, spread evenly over it."""
    clips = corpus.select(split=split)
    numbers = np.unique(np.linspace(0, len(clips) - 1, min(count, len(clips))).round().astype(int))
    return [_recording(clips[number], split) for number in numbers.tolist()]


def _recording(clip: Clip, split: str) -> Recording:
    if clip.frames is None:
        raise hm.CorpusError(
            "talking heads", "clips with pictures", f"{clip.id} without", "headmotion prepare --frames"
        )
    frames = torch.from_numpy(clip.frames.read())
    poses = torch.from_numpy(clip.landmarks[..., :2].copy())
    return Recording(clip.id, split, clip.speaker, frames, poses, (clip.audio, SAMPLE_RATE), clip.fps)
