"""Random sections of clips: what is read of a corpus for one sample of a batch, and what is drawn to vary it."""

from __future__ import annotations

import copy
import math
from collections.abc import Collection
from dataclasses import replace
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from ..core.errors import CorpusError
from ..core.interfaces.representation import Representation, SupportsFitting, UnitSquare
from ..core.interfaces.sample import Track
from ..core.interfaces.specs import BuildContext, resolve_spec
from ..data.clip import SAMPLE_RATE
from ..data.corpus import Corpus
from ..renderers.pose_in_picture import outside_of_picture
from .feature_cache import FeatureCache
from .settings import DataSpec

GAIN_DB = (-9, 6)
"""Range of the random loudness."""
SHIFT, ZOOM = 0.04, (0.92, 1.1)
"""Largest random shift of the unit square, in its sides, and range of its random size."""


class Crop(NamedTuple):
    """A random section of one clip, or several of them stacked; None where a track is not needed.

    Before `crop_variation` stretches time and mirrors: motion and labels have a length ``T'`` that is enough for the
    fastest crop, with zeros after what this one needs.
    """

    motion: Tensor
    """``[T', P, D]``, unit frame."""
    wave: Tensor
    """The wave under it and the encoder's look-ahead, ``[S]``; empty if no sound is needed."""
    time_stretch: Tensor
    """Original frames per frame of the crop, ``float64 []``."""
    is_mirrored: Tensor
    """Whether it is seen in a mirror, ``bool []``."""
    gain_db: Tensor
    """How much louder it is than its clip; the wave is so already, ``float64 []``."""
    features: Tensor | None = None
    """Audio features from a cache, ``[steps_per_frame * max_frames, C]``."""
    labels: Tensor | None = None
    """``[T', N]``."""
    frames: Tensor | None = None
    """``uint8 [T', 3, H, W]``."""
    identity: Tensor | None = None
    """``uint8 [3, H, W]``."""
    identity_pose: Tensor | None = None
    """``[P, D]``, picture coordinates."""
    picture_motion: Tensor | None = None
    """``[T', P, D]``, picture coordinates."""


