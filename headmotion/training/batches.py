"""Batches of aligned motion and audio, each a function of seed, phase and step alone."""

from __future__ import annotations

import math
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from ..core.errors import CorpusError, HeadmotionError
from ..core.interfaces.audio_encoder import AudioEncoder
from ..core.interfaces.representation import UnitSquare
from ..core.interfaces.specs import BuildContext
from ..data.clip import Clip
from ..data.corpus import Corpus
from .batch_partition import Division
from .recipe import DataSpec
from .time_stretch import resample_time


@dataclass(frozen=True)
class Batch:
    """Real clips: motion ``[B, T, P, D]`` of the unit frame and audio features ``[B, 4*T, C]``."""

    motion: Tensor
    audio: Tensor
    samples: range
    """Their numbers in the batch of all processes."""
    clips: tuple[str, ...]
    """Ids of the clips of all processes."""

    def parts(self, count: int) -> list[Batch]:
        """The samples in so many parts of one size."""
        size = len(self.samples) // count
        return [
            replace(self, motion=motion, audio=audio, samples=self.samples[k * size : (k + 1) * size])
            for k, (motion, audio) in enumerate(
                zip(torch.split(self.motion, size), torch.split(self.audio, size), strict=True)
            )
        ]


class Crop(NamedTuple):
    """A piece of one clip: motion ``[T, P, D]``, the wave under it with the encoder's look-ahead ``[S]``, its speed."""

    motion: Tensor
    wave: np.ndarray[tuple[int], np.dtype[np.float32]]
    time_stretch: float
    """Original frames per frame of the cut."""


class RawBatch(NamedTuple):
    """One process's cuts of a step: motion ``[B, T, P, D]`` and the waves under it ``[B, S]``, not on a device yet."""

    motion: Tensor
    wave: Tensor
    time_stretch: Tensor
    """``[B]``"""
    clips: tuple[str, ...]


class ClipSampler(Dataset["RawBatch | HeadmotionError"]):
    """Draws clips, cuts them at random and varies them: what one process reads for a step, by the step's number."""

    def __init__(
        self, corpus: Corpus, spec: DataSpec, encoder: AudioEncoder, context: BuildContext, frames: int, seed: int
    ) -> None:
        self.corpus, self.spec, self.context, self.frames, self.seed = corpus, spec, context, frames, seed
        lengths = [_checked_length(clip, context) for clip in corpus]
        long_enough = np.array([length >= frames for length in lengths], dtype=bool)
        if not long_enough.any():
            raise CorpusError("corpus", f"clips of at least {frames} frames", f"none among {len(corpus)} clips")
        chances = corpus.weights(spec.speaker_balance) * long_enough
        if not chances.any():
            raise CorpusError("corpus", f"a weight above 0 for a clip of at least {frames} frames", "none")
        self.chances = chances / chances.sum()
        self.longest = self._span(1 + spec.time_stretch) + (1 if spec.time_stretch else 0)
        self.samples_per_frame, self.look_ahead = encoder.hop * context.steps_per_frame, encoder.look_ahead
        self.share = range(spec.batch_size)

    def __getitem__(self, step: int) -> RawBatch | HeadmotionError:
        """The cuts of a step; an error as a value, for raised in a worker process it would lose its parts."""
        try:
            return self.cut(step)
        except HeadmotionError as error:
            return error

    def cut(self, step: int) -> RawBatch:
        """This process's cuts of a step, and the names of all clips in it."""
        picks = np.random.default_rng([self.seed, step])
        picked = picks.choice(len(self.corpus), size=self.spec.batch_size, p=self.chances)
        # Each sample has a chance of its own, so that it is the same whoever cuts the others.
        cuts = [
            self._cut(self.corpus[int(picked[sample])], np.random.default_rng([self.seed, step, sample]))
            for sample in self.share
        ]
        motions, waves, paces = zip(*cuts, strict=True)
        clips = tuple(self.corpus.entries[int(index)].id for index in picked)
        return RawBatch(torch.stack(motions), torch.from_numpy(np.stack(waves)), torch.tensor(paces), clips)

    def _cut(self, clip: Clip, chance: np.random.Generator) -> Crop:
        pace = self._pace(chance, len(clip.landmarks))
        span = min(self._span(pace), len(clip.landmarks))
        first = int(chance.integers(0, len(clip.landmarks) - span + 1))
        if chance.random() < self.spec.from_start:
            first = 0
        values = torch.from_numpy(clip.landmarks[first : first + span])
        representation = self.context.representation
        frame = representation.frame_of(values[:1])
        wave = np.zeros(self.longest * self.samples_per_frame + self.look_ahead, np.float32)
        heard = clip.audio[first * self.samples_per_frame :][: len(wave)]
        wave[: len(heard)] = heard
        if not self.spec.augment:
            return Crop(representation.normalize(values, frame), wave, 1.0)
        motion = representation.normalize(values, _varied(frame, chance))
        if self.spec.time_stretch:
            motion = resample_time(motion[None], torch.tensor([pace], dtype=torch.float64), self.frames)[0]
        if chance.random() < 0.5:
            motion = representation.flip(motion)
        return Crop(motion, wave * np.float32(10 ** (chance.uniform(-9, 6) / 20)), pace)

    def _pace(self, chance: np.random.Generator, length: int) -> float:
        """Original frames per frame of a cut, no more than a clip of ``length`` frames has."""
        if not self.spec.time_stretch or not self.spec.augment:
            return 1.0
        most = math.log1p(self.spec.time_stretch)
        # Clips hardly longer than a cut can only be slowed down, and then differ in that as much as others do.
        fastest = min(most, math.log(max(1, length - 1) / max(1, self.frames - 1)))
        return math.exp(chance.uniform(-most, fastest))

    def _span(self, pace: float) -> int:
        """Original frames under a cut."""
        return math.ceil((self.frames - 1) * pace) + 1


