"""Batches of aligned tracks, each a function of seed, phase and step alone."""

from __future__ import annotations

import sys
from collections.abc import Collection, Iterator
from dataclasses import dataclass, fields, replace
from typing import Any

import torch
from torch import Tensor
from torch.utils.data import DataLoader

from ..core.component import device_of
from ..core.errors import HeadmotionError, SpecError, TrainingError, one_line
from ..core.interfaces.audio_encoder import AudioEncoder, SupportsAttenuation
from ..core.interfaces.sample import Sample, Track
from ..core.interfaces.specs import BuildContext
from ..core.outputs import checked_features
from ..data.corpus import Corpus
from .batch_partition import BatchPartition
from .clip_sampler import ClipSampler, RawBatch
from .crops import Crop
from .resample_time import resample_time
from .settings import DataSpec

MOTION: frozenset[Track] = frozenset({"motion"})
"""What every batch holds."""
MOTION_AND_AUDIO: frozenset[Track] = frozenset({"motion", "audio"})
"""What a generator learns from."""


@dataclass(frozen=True)
class Batch:
    """Recorded clips, augmented and on the encoder's device."""

    sample: Sample
    """The clips."""
    samples: range
    """Their indices in the batch of all processes."""
    clips: tuple[str, ...]
    """Ids of the clips of all processes."""

    @property
    def motion(self) -> Tensor:
        """Motion ``[B, T, P, D]`` in the unit frame, without the reference frames."""
        return self.sample.motion

    @property
    def audio(self) -> Tensor:
        """Features of reference and motion, ``[B, steps_per_frame * (R + T), C]``."""
        return self.sample.audio

    def parts(self, count: int) -> list[Batch]:
        """Return the samples in ``count`` parts of one size."""
        if count == 1:
            return [self]
        size = len(self.samples) // count
        values: dict[str, Any] = {field.name: getattr(self.sample, field.name) for field in fields(Sample)}
        split: dict[str, Any] = {
            name: torch.split(value, size) for name, value in values.items() if isinstance(value, Tensor)
        }
        return [
            replace(
                self,
                sample=Sample(**{name: pieces[k] for name, pieces in split.items()}),
                samples=self.samples[k * size : (k + 1) * size],
            )
            for k in range(count)
        ]


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
        context_frames: reference frames before the motion.
        tracks: what a batch holds besides motion.
        audio_after: frames after the motion whose features a batch holds too, where a clip has them.

    Raises:
        CorpusError: clips of another representation or rate, or none that is long enough.
        SpecError: a change of speed of pictures or of the sound itself.
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
        context_frames: int = 0,
        tracks: Collection[Track] = MOTION_AND_AUDIO,
        audio_after: int = 0,
    ) -> None:
        self.encoder, self.context, self.frames, self.size = encoder, context, frames, spec.batch_size
        self.partition, self.workers, self.steps = partition or BatchPartition(), spec.workers, steps
        self.context_frames, self.tracks, self.audio_after = context_frames, frozenset(tracks), audio_after
        if spec.time_stretch and (rigid := self.tracks & {"frames", "wave"}):
            got = f"{spec.time_stretch:g}, with {' and '.join(sorted(rigid))}"
            raise SpecError("data", "time_stretch 0 for pictures and sound, which have one speed", got)
        crop = context_frames + frames
        self.sampler = ClipSampler(corpus, spec, encoder, context, crop, seed, self.tracks, audio_after)
        self.sampler.samples = self.partition.own_samples(self.size)
        self._prefetched: Iterator[RawBatch | HeadmotionError] = iter(())
        self._next_step = -1

    def __call__(self, step: int) -> Batch:
        """Return this process's samples of the batch of one step, on the encoder's device."""
        if self._next_step == -1:
            self.sampler.cropper.use_cpu()
            if (cache := self.sampler.cropper.cache) is not None:
                cache.fill(self.sampler.corpus, self.encoder, extra_frames=1 + self.audio_after)
            self._next_step = -2
        raw = self._read_ahead(step) if self.workers else self.sampler.draw(step)
        return Batch(self._sample(raw.crops, device_of(self.encoder)), self.sampler.samples, tuple(raw.clips))

    def _sample(self, crops: Crop, device: torch.device) -> Sample:
        before, dtype = self.context_frames, self.partition.dtype

        def move(values: Tensor) -> Tensor:
            return values.to(device, dtype, non_blocking=True)

        motion = move(crops.motion)
        features, within = self._features(crops, device, len(motion)), motion.shape[1] * self.context.steps_per_frame
        sample = Sample(motion[:, :before], motion[:, before:], features[:, :within])
        if self.audio_after:
            sample = replace(sample, audio_after=features[:, within:])
        if "wave" in self.tracks:
            count = (before + self.frames) * self.sampler.cropper.samples_per_frame
            sample = replace(sample, wave=move(crops.wave[:, :count]))
        if crops.labels is not None:
            sample = replace(sample, labels=move(crops.labels[:, before:]))
        if crops.frames is None or crops.identity is None:
            return sample
        assert crops.identity_pose is not None and crops.picture_motion is not None
        return replace(
            sample,
            frames=move(crops.frames[:, before:]) / 255,
            identity=move(crops.identity) / 255,
            identity_pose=move(crops.identity_pose),
            picture_motion=move(crops.picture_motion[:, before:]),
        )

    @torch.no_grad()
    def _features(self, crops: Crop, device: torch.device, clips: int) -> Tensor:
        dtype, per_frame = self.partition.dtype, self.context.steps_per_frame
        if "audio" not in self.tracks:
            return torch.zeros(clips, 0, self.encoder.channels, device=device, dtype=dtype)
        if crops.features is None:
            wave = crops.wave.to(device, non_blocking=True)
            steps = self.sampler.cropper.max_frames * per_frame
            features = checked_features(
                self.encoder, self.encoder(wave, steps=steps), len(wave), steps, self.encoder.channels, device
            )
        else:
            features = crops.features.to(device, non_blocking=True)
            if (cache := self.sampler.cropper.cache) is not None and cache.gain_db:
                assert isinstance(self.encoder, SupportsAttenuation)
                features = self.encoder.attenuate(features, cache.gain_db - crops.gain_db)
        if self.sampler.spec.time_stretch:
            steps = (self.context_frames + self.frames + self.audio_after) * per_frame
            features = resample_time(features, crops.time_stretch, steps)
        return features.to(dtype)

    def _read_ahead(self, step: int) -> RawBatch:
        if step != self._next_step:
            self._prefetched = self._load_in_workers(range(step, self.steps))
        raw, self._next_step = self._next_raw(), step + 1
        if self._next_step == self.steps:
            self._prefetched = iter(())  # ends the workers
        if isinstance(raw, HeadmotionError):
            raise raw
        return raw

    def _next_raw(self) -> RawBatch | HeadmotionError:
        try:
            return next(self._prefetched)
        except RuntimeError as error:
            if "DataLoader worker" not in str(error):  # torch has no type of its own for it
                raise
            remedy = "look for a lack of memory, or set data.workers to 0"
            raise TrainingError("data", "worker processes that stay alive", one_line(str(error)), remedy) from None

    def _load_in_workers(self, steps: range) -> Iterator[RawBatch | HeadmotionError]:
        """Return an iterator over the crops of the steps, in order, which worker processes read ahead."""
        return iter(
            DataLoader(
                self.sampler,
                sampler=steps,
                batch_size=None,
                num_workers=self.workers,
                pin_memory=device_of(self.encoder).type == "cuda",
                # The loader draws a seed for its workers; from the global generator it would change the training.
                generator=torch.Generator(),
                collate_fn=_identity,
            )
        )


def _identity(raw: Any) -> Any:
    return raw
