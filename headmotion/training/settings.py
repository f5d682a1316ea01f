"""Settings that phases share: optimizers, and how clips become batches. Reading them does not import torch."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field, model_validator

from ..core.errors import SpecError
from ..core.spec import Spec
from .schedules import Constant, LearningRate

RENAMED_KEYS = {
    "accumulate": ("grad_accumulation", "the recipe"),
    "average": ("ema_decay", "an adversarial or supervised phase"),
    "generator_optimizer": ("optimizer", "an adversarial phase"),
    "final_share": ("lr_drop_fraction", "an optimizer"),
    "pace": ("time_stretch", "data or a phase"),
    "sample_every": ("preview_every", "the recipe"),
}
"""New names of keys, and where they belong, by the names that older recipes and runs have."""


class RecipePart(Spec):
    """Base of a recipe and its parts. A key that has been renamed is refused with an error that names the new one."""

    @model_validator(mode="before")
    @classmethod
    def _refuse_old_keys(cls, data: Any) -> Any:
        for old in RENAMED_KEYS.keys() & (data.keys() if isinstance(data, dict) else ()):
            new, place = RENAMED_KEYS[old]
            if new in cls.model_fields:
                raise SpecError(cls._component(), f"the key {new!r}", repr(old), f"rename {old!r} to {new!r}")
            if old not in cls.model_fields:
                remedy = f"move it there and rename it to {new!r}"
                raise SpecError(cls._component(), f"the key {new!r} of {place}", repr(old), remedy)
        return data


class OptimizerSpec(RecipePart):
    """Adam (Kingma and Ba 2015), or AdamW, whose weight decay is not an L2 penalty (Loshchilov and Hutter 2019)."""

    algorithm: Literal["adam", "adamw"] = "adam"
    """Which of the two."""
    lr: float = Field(1e-4, gt=0, le=10)
    """Learning rate."""
    beta1: float = Field(0.9, ge=0, lt=1)
    """Decay of the mean gradient."""
    beta2: float = Field(0.999, ge=0, lt=1)
    """Decay of the mean squared gradient."""
    weight_decay: float = Field(0.0, ge=0, le=1000)
    """L2 penalty of ``adam``; share of the weights per unit of learning rate of ``adamw``."""
    clip_norm: float = Field(0.0, ge=0, le=1e6)
    """Largest global gradient norm; 0 does not clip."""
    lr_drop_fraction: float = Field(0.0, ge=0, le=1)
    """Share of the steps, at the end, that run at a tenth of the learning rate."""
    schedule: LearningRate = Constant()
    """Factor of the learning rate over the phase."""


class DataSpec(RecipePart):
    """How clips become batches."""

    batch_size: int = Field(48, ge=2, le=100_000)
    """Clips per step."""
    augment: bool = True
    """Vary position, size, handedness and loudness. Pictures are mirrored with the motion."""
    time_stretch: float = Field(0.0, ge=0, le=0.5)
    """Largest change of a crop's speed, motion and sound together, as a fraction; 0 is none. Needs ``augment``; a phase
    that looks at pictures or at the sound itself refuses it."""
    color_jitter: float = Field(0.0, ge=0, le=0.5)
    """Largest random change of the gain of each color channel, which is also shifted by up to half of it. All pictures
    of a crop change alike. For renderers that have few people to learn from. Needs ``augment``."""
    speaker_balance: float = Field(0.5, ge=0, le=1)
    """0 draws speakers by their seconds, 1 all equally; between, by seconds to the power of one minus this."""
    from_start: float = Field(0.25, ge=0, le=1)
    """Fraction of crops that begin where the clip begins, which is mostly at rest, as users' pictures are."""
    distributable_only: bool = False
    """Use only clips whose license lets trained weights be shipped."""
    feature_cache: str | None = None
    """Folder in which the audio features of whole clips are kept, encoded once. A crop's features know the sound before
    the crop. Their loudness varies from step to step with an encoder that has `SupportsAttenuation`, such as
    ``log-mel``, as it does without a folder; with others it does not. None encodes the crops of every step."""
    feature_lead_s: float = Field(0.0, ge=0, le=3600)
    """Longest sound before a clip whose features are kept (s). An encoder that counts the time from the start of a
    recording, as Whisper does, would otherwise tell where in its clip a frame is, which no stream tells."""
    feature_lead_speech: float = Field(0.0, ge=0, le=1)
    """Share of these leads that are speech: what other clips end with, of the same speaker if there are any. The others
    are silence. Features that depend on the seconds before differ behind speech, and so does motion in a long recording
    of a model that has never met it."""
    feature_voice: float = Field(0.0, ge=0, lt=1)
    """Largest change of pitch and formants of a clip whose features are kept, as a fraction; time stays as it is. Few
    speakers become more."""
    feature_recording: float = Field(0.0, ge=0, le=1)
    """Share of the clips whose features are kept as another device records them: microphone, room, noise, loudness."""
    workers: int = Field(0, ge=0, le=256)
    """Worker processes that read clips ahead, per training process; 0 reads them between the steps. The batches are the
    same."""

    @model_validator(mode="after")
    def _check_lead(self) -> DataSpec:
        for name in ("feature_lead_s", "feature_voice", "feature_recording"):
            if getattr(self, name) and self.feature_cache is None:
                got = f"{name} {getattr(self, name):g} without one"
                raise SpecError("data spec", "a folder of cached features", got, "set data.feature_cache=FOLDER")
        if self.feature_lead_speech and not self.feature_lead_s:
            got = f"feature_lead_speech {self.feature_lead_speech:g} without it"
            raise SpecError("data spec", "a longest lead of speech", got, "set data.feature_lead_s, in seconds")
        return self
