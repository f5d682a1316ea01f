"""Specs of the phases that come with headmotion. Reading them does not import torch."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field, model_validator

from ..core.interfaces.specs import DiscriminatorSpec, LossSpec, PhaseSpec, SyncerSpec
from ..core.interfaces.tracks import Track
from ..core.spec import Spec, SpecField
from ..sync.specs import PyramidSpec
from .objectives import InfoNCE, Objective
from .schedules import Ramp, expand_type_name
from .settings import DataSpec, OptimizerSpec, RecipePart

if TYPE_CHECKING:
    from .adversarial_phase import AdversarialPhase
    from .context import TrainContext
    from .contrastive_phase import ContrastivePhase
    from .fit_phase import FitPhase
    from .supervised_phase import SupervisedPhase


class BatchPhaseSpec(RecipePart, PhaseSpec):
    """Base of the phases that learn from batches."""

    batch_size: int | None = Field(None, ge=2, le=100_000)
    """Clips per step in this phase; None takes the recipe's ``data.batch_size``."""
    time_stretch: float | None = Field(None, ge=0, le=0.5)
    """Largest change of speed in this phase; None takes the recipe's ``data.time_stretch``."""

    def data(self, recipe: DataSpec) -> DataSpec:
        """Return how clips become batches in this phase."""
        own = {"batch_size": self.batch_size, "time_stretch": self.time_stretch}
        return recipe.model_copy(update={name: value for name, value in own.items() if value is not None})


class ContrastivePhaseSpec(BatchPhaseSpec):
    """A pyramid of syncers learns which audio belongs to which motion, and is handed on as ``syncers``."""

    type: Literal["contrastive"] = "contrastive"
    syncer: SpecField[SyncerSpec] = Field(default="ms-sync", validate_default=True)
    """The syncer of every level."""
    pyramid: PyramidSpec = PyramidSpec()
    """Levels of the syncers."""
    frames: int = Field(64, ge=5, le=100_000)
    """Motion frames per clip; the coarsest level needs one window."""
    group_size: int = Field(48, ge=2, le=100_000)
    """Windows among which a syncer chooses, the paper's 48."""
    windows_per_clip: int = Field(4, ge=1, le=100_000)
    """Windows of each clip within a group; more than 1 adds negatives from the same clip."""
    objective: Objective = InfoNCE()
    """The loss. Its ``temperature`` and ``margin`` may also be given as fields of the phase."""
    optimizer: OptimizerSpec = OptimizerSpec(lr=1e-3)
    """Optimizer of all levels."""
    result: str = Field("syncers", pattern=r"^[a-z][a-z0-9_-]*$")
    """Name under which the syncers are handed on; their file is called after it."""

    @model_validator(mode="before")
    @classmethod
    def _move_fields_into_objective(cls, data: Any) -> Any:
        fields = {"temperature", "margin"} & data.keys() if isinstance(data, dict) else ()
        if not fields:
            return data
        objective = expand_type_name(data.get("objective", {"type": "info-nce"}))
        if isinstance(objective, Spec):
            objective = objective.model_dump()
        if not isinstance(objective, dict):
            return data
        others = {name: value for name, value in data.items() if name not in fields}
        return others | {"objective": objective | {name: data[name] for name in fields}}

    def build(self, context: TrainContext) -> ContrastivePhase:
        """Build the phase."""
        from .contrastive_phase import ContrastivePhase

        return ContrastivePhase(self, context)


