"""Recipes: one YAML file says what is trained, how clips become batches, and in which phases."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, model_validator

from ..core.errors import SpecError
from ..core.files import open_regular
from ..core.interfaces.specs import DiscriminatorSpec, LossSpec, SyncerSpec
from ..core.pipeline_spec import PipelineSpec
from ..core.plugins import registry
from ..core.spec import Spec, SpecField
from ..sync.pyramid import PyramidSpec
from .objectives import InfoNCE, Objective
from .safe_yaml import MAX_BYTES, read_yaml
from .schedules import Constant, LearningRate, Ramp, expand_type_name

RENAMED_KEYS = {
    "accumulate": "grad_accumulation",
    "average": "ema_decay",
    "final_share": "lr_drop_fraction",
    "pace": "time_stretch",
    "sample_every": "preview_every",
}
"""New names of keys by those that older recipes and runs have."""


class RecipePart(Spec):
    """Base of a recipe and its parts. A key that has been renamed is refused with an error that names the new one."""

    @model_validator(mode="before")
    @classmethod
    def _refuse_old_keys(cls, data: Any) -> Any:
        for old, new in RENAMED_KEYS.items():
            if isinstance(data, dict) and old in data and new in cls.model_fields:
                raise SpecError(f"{cls.type_name()} spec", f"the key {new!r}", repr(old), f"rename {old!r} to {new!r}")
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
    """Vary position, size, handedness and loudness."""
    time_stretch: float = Field(0.0, ge=0, le=0.5)
    """Largest change of a crop's speed, motion and sound together, as a fraction; 0 is none. Needs ``augment``."""
    speaker_balance: float = Field(0.5, ge=0, le=1)
    """0 draws speakers by their seconds, 1 all equally; between, by seconds to the power of one minus this."""
    from_start: float = Field(0.25, ge=0, le=1)
    """Fraction of crops that begin where the clip begins, which is mostly at rest, as users' pictures are."""
    distributable_only: bool = False
    """Use only clips whose license lets trained weights be shipped."""
    workers: int = Field(0, ge=0, le=256)
    """Worker processes that read clips ahead, per training process; 0 reads them between the steps. The batches are the
    same."""


class SyncersPhase(RecipePart):
    """Contrastive training of the syncer pyramid."""

    steps: int = Field(2000, ge=0)
    """Optimizer steps."""
    batch_size: int | None = Field(None, ge=2, le=100_000)
    """Clips per step in this phase; None takes the recipe's ``data.batch_size``."""
    time_stretch: float | None = Field(None, ge=0, le=0.5)
    """Largest change of speed in this phase; None takes the recipe's ``data.time_stretch``."""
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


class GeneratorPhase(RecipePart):
    """Adversarial training of the generator, guided by its losses."""

    steps: int = Field(2000, ge=0)
    """Optimizer steps of the generator; the discriminators take as many. 0 trains syncers only and makes no model."""
    frames: int = Field(40, ge=1, le=100_000)
    """Generated frames per clip; the generator's context comes before them."""
    adversarial_weight: float = Field(1.0, ge=0, le=1e6)
    """Weight of the discriminators' scores."""
    losses: tuple[SpecField[LossSpec], ...] = ()
    """Further losses of the generator."""
    schedule: dict[str, Ramp] = Field(default_factory=dict)
    """Factors by the name of a term in the log (``sync``, ``g_frame`` ...)."""
    generator_optimizer: OptimizerSpec = OptimizerSpec(lr=2e-5, beta1=0.0, clip_norm=1.0)
    """Optimizer of the generator, with MS-Sync's values."""
    discriminator_optimizer: OptimizerSpec = OptimizerSpec(lr=1e-5, beta1=0.0, clip_norm=1.0)
    """Optimizer of the discriminators, with MS-Sync's values."""
    loss_optimizer: OptimizerSpec = OptimizerSpec(lr=1e-4, clip_norm=1.0)
    """Optimizer of losses that have parameters and an objective of their own."""
    ema_decay: float = Field(0.0, ge=0, lt=1)
    """Decay of the running mean of the weights that is saved as the model; 0 saves the weights themselves."""


class RecipeSpec(RecipePart):
    """Everything that `headmotion train` needs besides data."""

    name: str
    """Name of the model."""
    pipeline: PipelineSpec = PipelineSpec()
    """The pipeline whose generator is trained."""
    syncer: SpecField[SyncerSpec] = Field(default="ms-sync", validate_default=True)
    """The syncer of every level."""
    pyramid: PyramidSpec = PyramidSpec()
    """Levels of the syncers."""
    discriminator: SpecField[DiscriminatorSpec] = Field(default="ms-sync", validate_default=True)
    """Scores real and generated motion."""
    data: DataSpec = DataSpec()
    """How clips become batches."""
    syncers: SyncersPhase = SyncersPhase()
    """First phase."""
    generator: GeneratorPhase = GeneratorPhase()
    """Second phase."""
    seed: int = Field(0, ge=0, lt=1 << 32)
    """Seed of initial weights, batches and noise."""
    save_every: int = Field(200, ge=1)
    """Steps between two saves of the training state."""
    preview_every: int = Field(200, ge=0)
    """Steps between two preview videos of the generator; 0 makes none."""
    precision: Annotated[Literal["32", "bf16", "64"], BeforeValidator(str)] = "32"
    """Bits of floating-point numbers: ``bf16`` runs the trained networks under autocast, ``64`` is for checking."""
    grad_accumulation: int = Field(1, ge=1, le=100_000)
    """Parts in which a process computes its clips of a step, one after another: saves memory, changes no result."""


def load_recipe(source: str | os.PathLike[str], overrides: Sequence[str] = ()) -> RecipeSpec:
    """Read a recipe.

    Args:
        source: a bundled name or a YAML file.
        overrides: ``a.b=value`` changes, in this order; values are YAML.

    Raises:
        SpecError: no such recipe, not YAML, or an unknown key.
    """
    path = registry().recipes.get(os.fspath(source).replace(os.sep, "/"), Path(source))
    try:
        with open_regular(path) as stream:
            data = read_yaml(stream.read(MAX_BYTES + 1))
    except OSError:
        known = ", ".join(sorted(registry().recipes))
        raise SpecError("recipe", f"a YAML file or one of {known}", repr(os.fspath(source))) from None
    except ValueError as error:
        raise SpecError("recipe", "YAML", f"{path}: {error}") from None
    if not isinstance(data, dict):
        raise SpecError("recipe", "a YAML mapping", f"{path}: {type(data).__name__}")
    recipe = RecipeSpec.model_validate(data)
    if not overrides:
        return recipe
    data = recipe.model_dump(mode="json")
    for override in overrides:
        _apply_override(data, override)
    return RecipeSpec.model_validate(data)


def _apply_override(data: dict[str, Any], override: str) -> None:
    path, equals, value = override.partition("=")
    *parents, key = path.split(".")
    if not equals or not all((*parents, key)):
        raise SpecError("override", "a.b=value", repr(override))
    for name in parents:
        data = data.setdefault(name, {})
        if not isinstance(data, dict):
            raise SpecError("override", f"a mapping at {name!r}", repr(override))
    if key == "type":
        # The fields of one type are unknown to another.
        data.clear()
    try:
        data[key] = read_yaml(value)
    except ValueError as error:
        raise SpecError("override", "a.b=value with a YAML value", f"{override[:80]!r}: {error}") from None
