"""Specs of MS-Sync's parts, and their presets. Source: arXiv 2307.03270 (v1)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from pydantic import Field, ValidationInfo, field_validator

from ..core.interfaces.specs import BuildContext, DiscriminatorSpec, GeneratorSpec, SyncerSpec
from ..core.preset_spec import PresetSpec

if TYPE_CHECKING:
    from .discriminator import MSSyncDiscriminator
    from .generator import MSSyncGenerator
    from .syncer import MSSyncSyncer

Width = Annotated[int, Field(ge=1, le=4096)]
"""Number of features between two layers."""


class MSSyncGeneratorSpec(PresetSpec, GeneratorSpec):
    """Multi-scale autoregressive generator: an LSTM over poses and one masked velocity branch per audio level.

    Presets: ``paper`` (the defaults), ``paper-code`` (the widths and the interpolation of the authors' code, which
    needs the whole clip), ``small`` (narrow, streams with a look-ahead of 280 ms at 16 kHz).
    """

    presets: ClassVar[dict[str, dict[str, Any]]] = {
        "paper": {},
        "paper-code": {"pose_size": 512, "audio_size": 512, "interpolation": "align-corners"},
        "small": {
            "hidden_size": 128,
            "pose_size": 48,
            "audio_size": 64,
            "audio_widths": (32, 48, 64),
            "branch_size": 64,
            "expansion": 2,
            "level_kernel": 5,
            "level_lookahead": (2, 1, 0),
            "interpolation": "causal",
            "anchor": 0.2,
            "standardize": True,
            "velocity_scale": 0.02,
        },
    }

    for_checks: ClassVar[dict[str, Any]] = {"preset": "small", "interpolation": "linear"}
    type: Literal["ms-sync"] = "ms-sync"
    levels: int = Field(4, ge=1, le=8)
    """Audio levels and branches; level ``l`` steps every ``2**l`` frames."""
    hidden_size: Width = 256
    """Width of the LSTM."""
    encoder_size: Width | None = None
    """Width of the pose encoder; None means twice the numbers of a flat frame, but at most 1024."""
    pose_size: Width = 256
    """Width of the pose embedding, ``C`` of the paper's code."""
    audio_size: Width = 256
    """Width of the audio vector of each level, ``D`` of the paper's code."""
    audio_widths: tuple[Width, Width, Width] = (64, 128, 256)
    """Channels between the audio input and the finest level."""
    branch_size: Width | None = None
    """Width at the end of a branch's trunk; None means twice the numbers of a flat frame."""
    expansion: int = Field(4, ge=1, le=64)
    """Widening inside each residual block."""
    level_kernel: int = Field(7, ge=1, le=255)
    """Taps of the convolutions between levels."""
    level_lookahead: tuple[int, ...] | None = None
    """Taps ahead of the convolution to each coarser level; None centers the kernels."""
    interpolation: Literal["linear", "causal", "align-corners"] = "linear"
    """How coarse levels are brought to the frame rate. ``linear`` interpolates between neighbors in time. ``causal``
    does so one coarse step late, without look-ahead. ``align-corners`` is the original's stretch over the whole clip,
    which depends on the clip's length and cannot stream."""
    merge: Literal["softmax", "sigmoid"] = "softmax"
    """Masks over branches: summing to one (the paper, eq. 8), or independent."""
    lstm_input: Literal["pose", "pose-and-audio"] = "pose"
    """Input of the LSTM at each frame: the embedded pose, or the finest audio vector as well. The authors' code uses
    the latter in a generator with a single level, which has no coarser ones."""
    initial_state: Literal["random", "zeros"] = "random"
    """Initial state of the LSTM: uniform in [0, 1), which is the model's only noise, or zeros."""
    context_frames: int = Field(3, ge=1, le=1000)
    """Reference frames that warm the LSTM up."""
    anchor: float = Field(0.0, ge=0.0, lt=1.0)
    """Fraction of the offset from the reference that is subtracted per frame, which bounds drift; the offset is then an
    input as well. 0 is the paper's free integration (eq. 7)."""
    standardize: bool = False
    """Bring each audio channel to zero mean and unit variance over the training data; the paper does not."""
    velocity_scale: float = Field(1.0, gt=0)
    """Unit-frame sides per frame that one unit of a branch's output stands for."""

    @field_validator("level_lookahead")
    @classmethod
    def _one_lookahead_per_level(cls, ahead: tuple[int, ...] | None, info: ValidationInfo) -> tuple[int, ...] | None:
        levels, kernel = info.data.get("levels", 0), info.data.get("level_kernel", 0)
        if ahead is not None and (len(ahead) != levels - 1 or not all(0 <= a < kernel for a in ahead)):
            raise ValueError(f"{levels - 1} numbers from 0 to {kernel - 1}")
        return ahead

    def build(self, context: BuildContext) -> MSSyncGenerator:
        """Build the generator for a representation and an audio encoder."""
        from .generator import MSSyncGenerator

        return MSSyncGenerator(self, context)