class Batches:
    """The batches of a phase. Step ``n`` gives the same one whenever it is asked for, whoever reads it.

    Args:
        division: how much of each batch is this process's.
        steps: of the phase; nothing is read ahead beyond.
    """

    def __init__(
        self,
        corpus: Corpus,
        spec: DataSpec,
        encoder: AudioEncoder,
        context: BuildContext,
        frames: int,
        seed: int,
        division: Division | None = None,
        steps: int = sys.maxsize,
    ) -> None:
        self.encoder, self.context, self.frames, self.size = encoder, context, frames, spec.batch_size
        self.division, self.workers, self.steps = division or Division(), spec.workers, steps
        self.cutter = ClipSampler(corpus, spec, encoder, context, frames, seed)
        self.cutter.share = self.division.share(self.size)
        self._ahead: Iterator[RawBatch | HeadmotionError] = iter(())
        self._next = -1

    def __call__(self, step: int) -> Batch:
        """This process's share of the batch of one step, on the encoder's device."""
        cuts = self._read_ahead(step) if self.workers else self.cutter.cut(step)
        device = next((buffer.device for buffer in self.encoder.buffers()), torch.device("cpu"))
        motion = cuts.motion.to(device, self.division.dtype, non_blocking=True)
        with torch.no_grad():
            wave = cuts.wave.to(device, non_blocking=True)
            features = self.encoder(wave, steps=self.cutter.longest * self.context.steps_per_frame)
            if self.cutter.spec.time_stretch:
                features = resample_time(
                    features, cuts.time_stretch.to(device), self.frames * self.context.steps_per_frame
                )
        return Batch(motion, features.to(self.division.dtype), self.cutter.share, tuple(cuts.clips))

    def _read_ahead(self, step: int) -> RawBatch:
        if step != self._next:
            self._ahead = self._reading(range(step, self.steps))
        read, self._next = next(self._ahead), step + 1
        if self._next == self.steps:
            self._ahead = iter(())  # ends the workers
        if isinstance(read, HeadmotionError):
            raise read
        return read

    def _reading(self, steps: range) -> Iterator[RawBatch | HeadmotionError]:
        """What worker processes read for the steps, in their order."""
        pinned = any(buffer.is_cuda for buffer in self.encoder.buffers())
        # Chance of its own, or the seed of the workers would be drawn from the training's.
        chance = torch.Generator()
        return iter(
            DataLoader(
                self.cutter,
                sampler=steps,
                batch_size=None,
                num_workers=self.workers,
                pin_memory=pinned,
                generator=chance,
                collate_fn=_as_it_is,
            )
        )


def _as_it_is(read: Any) -> Any:
    return read


def _checked_length(clip: Clip, context: BuildContext) -> int:
    """Frames of a clip, after a check that it is what the pipeline speaks of."""
    representation, shape = context.representation, clip.landmarks.shape
    if clip.fps != context.fps:
        raise CorpusError(f"clip {clip.id}", f"{context.fps} frames per second, the pipeline's own", str(clip.fps))
    if shape[1] != representation.points or shape[2] < representation.dims:
        wanted = f"landmarks [T, {representation.points}, {representation.dims} or more]"
        raise CorpusError(f"clip {clip.id}", wanted, f"the shape {list(shape)}")
    return len(clip.landmarks)


def _varied(frame: UnitSquare, chance: np.random.Generator) -> UnitSquare:
    """A frame a little larger or smaller and off center, as a loose or tight crop would be."""
    shift_x, shift_y = chance.uniform(-0.04, 0.04, size=2) * frame.side
    return replace(frame, x=frame.x + shift_x, y=frame.y + shift_y, side=frame.side * chance.uniform(0.92, 1.1))
