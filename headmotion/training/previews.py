"""Samples: one fixed clip, spoken by the model as it is by now, beside the recording."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, runtime_checkable

import numpy as np
import torch
from torch import Tensor

from ..core.interfaces.generator import Generator
from ..core.interfaces.renderer import Picture
from ..core.motion import Motion
from ..data.clip import SAMPLE_RATE, Clip
from ..data.corpus import Corpus
from ..media.audio import Audio
from ..media.frames_writer import write_frames
from ..pipeline.pipeline import Pipeline

LONGEST = 5
"""Seconds of the clip that are spoken: enough to see lips and head, little enough to be made in a second or two."""
STILLS = 8
"""Frames in a row of the contact sheet."""
RENDERER = {"type": "skeleton", "size": 256}


@runtime_checkable
class MakesGenerator(Protocol):
    """A phase whose result speaks."""

    @property
    def result(self) -> Generator:
        """The generator to keep."""
        ...


@dataclass(frozen=True)
class Sample:
    """What the model made of the clip: motion and recording, each ``[T, P, D]`` in pixels, and the speech."""

    motion: Motion
    truth: Motion
    audio: Audio
    video: Path
    """Recording and motion side by side, with the speech."""
    sheet: Picture
    """A row of frames of the recording over the same frames of the motion, ``uint8 [H, W, 3]``."""


class Sampler:
    """Makes a sample every so many steps; the training goes on as if it had not."""

    def __init__(self, pipeline: Pipeline, corpus: Corpus, folder: Path, every: int) -> None:
        self.pipeline, self.corpus, self.folder, self.every = pipeline, corpus, folder, every

    def due(self, number: int) -> bool:
        """Whether a sample is to be made after step ``number``."""
        return bool(self.every) and (number + 1) % self.every == 0

    def make(self, generator: Generator, number: int) -> Sample:
        """Speak the fixed clip and write ``step-000200.mp4``, numbered by the steps taken.

        Raises:
            CorpusError: the clip is damaged.
            ImageError: the video cannot be written.
        """
        start = generator.context_frames
        clip = self._clip(start + 1)
        poses = torch.from_numpy(clip.landmarks[: start + round(LONGEST * clip.fps)].copy())
        audio = Audio(clip.audio[_samples(clip, start) : _samples(clip, len(poses))], SAMPLE_RATE)
        motion = self._spoken(generator, audio, poses[:start])
        truth = Motion(poses[start:, :, : motion.values.shape[2]], motion.fps, reference=motion.reference)
        rows = [self._drawn(truth), self._drawn(motion)]
        video = self.folder / f"step-{number + 1:06d}.mp4"
        self.folder.mkdir(parents=True, exist_ok=True)
        write_frames((np.hstack(pair) for pair in zip(*rows, strict=True)), video, motion.fps, audio, quiet=True)
        return Sample(motion, truth, audio, video, _sheet(rows))

    def _spoken(self, generator: Generator, audio: Audio, reference: Tensor) -> Motion:
        """As users will have it, through a pipeline in single precision, all copied: training is not touched."""
        speaker = copy.deepcopy(self.pipeline)
        speaker.generator = copy.deepcopy(generator)
        return speaker.float().eval().generate(audio, reference)

    def _clip(self, frames: int) -> Clip:
        """The first clip of enough frames among those that are not trained on; where there is none, among all."""
        unseen_first = sorted(range(len(self.corpus)), key=lambda k: self.corpus.entries[k].split == "train")
        return next(clip for clip in map(self.corpus.__getitem__, unseen_first) if len(clip.landmarks) >= frames)

    def _drawn(self, motion: Motion) -> list[Picture]:
        return list(self.pipeline.renderer(RENDERER).frames([motion]))


def _samples(clip: Clip, frames: int) -> int:
    return round(frames * SAMPLE_RATE / clip.fps)


def _sheet(rows: list[list[Picture]]) -> Picture:
    shown = np.linspace(0, len(rows[0]) - 1, STILLS).round().astype(int)
    return np.vstack([np.hstack([row[k] for k in shown]) for row in rows])