class AdversarialPhaseSpec(BatchPhaseSpec):
    """A generator, or a renderer, is trained against discriminators and guided by losses."""

    type: Literal["adversarial"] = "adversarial"
    trains: Literal["generator", "renderer"] = "generator"
    """The part of the pipeline that is trained."""
    frames: int = Field(40, ge=1, le=100_000)
    """Generated frames per clip; the generator's context comes before them."""
    discriminator: SpecField[DiscriminatorSpec] = Field(default="ms-sync", validate_default=True)
    """Scores real and generated samples."""
    objective: Literal["hinge", "bce", "least-squares"] = "hinge"
    """Loss of the scores: ``hinge`` as in MS-Sync, ``bce`` (Goodfellow and others 2014, not saturating) or
    ``least-squares`` (Mao and others 2017)."""
    adversarial_weight: float = Field(1.0, ge=0, le=1e6)
    """Weight of the discriminators' scores; 0 uses no scores."""
    prediction_weight: float | None = Field(None, ge=0, le=1e6)
    """Weight of what the discriminator predicts (`SupportsPrediction`), in the update of what is trained; None takes
    ``adversarial_weight``. With both at 0 there is no discriminator."""
    losses: tuple[SpecField[LossSpec], ...] = ()
    """Further losses of what is trained."""
    schedule: dict[str, Ramp] = Field(default_factory=dict)
    """Factors by the name of a term in the log (``sync``, ``g_frame`` ...)."""
    optimizer: OptimizerSpec = OptimizerSpec(lr=2e-5, beta1=0.0, clip_norm=1.0)
    """Optimizer of what is trained, with MS-Sync's values."""
    discriminator_optimizer: OptimizerSpec = OptimizerSpec(lr=1e-5, beta1=0.0, clip_norm=1.0)
    """Optimizer of the discriminators, with MS-Sync's values."""
    loss_optimizer: OptimizerSpec = OptimizerSpec(lr=1e-4, clip_norm=1.0)
    """Optimizer of losses that have parameters and an objective of their own."""
    ema_decay: float = Field(0.0, ge=0, lt=1)
    """Decay of the running mean of the weights that is saved in the model; 0 saves the weights themselves."""

    @property
    def judges(self) -> bool:
        """Whether there is a discriminator."""
        return bool(self.adversarial_weight or self.prediction_weight)

    def build(self, context: TrainContext) -> AdversarialPhase:
        """Build the phase."""
        from .adversarial_phase import build_adversarial

        return build_adversarial(self, context)


class SupervisedPhaseSpec(BatchPhaseSpec):
    """A part learns to predict a track, or whatever else its own training terms ask for."""

    type: Literal["supervised"] = "supervised"
    trains: str = "generator"
    """Name of the part: one of the pipeline, one that an earlier phase made, or a new one, whose spec is ``part``."""
    part: SpecField[DiscriminatorSpec] | None = None
    """A discriminator that predicts, such as a classifier. It is built anew, handed on under the name ``trains``; the
    run keeps it in a file of that name, such as ``classifier.safetensors``."""
    track: Track | None = None
    """What an audio encoder predicts, through a linear layer that is dropped afterwards: ``labels`` or ``motion``. None
    for other parts, which predict their own: a generator the motion, a renderer the frames."""
    distance: Literal["l1", "l2", "none"] = "l1"
    """Mean absolute or squared distance from the track; ``none`` leaves training to ``losses`` and the part's own
    terms."""
    frames: int = Field(40, ge=1, le=100_000)
    """Predicted frames per clip; a generator's context comes before them."""
    losses: tuple[SpecField[LossSpec], ...] = ()
    """Further losses between the recorded sample and the predicted one."""
    optimizer: OptimizerSpec = OptimizerSpec(lr=1e-3)
    """Optimizer of the part."""
    ema_decay: float = Field(0.0, ge=0, lt=1)
    """Decay of the running mean of the weights that is handed on; 0 hands on the weights themselves."""

    def build(self, context: TrainContext) -> SupervisedPhase:
        """Build the phase."""
        from .supervised_phase import build_supervised

        return build_supervised(self, context)


class FitPhaseSpec(PhaseSpec):
    """A part of the pipeline is fitted to the motion of all training clips, such as the basis of a PCA."""

    type: Literal["fit"] = "fit"
    fits: Literal["representation", "audio_encoder", "generator", "renderer"] = "representation"
    """The part, which has the members of `SupportsFitting`."""
    steps: int = Field(1, ge=0, le=1)
    """One pass over the clips; 0 leaves the phase out."""
    max_clips: int | None = Field(None, ge=1, le=1_000_000_000)
    """Number of clips, spread over the corpus; None takes all."""

    def build(self, context: TrainContext) -> FitPhase:
        """Build the phase."""
        from .fit_phase import FitPhase

        return FitPhase(self, context)
