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
from .batch_partition import BatchPartition
from .recipe import DataSpec

GAIN_DB = (-9, 6)
"""Range of the random loudness."""
SHIFT, ZOOM = 0.04, (0.92, 1.1)
"""Largest random shift of the unit square, in its sides, and range of its random size."""


@dataclass(frozen=True)
class Batch:
    """Real clips, augmented and on the encoder's device."""

    motion: Tensor
    """``[B, T, P, D]``, unit frame."""
    audio: Tensor
    """Features, ``[B, steps_per_frame * T, C]``."""
    samples: range
    """Their indices in the batch of all processes."""
    clips: tuple[str, ...]
    """Ids of the clips of all processes."""

    def parts(self, count: int) -> list[Batch]:
        """Return the samples in ``count`` parts of one size."""
        size = len(self.samples) // count
        return [
            replace(self, motion=motion, audio=audio, samples=self.samples[k * size : (k + 1) * size])
            for k, (motion, audio) in enumerate(
                zip(torch.split(self.motion, size), torch.split(self.audio, size), strict=True)
            )
        ]


class Crop(NamedTuple):
    """A random section of one clip."""

    motion: Tensor
    """``[T, P, D]``, unit frame."""
    wave: np.ndarray[tuple[int], np.dtype[np.float32]]
    """The wave under it and the encoder's look-ahead, ``[S]``."""
    time_stretch: float
    """Original frames per frame of the crop."""


class RawBatch(NamedTuple):
    """One process's crops of a step, not on a device yet."""

    motion: Tensor
    """``[B, T, P, D]``, unit frame."""
    wave: Tensor
    """``[B, S]``."""
    time_stretch: Tensor
    """Original frames per frame of each crop, ``[B]``."""
    clips: tuple[str, ...]
    """Ids of the clips of all processes."""


class ClipSampler(Dataset["RawBatch | HeadmotionError"]):
    """Draws, crops and augments the clips that one process reads for a step, by the step's number.

    Args:
        corpus: the clips.
        spec: how they are drawn and augmented.
        encoder: gives the samples per feature step and the look-ahead.
        context: what the pipeline expects of a clip.
        frames: motion frames per crop.
        seed: of everything that is random.

    Raises:
        CorpusError: clips of another representation or rate, or none that is long enough.
    """

    def __init__(
        self, corpus: Corpus, spec: DataSpec, encoder: AudioEncoder, context: BuildContext, frames: int, seed: int
    ) -> None:
        self.corpus, self.spec, self.context, self.frames, self.seed = corpus, spec, context, frames, seed
        _check_shapes(corpus, context)
        long_enough = corpus.frame_counts >= frames
        if not long_enough.any():
            raise CorpusError("corpus", f"clips of at least {frames} frames", f"none among {len(corpus)} clips")
        weights = corpus.weights(spec.speaker_balance) * long_enough
        if not weights.any():
            raise CorpusError("corpus", f"a weight above 0 for a clip of at least {frames} frames", "none")
        self.probabilities = weights / weights.sum()
        # One frame more where time is stretched, because features are then interpolated between two steps.
        self.max_frames = self._source_frames(1 + spec.time_stretch) + (1 if spec.time_stretch else 0)
        self.samples_per_frame, self.look_ahead = encoder.hop * context.steps_per_frame, encoder.look_ahead or 0
        self.samples = range(spec.batch_size)  # of this process

    def __getitem__(self, step: int) -> RawBatch | HeadmotionError:
        """Return the crops of a step, or an error as a value: raised in a worker process it would lose its fields."""
        try:
            return self.draw(step)
        except HeadmotionError as error:
            return error

    def draw(self, step: int) -> RawBatch:
        """Return this process's crops of a step, and the ids of all clips in the batch."""
        indices = np.random.default_rng([self.seed, step]).choice(
            len(self.corpus), size=self.spec.batch_size, p=self.probabilities
        )
        # Each sample has a generator of its own, so that it does not depend on which process crops the others.
        crops = [
            self._crop(self.corpus[int(indices[sample])], np.random.default_rng([self.seed, step, sample]))
            for sample in self.samples
        ]
        motions, waves, stretches = zip(*crops, strict=True)
        clips = tuple(self.corpus.id_of(int(index)) for index in indices)
        return RawBatch(torch.stack(motions), torch.from_numpy(np.stack(waves)), torch.tensor(stretches), clips)

    def _crop(self, clip: Clip, rng: np.random.Generator) -> Crop:
        stretch = self._random_stretch(rng, len(clip.landmarks))
        count = min(self._source_frames(stretch), len(clip.landmarks))
        first = int(rng.integers(0, len(clip.landmarks) - count + 1))
        if rng.random() < self.spec.from_start:
            first = 0
        values = torch.from_numpy(clip.landmarks[first : first + count])
        representation = self.context.representation
        square = representation.frame_of(values[:1])
        wave = np.zeros(self.max_frames * self.samples_per_frame + self.look_ahead, np.float32)
        recorded = clip.audio[first * self.samples_per_frame :][: len(wave)]
        wave[: len(recorded)] = recorded
        if not self.spec.augment:
            return Crop(representation.normalize(values, square), wave, 1.0)
        motion = representation.normalize(values, _jittered(square, rng))
        if self.spec.time_stretch:
            motion = resample_time(motion[None], torch.tensor([stretch], dtype=torch.float64), self.frames)[0]
        if rng.random() < 0.5:
            motion = representation.flip(motion)
        return Crop(motion, wave * np.float32(10 ** (rng.uniform(*GAIN_DB) / 20)), stretch)

    def _random_stretch(self, rng: np.random.Generator, length: int) -> float:
        """Return original frames per frame of a crop, at most what a clip of ``length`` frames has."""
        if not self.spec.time_stretch or not self.spec.augment:
            return 1.0
        limit = math.log1p(self.spec.time_stretch)
        # A clip hardly longer than a crop can only be slowed down; it is then slowed down as much as others are.
        fastest = min(limit, math.log(max(1, length - 1) / max(1, self.frames - 1)))
        return math.exp(rng.uniform(-limit, fastest))

    def _source_frames(self, stretch: float) -> int:
        """Return the number of original frames under a crop."""
        return math.ceil((self.frames - 1) * stretch) + 1