class Cropper:
    """Reads one section of a clip, and draws how it is varied.

    Args:
        corpus: the clips.
        spec: how they are varied.
        context: what the pipeline expects of a clip.
        frames: motion frames per crop.
        tracks: what is needed.
        samples_per_frame: samples of the wave per motion frame.
        look_ahead: samples beyond the last frame.
        audio_after: frames beyond the last one whose speech is read too.
        cache: where the audio features are read from; None reads the wave that they are computed from.
    """

    def __init__(
        self,
        corpus: Corpus,
        spec: DataSpec,
        context: BuildContext,
        frames: int,
        tracks: Collection[Track],
        samples_per_frame: int,
        look_ahead: int,
        audio_after: int = 0,
        cache: FeatureCache | None = None,
    ) -> None:
        self.corpus, self.spec, self.context, self.frames, self.cache = corpus, spec, context, frames, cache
        self.recorded = recorded_representation(context.representation)
        self.samples_per_frame, self.look_ahead = samples_per_frame, look_ahead
        self.pictures, self.labels = "frames" in tracks, "labels" in tracks
        encoded: set[Track] = set() if cache else {"audio"}
        sound: set[Track] = {"wave"} if ({"wave"} | encoded) & set(tracks) else set()
        self.has_sound = bool(sound)
        needed: set[Track] = {"motion", *sound}
        self.read = frozenset(needed | (set(tracks) - {"audio"}))
        # One frame more where time is stretched, because features are then interpolated between two steps.
        longest = math.ceil((frames + audio_after - 1) * (1 + spec.time_stretch)) + 1
        self.max_frames = longest + (1 if spec.time_stretch else 0)

    def use_cpu(self) -> None:
        """Work with a copy of the representation on the CPU, with its present basis, if it has tensors."""
        representation = self.context.representation
        if any(True for _ in representation.buffers()):
            on_cpu = copy.deepcopy(representation).float().cpu()
            self.context = replace(self.context, representation=on_cpu)

    def crop(self, index: int, length: int, rng: np.random.Generator) -> Crop:
        """Return a random section of the clip at ``index``, which has ``length`` frames."""
        stretch = self._random_stretch(rng, length)
        count = min(self._source_frames(stretch), length)
        first = int(rng.integers(0, length - count + 1))
        if rng.random() < self.spec.from_start:
            first = 0
        wave_length = self.max_frames * self.samples_per_frame + self.look_ahead if self.has_sound else 0
        after = max(0, wave_length - count * self.samples_per_frame) / SAMPLE_RATE
        read = self.corpus.read(index, self.read, first, count, audio_after_s=after)
        assert read.motion is not None
        values = torch.from_numpy(read.motion)
        square = self.recorded.frame_of(values[:1])
        wave = np.zeros(wave_length, np.float32)
        if read.audio is not None:
            wave[: len(read.audio)] = read.audio[:wave_length]
        speed, no_gain = torch.tensor([stretch, 0.0], dtype=torch.float64)
        result = Crop(values, torch.from_numpy(wave), speed, torch.tensor(False), no_gain)
        if self.cache is not None:
            result = result._replace(features=torch.from_numpy(self.cache.read(index, first, self.max_frames)))
        if self.pictures:
            assert read.frames is not None
            pictures = torch.from_numpy(read.frames)
            result = self._with_pictures(result, values, pictures, index, first, length - count, rng)
        jittered = _jittered(square, rng) if self.spec.augment else square
        motion = self._padded(self.recorded.normalize(values, jittered))
        labels = None if read.labels is None else self._padded(torch.from_numpy(read.labels))
        result = result._replace(motion=motion, labels=labels)
        return self._with_variation(result, rng) if self.spec.augment else result

    def _with_pictures(
        self,
        crop: Crop,
        values: Tensor,
        pictures: Tensor,
        index: int,
        first: int,
        outside: int,
        rng: np.random.Generator,
    ) -> Crop:
        """Add pictures, and one of the same clip from outside the section if there is any."""
        count = len(pictures)
        chosen = int(rng.integers(0, outside)) if outside else 0
        chosen += count if outside and chosen >= first else 0
        other = self.corpus.read(index, ("motion", "frames"), chosen, 1)
        assert other.motion is not None and other.frames is not None
        representation, pose = self.recorded, torch.from_numpy(other.motion)
        height, width = pictures.shape[-2:]
        if problem := outside_of_picture(representation, pose[0], height, width):
            remedy = "prepare its video again, or leave it out"
            raise CorpusError(f"clip {self.corpus.entries[index].id}", "a face inside its pictures", problem, remedy)
        square = picture_square((height, width))
        return crop._replace(
            frames=pictures,
            identity=torch.from_numpy(other.frames)[0],
            identity_pose=representation.normalize(pose, square)[0],
            picture_motion=representation.normalize(values, square),
        )

    def _with_variation(self, crop: Crop, rng: np.random.Generator) -> Crop:
        """Draw mirror and loudness, and change the colors."""
        crop = crop._replace(is_mirrored=torch.tensor(rng.random() < 0.5))
        if self.spec.color_jitter:
            crop = _recolored(crop, self.spec.color_jitter, rng)
        # Kept features have the loudness that they were encoded at, unless they allow for a lower one.
        if self.cache is not None and not self.cache.gain_db:
            return crop
        gain_db = rng.uniform(*GAIN_DB)
        crop.wave.mul_(float(np.float32(10 ** (gain_db / 20))))
        return crop._replace(gain_db=torch.tensor(gain_db, dtype=torch.float64))

    def _padded(self, sequence: Tensor) -> Tensor:
        """Return ``[T, ...]`` with zeros up to the length that the fastest crop needs."""
        missing = self._source_frames(1 + self.spec.time_stretch) - len(sequence)
        if not self.spec.augment or missing <= 0:
            return sequence
        return torch.cat([sequence, sequence.new_zeros(missing, *sequence.shape[1:])])

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


def recorded_representation(representation: Representation) -> Representation:
    """Return what the motion of a corpus is read as: a fitted representation is made from the one it is fitted to."""
    if not isinstance(representation, SupportsFitting):
        return representation
    return resolve_spec("representation", representation.fit_source).build()


def picture_square(size: tuple[int, ...]) -> UnitSquare:
    """Return the square that maps pixels of a picture of ``(H, W)`` to picture coordinates; see `Sample`."""
    height, width = size
    return UnitSquare(width / 2, height / 2, float(max(height, width)))


def _recolored(crop: Crop, jitter: float, rng: np.random.Generator) -> Crop:
    """Return a crop whose pictures have a random gain and offset for each color channel."""
    if crop.frames is None or crop.identity is None:
        return crop
    gains, offsets = rng.uniform(1 - jitter, 1 + jitter, (3, 1)), 128 * rng.uniform(-jitter, jitter, (3, 1))
    levels = torch.from_numpy((gains * np.arange(256) + offsets).clip(0, 255).round().astype(np.uint8))
    channels = torch.arange(3)[:, None, None]
    return crop._replace(frames=levels[channels, crop.frames.long()], identity=levels[channels, crop.identity.long()])


def _jittered(square: UnitSquare, rng: np.random.Generator) -> UnitSquare:
    """Return a unit square a little larger or smaller and off center, as a loose or tight crop would be."""
    shift_x, shift_y = rng.uniform(-SHIFT, SHIFT, size=2) * square.side
    return replace(square, x=square.x + shift_x, y=square.y + shift_y, side=square.side * rng.uniform(*ZOOM))
