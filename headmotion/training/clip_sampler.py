"""Which clips a step reads, and their crops, each a function of seed, phase and step alone."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from torch.utils.data import Dataset

from ..core.errors import CorpusError, HeadmotionError
from ..core.interfaces.audio_encoder import AudioEncoder, SupportsAttenuation
from ..core.interfaces.sample import Track
from ..core.interfaces.specs import BuildContext
from ..data.clip_draws import ClipDraws
from ..data.corpus import Corpus
from .corpus_checks import check_shapes
from .crop_variation import converted, mirrored, stretched
from .crops import GAIN_DB, Crop, Cropper
from .feature_cache import FeatureCache
from .feature_variation import FeatureVariation
from .settings import DataSpec


class RawBatch(NamedTuple):
    """One process's crops of a step, stacked and not on a device yet."""

    crops: Crop
    """All fields with a first dimension ``B``."""
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
        tracks: what is read.
        audio_after: frames after a crop whose speech is read too.

    Raises:
        CorpusError: clips of another representation or rate, or none that is long enough.
    """

    def __init__(
        self,
        corpus: Corpus,
        spec: DataSpec,
        encoder: AudioEncoder,
        context: BuildContext,
        frames: int,
        seed: int,
        tracks: Collection[Track],
        audio_after: int = 0,
    ) -> None:
        self.corpus, self.spec, self.frames, self.seed = corpus, spec, frames, seed
        check_shapes(corpus, context)
        self.lengths = corpus.frame_counts
        long_enough = self.lengths >= frames
        if not long_enough.any():
            got = f"none among {len(corpus)}, of which the longest has {self.lengths.max()}"
            remedy = "set the field frames of the phase to less, or prepare longer clips"
            raise CorpusError("corpus", f"clips of at least {frames} frames", got, remedy)
        weights = corpus.weights(spec.speaker_balance) * long_enough
        if not weights.any():
            raise CorpusError("corpus", f"a weight above 0 for a clip of at least {frames} frames", "none")
        self._draws = ClipDraws(weights / weights.sum())
        samples_per_frame = encoder.hop * context.steps_per_frame
        look_ahead = encoder.look_ahead or 0
        cache = feature_cache(spec, encoder, context) if "audio" in tracks else None
        self.cropper = Cropper(corpus, spec, context, frames, tracks, samples_per_frame, look_ahead, audio_after, cache)
        self.samples = range(spec.batch_size)  # of this process

    def __getitem__(self, step: int) -> RawBatch | HeadmotionError:
        """Return the crops of a step, or an error as a value: raised in a worker process it would lose its fields."""
        try:
            return self.draw(step)
        except HeadmotionError as error:
            return error

    def draw(self, step: int) -> RawBatch:
        """Return this process's crops of a step, and the ids of all clips in the batch."""
        indices = self._draws.draw(np.random.default_rng([self.seed, step]), self.spec.batch_size)
        # Each sample has a generator of its own, so that it does not depend on which process crops the others.
        crops = [
            self.cropper.crop(index, int(self.lengths[index]), np.random.default_rng([self.seed, step, sample]))
            for sample, index in zip(self.samples, indices[self.samples].tolist(), strict=True)
        ]
        columns = dict(zip(Crop._fields, zip(*crops, strict=True), strict=True))
        stacked = Crop(**{name: torch.stack(column) for name, column in columns.items() if column[0] is not None})
        return RawBatch(self._varied(stacked), tuple(self.corpus.id_of(int(index)) for index in indices))

    def _varied(self, crops: Crop) -> Crop:
        """Return stacked crops as they have been drawn, in the pipeline's representation."""
        recorded = self.cropper.recorded
        if self.spec.augment:
            if self.spec.time_stretch:
                crops = stretched(crops, self.frames)
            crops = mirrored(crops, recorded, self.corpus.label_names)
        return converted(crops, recorded, self.cropper.context)


def feature_cache(spec: DataSpec, encoder: AudioEncoder, context: BuildContext) -> FeatureCache | None:
    """Return the cache that a spec asks for, if it does. Sound is encoded as loud as it is varied, where that helps."""
    if spec.feature_cache is None:
        return None
    lead = round(spec.feature_lead_s * context.fps)
    variation = FeatureVariation(lead, spec.feature_lead_speech, spec.feature_voice, spec.feature_recording)
    gain_db = GAIN_DB[1] if spec.augment and isinstance(encoder, SupportsAttenuation) else 0.0
    return FeatureCache(Path(spec.feature_cache), context.steps_per_frame, variation, gain_db)
