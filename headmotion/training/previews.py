"""Previews: one fixed clip, generated or drawn by the model as it is at a step, next to the recording."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ..core.interfaces.generator import Generator
from ..core.interfaces.renderer import Picture, Renderer
from ..core.motion import Motion
from ..data.clip import SAMPLE_RATE, Clip
from ..data.corpus import Corpus
from ..media.audio import Audio
from ..media.frames_writer import write_frames
from ..pipeline.pipeline import Pipeline

MAX_SECONDS = 5
"""Seconds of the clip that are generated: enough to see lips and head, few enough to be made in a second or two."""
SHEET_FRAMES = 8
"""Frames in a row of the contact sheet."""
RENDERER = {"type": "skeleton", "size": 256}


@dataclass(frozen=True)
class Preview:
    """What the model generates for the clip, and the recording."""

    motion: Motion
    """Generated, ``[T, P, D]`` in pixels; for a renderer, what was recorded."""
    recorded: Motion
    """Recorded, of the same shape."""
    audio: Audio
    """The speech."""
    video: Path
    """Recording and motion side by side, with the speech."""
    sheet: Picture
    """A row of frames of the recording over the same frames of the motion, ``uint8 [H, W, 3]``."""


class PreviewMaker:
    """Makes a preview every so many steps and leaves the training as it was.

    Args:
        pipeline: its parts but what is trained are used.
        corpus: all splits; the clip is one that is not trained on, if there is any.
        folder: where the videos go.
        every: steps between two previews; 0 makes none.
    """

    def __init__(self, pipeline: Pipeline, corpus: Corpus, folder: Path, every: int) -> None:
        self.pipeline, self.corpus, self.folder, self.every = pipeline, corpus, folder, every

    def due(self, number: int) -> bool:
        """Return whether a preview is to be made after step ``number``."""
        return bool(self.every) and (number + 1) % self.every == 0

    def make(self, made: Mapping[str, Any], number: int) -> Preview | None:
        """Generate the clip and write ``step-000200.mp4``, numbered by the steps taken.

        A renderer draws the recorded motion; the name is then ``renderer-step-000200.mp4``.

        Args:
            made: what a phase makes, by name.
            number: of the step.

        Returns:
            The preview, or None if the phase makes nothing that can be shown.

        Raises:
            CorpusError: the clip is damaged.
            ImageError: the video cannot be written.
        """
        generator, renderer = made.get("generator"), made.get("renderer")
        if isinstance(generator, Generator):
            return self._of_generator(generator, f"step-{number + 1:06d}.mp4")
        if isinstance(renderer, Renderer) and "frames" in self.corpus.tracks:
            return self._of_renderer(renderer, f"renderer-step-{number + 1:06d}.mp4")
        return None

    def _of_generator(self, generator: Generator, name: str) -> Preview:
        start = generator.context_frames
        clip = self.corpus[self._index(start + 1)]
        poses = torch.from_numpy(clip.landmarks[: start + round(MAX_SECONDS * clip.fps)].copy())
        audio = Audio(clip.audio[_sample_at(clip, start) : _sample_at(clip, len(poses))], SAMPLE_RATE)
        motion = self._generate(generator, audio, poses[:start])
        recorded = Motion(poses[start:, :, : motion.values.shape[2]], motion.fps, reference=motion.reference)
        video, sheet = self._write(name, [self._draw(recorded), self._draw(motion)], motion.fps, audio)
        return Preview(motion, recorded, audio, video, sheet)

    def _of_renderer(self, renderer: Renderer, name: str) -> Preview:
        """Draw the recorded motion over the first picture, next to the recorded pictures."""
        index, pipeline = self._index(1), copy.deepcopy(self.pipeline).float().eval()
        count = min(int(self.corpus.frame_counts[index]), round(MAX_SECONDS * pipeline.spec.fps))
        tracks = self.corpus.read(index, ("motion", "frames", "audio"), 0, count)
        assert tracks.motion is not None and tracks.frames is not None and tracks.audio is not None
        values = torch.from_numpy(tracks.motion[..., : pipeline.representation.dims].copy())
        recorded = Motion(values, pipeline.spec.fps, reference=values[0])
        audio, pictures = Audio(tracks.audio, SAMPLE_RATE), list(tracks.frames.transpose(0, 2, 3, 1))
        drawing = copy.deepcopy(renderer).float().eval()
        drawn = list(pipeline.iter_frames([recorded], pictures[0], values[0].numpy(), audio, drawing))
        video, sheet = self._write(name, [pictures, drawn], recorded.fps, audio)
        return Preview(recorded, recorded, audio, video, sheet)

    def _write(self, name: str, rows: list[list[Picture]], fps: Fraction, audio: Audio) -> tuple[Path, Picture]:
        """Write both rows of frames side by side, and return the video and its contact sheet."""
        self.folder.mkdir(parents=True, exist_ok=True)
        pairs = (np.hstack(pair) for pair in zip(*rows, strict=True))
        return write_frames(pairs, self.folder / name, fps, audio, quiet=True), _contact_sheet(rows)

    def _generate(self, generator: Generator, audio: Audio, reference: Tensor) -> Motion:
        """Generate as users will, through a pipeline in single precision; all is copied, so training is unchanged."""
        pipeline = copy.deepcopy(self.pipeline)
        pipeline.generator = copy.deepcopy(generator)
        return pipeline.float().eval().generate(audio, reference)

    def _index(self, min_frames: int) -> int:
        """Return the index of the first clip of enough frames among those not trained on, or else among all."""
        long_enough = np.flatnonzero(self.corpus.frame_counts >= min_frames)
        unseen_first = long_enough[np.argsort(self.corpus.in_split("train")[long_enough], kind="stable")]
        return int(unseen_first[0])

    def _draw(self, motion: Motion) -> list[Picture]:
        return list(self.pipeline.with_renderer(RENDERER).frames([motion]))


def _sample_at(clip: Clip, frame: int) -> int:
    return round(frame * SAMPLE_RATE / clip.fps)


def _contact_sheet(rows: list[list[Picture]]) -> Picture:
    frames = np.linspace(0, len(rows[0]) - 1, SHEET_FRAMES).round().astype(int)
    return np.vstack([np.hstack([row[k] for k in frames]) for row in rows])