class MSSyncSyncerSpec(PresetSpec, SyncerSpec):
    """Two convolutional networks that embed 5 frames of motion and 20 steps of audio. Preset ``small`` is narrow."""

    presets: ClassVar[dict[str, dict[str, Any]]] = {
        "paper": {},
        "small": {
            "embedding_size": 96,
            "motion_width": 96,
            "audio_widths": (32, 48, 64, 96),
            "expansion": 2,
            "relative": True,
            "standardize": True,
        },
    }

    type: Literal["ms-sync"] = "ms-sync"
    window: int = Field(5, ge=1, le=1000)
    """Motion frames per window."""
    embedding_size: Width = 512
    """Size of an embedding."""
    motion_width: Width | None = None
    """Channels of the motion network; None means twice the numbers of a flat frame."""
    audio_widths: tuple[Width, Width, Width, Width] = (32, 64, 128, 256)
    """Channels of the audio network before its last layer."""
    blocks_per_layer: int = Field(2, ge=1, le=16)
    """Residual blocks per layer, the first of which halves the length."""
    expansion: int = Field(4, ge=1, le=64)
    """Widening inside each residual block."""
    relative: bool = False
    """Subtract each window's mean pose, which hides the speaker's identity; the paper does not."""
    standardize: bool = False
    """Bring each input number to zero mean and unit variance over the training data; the paper does not."""

    def build(self, context: BuildContext) -> MSSyncSyncer:
        """Build the syncer for a representation and an audio encoder."""
        from .syncer import MSSyncSyncer

        return MSSyncSyncer(self, context)


class MSSyncDiscriminatorSpec(PresetSpec, DiscriminatorSpec):
    """Frame, sequence and pair discriminators over one pose encoder. Preset ``small`` is narrow."""

    presets: ClassVar[dict[str, dict[str, Any]]] = {
        "paper": {},
        "small": {
            "embedding_size": 64,
            "hidden_size": 64,
            "projection_size": 128,
            "encoder_size": 128,
            "expansion": 2,
        },
    }

    for_checks: ClassVar[dict[str, Any]] = {"preset": "small"}
    type: Literal["ms-sync"] = "ms-sync"
    heads: tuple[Literal["frame", "sequence", "pair"], ...] = ("frame", "sequence", "pair")
    """The discriminators to use."""
    encoder_size: Width | None = None
    """Width of the pose encoder; None means three times the numbers of a flat frame."""
    embedding_size: Width = 512
    """Size of an embedded pose."""
    hidden_size: Width = 1024
    """Width of the LSTMs."""
    projection_size: Width = 2048
    """Width of the projection head."""
    expansion: int = Field(4, ge=1, le=64)
    """Widening inside residual blocks and the pose encoder."""
    windows: tuple[Annotated[int, Field(ge=1)], ...] = (5, 10, 20, 40)
    """Window lengths of the sequence and pair discriminators, in frames."""
    conditioning_frames: int = Field(2, ge=1, le=1000)
    """Number of last reference frames that condition the score."""
    scored_frames: int = Field(40, ge=1, le=100_000)
    """Longer sequences are thinned so that about this many frames are scored in training."""

    def build(self, context: BuildContext) -> MSSyncDiscriminator:
        """Build the discriminators for a representation."""
        from .discriminator import MSSyncDiscriminator

        return MSSyncDiscriminator(self, context)