class Batches:
    """The batches of a phase. A step always gives the same batch, whichever process or worker reads it.

    Args:
        corpus: the clips.
        spec: how clips become batches.
        encoder: turns waves into features, on its own device.
        context: what the pipeline expects of a clip.
        frames: motion frames per clip.
        seed: of everything that is random.
        partition: how much of each batch is this process's.
        steps: number of steps of the phase; workers read nothing beyond.
    """

    def __init__(
        self,
        corpus: Corpus,
        spec: DataSpec,
        encoder: AudioEncoder,
        context: BuildContext,
        frames: int,
        seed: int,
        partition: BatchPartition | None = None,
        steps: int = sys.maxsize,
    ) -> None:
        self.encoder, self.context, self.frames, self.size = encoder, context, frames, spec.batch_size
        self.partition, self.workers, self.steps = partition or BatchPartition(), spec.workers, steps
        self.sampler = ClipSampler(corpus, spec, encoder, context, frames, seed)
        self.sampler.samples = self.partition.own_samples(self.size)
        self._prefetched: Iterator[RawBatch | HeadmotionError] = iter(())
        self._next_step = -1

    def __call__(self, step: int) -> Batch:
        """Return this process's samples of the batch of one step, on the encoder's device."""
        raw = self._read_ahead(step) if self.workers else self.sampler.draw(step)
        device = next((buffer.device for buffer in self.encoder.buffers()), torch.device("cpu"))
        motion = raw.motion.to(device, self.partition.dtype, non_blocking=True)
        with torch.no_grad():
            wave = raw.wave.to(device, non_blocking=True)
            features = self.encoder(wave, steps=self.sampler.max_frames * self.context.steps_per_frame)
            if self.sampler.spec.time_stretch:
                steps = self.frames * self.context.steps_per_frame
                features = resample_time(features, raw.time_stretch.to(device), steps)
        return Batch(motion, features.to(self.partition.dtype), self.sampler.samples, tuple(raw.clips))

    def _read_ahead(self, step: int) -> RawBatch:
        if step != self._next_step:
            self._prefetched = self._load_in_workers(range(step, self.steps))
        raw, self._next_step = next(self._prefetched), step + 1
        if self._next_step == self.steps:
            self._prefetched = iter(())  # ends the workers
        if isinstance(raw, HeadmotionError):
            raise raw
        return raw

    def _load_in_workers(self, steps: range) -> Iterator[RawBatch | HeadmotionError]:
        """Return an iterator over the crops of the steps, in order, which worker processes read ahead."""
        return iter(
            DataLoader(
                self.sampler,
                sampler=steps,
                batch_size=None,
                num_workers=self.workers,
                pin_memory=any(buffer.is_cuda for buffer in self.encoder.buffers()),
                # The loader draws a seed for its workers; from the global generator it would change the training.
                generator=torch.Generator(),
                collate_fn=_identity,
            )
        )


def _identity(raw: Any) -> Any:
    return raw


def _check_shapes(corpus: Corpus, context: BuildContext) -> None:
    """Raise an error for clips that the pipeline cannot use."""
    points, dims = context.representation.points, context.representation.dims
    for shape, id in corpus.motion_shapes().items():
        if shape.fps != context.fps:
            raise CorpusError(f"clip {id}", f"{context.fps} frames per second, the pipeline's own", str(shape.fps))
        if shape.points != points or shape.dims < dims:
            got = f"the shape [T, {shape.points}, {shape.dims}]"
            raise CorpusError(f"clip {id}", f"landmarks [T, {points}, {dims} or more]", got)


def _jittered(square: UnitSquare, rng: np.random.Generator) -> UnitSquare:
    """Return a unit square a little larger or smaller and off center, as a loose or tight crop would be."""
    shift_x, shift_y = rng.uniform(-SHIFT, SHIFT, size=2) * square.side
    return replace(square, x=square.x + shift_x, y=square.y + shift_y, side=square.side * rng.uniform(*ZOOM))


def resample_time(sequences: Tensor, time_stretch: Tensor, count: int) -> Tensor:
    """Resample sequences to another speed, linearly between neighbors in time; at 1.0 nothing changes.

    Source: the speed perturbation of Ko, Peddinti, Povey and Khudanpur (2015), here for motion and features together.

    Args:
        sequences: ``[B, T, ...]``.
        time_stretch: original steps per new step, ``[B]``; above 1 is faster.
        count: new steps; the last original step is held where they go beyond it.

    Returns:
        ``[B, count, ...]``; step ``k`` is the original at ``k * time_stretch``.
    """
    steps = torch.arange(count, dtype=torch.float64, device=sequences.device)
    position = steps * time_stretch.to(torch.float64)[:, None]
    low = position.floor().long()
    weight = (position - low).to(sequences.dtype).reshape(*position.shape, *[1] * (sequences.dim() - 2))
    last, row = sequences.shape[1] - 1, torch.arange(len(sequences), device=sequences.device)[:, None]
    before, after = sequences[row, low.clamp(max=last)], sequences[row, (low + 1).clamp(max=last)]
    return torch.lerp(before, after, weight)
