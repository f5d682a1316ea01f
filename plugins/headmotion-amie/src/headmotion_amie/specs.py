"""Specs of the plugin's parts, and their presets; they are read without torch.

Source: Zhu, Huang, Li, Zheng and He, "Arbitrary Talking Face Generation via Attentional Audio-Visual Coherence
Learning", IJCAI 2020. The paper names the parts and not their widths: those of the preset ``paper`` are ours.
"""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal, Self

from pydantic import Field, model_validator

import headmotion as hm
from headmotion.training.specs import BatchPhaseSpec

if TYPE_CHECKING:
    from .estimator import Estimator
    from .estimator_metric import EstimatorMetric
    from .estimator_phase import EstimatorPhase
    from .frame_discriminator import FrameDiscriminator
    from .generator import Generator
    from .still import Still

Width = Annotated[int, Field(ge=1, le=4096)]
"""Number of features between two layers."""
Widths = Annotated[tuple[Width, ...], Field(min_length=2, max_length=8)]
"""Channels of the stages of a network over pictures; each halves the size."""
SpeechWidths = tuple[Width, Width, Width, Width, Width]
"""Channels of the convolutions over a window of speech."""


BUNDLED_ESTIMATORS = {path.stem: path for path in Path(__file__).with_name("estimators").glob("*.safetensors")}
"""Trained estimators that come with the plugin, by name: of ``landmarks68`` (``grid-motion``) and of pictures."""


class DynamicAttentionSpec(hm.Spec):
    """How strongly the lips of the frame before are attenuated, so that they are drawn from speech."""

    type: Literal["amie/dynamic-attention"] = "amie/dynamic-attention"
    rates: tuple[Annotated[float, Field(ge=0, le=1)], ...] = Field((0.8, 0.6, 0.4, 0.2), min_length=1)
    """Factors of the attenuated part; each rate holds for an equal share of a phase's steps. Rates never rise, and a
    later phase continues with the last."""
    mode: Literal["attenuate_lips", "attenuate_rest"] = "attenuate_lips"
    """Which part is attenuated. The paper shows a veil over the lips that thickens as the rate falls."""
    at_inference: bool = False
    """Whether frames are attenuated after training too, by the last rate. The paper has it in training only."""
    margin: float = Field(0.25, ge=0)
    """Room around the lips in the first mask, as a fraction of the longer edge of their box."""
    width: Width = 8
    """Channels of the network that refines the mask."""
    stride: Literal[1, 2, 4, 8] = 4
    """Pixels of the picture per cell of the mask."""

    @model_validator(mode="after")
    def _fall(self) -> Self:
        if any(later > earlier for earlier, later in pairwise(self.rates)):
            rates = ", ".join(f"{rate:g}" for rate in self.rates)
            raise hm.SpecError("amie/dynamic-attention spec", "rates that do not rise", rates, "put the largest first")
        return self


class GeneratorSpec(hm.PresetSpec, hm.RendererSpec):
    """Video from one picture and speech: each frame from the picture, 200 ms of speech, and the frame before."""

    presets: ClassVar[dict[str, dict[str, Any]]] = {
        "small": {},
        "paper": {
            "size": 256,
            "identity_widths": (64, 128, 256, 512, 512, 512),
            "image_widths": (64, 128, 256, 512, 512, 512),
            "speech_widths": (64, 128, 256, 256, 512),
            "identity_size": 512,
            "image_size": 256,
            "speech_size": 256,
            "attention": {"width": 16, "stride": 1},
            "draws": "pictures",
        },
    }

    for_checks: ClassVar[dict[str, Any]] = {"size": 32, "identity_widths": (4, 8, 8), "image_widths": (4, 4, 4)}
    type: Literal["amie/generator"] = "amie/generator"
    size: int = Field(128, ge=16, le=512)
    """Edge of the pictures (px)."""
    identity_widths: Widths = (16, 32, 48, 64, 64)
    """Channels over the still picture; the decoder has the same, in reverse."""
    image_widths: Widths = (8, 16, 24, 32, 32)
    """Channels over the frame before."""
    speech_widths: SpeechWidths = (8, 16, 32, 32, 64)
    """Channels over speech."""
    identity_size: Width = 64
    """Numbers that describe the still picture."""
    image_size: Width = 32
    """Numbers that describe the frame before."""
    speech_size: Width = 64
    """Numbers that describe the speech around a frame."""
    attention: DynamicAttentionSpec | None = DynamicAttentionSpec()
    """Dynamic attention to the frame before; None passes it on unchanged."""
    draws: Literal["pictures", "blended", "changes"] = "blended"
    """What the decoder draws: the colors of all pixels, as published, which takes long to learn; colors and where they
    are painted over the still picture (``blended``), as VG-net does; or what is added to the still picture."""
    follows_head: bool = True
    """Whether frames are carried to where the motion has the head. Without it the head stays."""
    crop_side: float = Field(1.0, gt=0, le=4)
    """Side of the square that is cut out of a photograph, in sides of the face's unit square; as in the training
    pictures. 1 is the square of ``headmotion prepare --frames``."""
    crop_up: float = Field(0.0, ge=-1, le=1)
    """How far this square lies above the face's unit square, in sides of the latter."""

    @model_validator(mode="after")
    def _check_size(self) -> GeneratorSpec:
        for name in ("identity_widths", "image_widths"):
            halvings = len(getattr(self, name))
            if self.size % (1 << halvings) or self.size >> halvings < 2:
                expected = f"a size that can be halved {halvings} times ({name}), to 2 pixels or more"
                raise hm.SpecError(
                    "amie/generator spec", expected, str(self.size), "change size, or the number of widths"
                )
        if self.attention is not None and self.size % self.attention.stride:
            expected = f"a size that the stride {self.attention.stride} of attention divides"
            raise hm.SpecError("amie/generator spec", expected, str(self.size))
        return self

    def build(self, context: hm.BuildContext) -> Generator:
        """Build the renderer.

        Raises:
            MotionError: a representation without points in the picture.
            SpecError: one without lips, nose or eyes, or fewer than 9 audio channels.
        """
        from .generator import Generator

        return Generator(self, context)


class StillSpec(hm.GeneratorSpec):
    """Holds the pose of the reference, for pipelines in which only the renderer uses speech."""

    type: Literal["amie/still"] = "amie/still"

    def build(self, context: hm.BuildContext) -> Still:
        """Build the generator, which has no weights."""
        from .still import Still

        return Still(self, context)


class StatisticsSpec(hm.PresetSpec):
    """The statistics network ``T(x, a)``, which scores how well a frame and the speech around it go together.

    Fields that the loss, the phase and the metric ``amie/estimator`` share.
    """

    presets: ClassVar[dict[str, dict[str, Any]]] = {
        "paper": {},
        "small": {
            "image_widths": (16, 32, 64, 64),
            "speech_widths": (64, 64),
            "motion_widths": (128, 64),
            "joint_width": 64,
            "region": "lips",
            "size": 32,
        },
    }

    track: Literal["frames", "motion"] = "frames"
    """What speech is compared with: pictures, or 200 ms of motion in any representation."""
    region: Literal["picture", "lips"] = "picture"
    """The part of pictures that is used. ``lips`` is a square that moves with the head, not with the lips."""
    side: float = Field(0.8, gt=0, le=4)
    """Side of the square around the lips, in distances of the representation's scale pair (outer corners of eyes)."""
    size: int = Field(64, ge=8, le=512)
    """Edge to which this square is resized (px)."""
    image_widths: Widths = (64, 128, 256, 512, 512)
    """Channels over pictures."""
    motion_widths: tuple[Width, Width] = (512, 512)
    """Widths of the layers over motion."""
    speech_widths: tuple[Width, Width] = (256, 256)
    """Widths of the layers over speech."""
    joint_width: Width = 512
    """Width of the layer over both."""


class EstimatorSpec(StatisticsSpec, hm.LossSpec):
    """Mutual information of what is generated and the speech: it learns on recorded pairs, and guides frozen."""

    presets: ClassVar[dict[str, dict[str, Any]]] = StatisticsSpec.presets

    for_checks: ClassVar[dict[str, Any]] = {"preset": "small"}
    type: Literal["amie/estimator"] = "amie/estimator"
    weight: float = Field(0.1, ge=0)
    """Weight of the bound, which what is trained raises."""
    variant: Literal["amie", "mine", "mine_js", "mine_asym"] = "amie"
    """``amie``: bound of Jensen and Shannon, learned on recorded pairs only. ``mine``: bound of Donsker and Varadhan,
    learned on generated pairs; ``mine_js`` and ``mine_asym`` change one of the two."""
    positive_only: bool = False
    """Whether what is trained is rewarded for pairs that belong together only; False also punishes the score of others,
    as in the bound."""
    estimator: str | None = None
    """Name under which a phase ``amie/estimator`` hands on a trained estimator, which then guides as it is. None learns
    while guiding."""

    @property
    def bound(self) -> Literal["js", "dv"]:
        """Bound of the variant."""
        return "js" if self.variant in ("amie", "mine_js") else "dv"

    @property
    def asymmetric(self) -> bool:
        """Whether the variant learns on recorded pairs only."""
        return self.variant in ("amie", "mine_asym")

    def build(self, context: hm.BuildContext) -> Estimator:
        """Build the loss.

        Raises:
            SpecError: fewer than 9 audio channels; for pictures, a representation without lips, nose or eyes.
            MotionError: for pictures, one without points in the picture.
        """
        from .estimator import Estimator

        return Estimator(self, context)


class EstimatorPhaseSpec(StatisticsSpec, BatchPhaseSpec):
    """An estimator learns on recorded pairs, and is handed on to losses; its file is for the metric."""

    presets: ClassVar[dict[str, dict[str, Any]]] = StatisticsSpec.presets

    for_checks: ClassVar[dict[str, Any]] = {"preset": "small"}
    type: Literal["amie/estimator"] = "amie/estimator"
    bound: Literal["js", "dv"] = "js"
    """The bound that it maximizes, of Jensen and Shannon or of Donsker and Varadhan."""
    frames: int = Field(40, ge=2, le=100_000)
    """Frames per clip, among which pairs are formed."""
    optimizer: hm.OptimizerSpec = hm.OptimizerSpec(lr=3e-4, clip_norm=1.0)
    """Optimizer of the estimator."""
    result: str = Field("estimator", pattern=r"^[a-z][a-z0-9_-]*$")
    """Name under which it is handed on; its file is called after it."""

    def build(self, context: hm.TrainContext) -> EstimatorPhase:
        """Build the phase.

        Raises:
            SpecError: the corpus lacks the track that the estimator compares with speech.
        """
        from .estimator_phase import EstimatorPhase

        return EstimatorPhase(self, context)


class EstimatorMetricSpec(hm.MetricSpec):
    """The bound of a trained estimator on generated pairs, compared with that of shifted speech."""

    type: Literal["amie/estimator"] = "amie/estimator"
    model: str = "grid-motion"
    """File that a phase ``amie/estimator`` wrote, or the name of a bundled one (`BUNDLED_ESTIMATORS`)."""
    shifts: int = Field(15, ge=1, le=100)
    """Largest shift of the speech (frames) of the curve."""

    def build(self, context: hm.BuildContext) -> EstimatorMetric:
        """Build the metric.

        Raises:
            CheckpointError: no such file, or another one.
            SpecError: an estimator of another representation.
        """
        from .estimator_metric import EstimatorMetric

        return EstimatorMetric(self, context)


class FrameDiscriminatorSpec(hm.PresetSpec, hm.DiscriminatorSpec):
    """Scores frames together with the speech around them."""

    presets: ClassVar[dict[str, dict[str, Any]]] = {
        "paper": {},
        "small": {"image_widths": (8, 16, 32, 32), "image_size": 64, "speech_size": 32},
    }

    for_checks: ClassVar[dict[str, Any]] = {"preset": "small"}
    type: Literal["amie/frame"] = "amie/frame"
    image_widths: Widths = (64, 128, 256, 512, 512)
    """Channels over a frame."""
    image_size: Width = 512
    """Width of the layer behind them."""
    speech_size: Width = 256
    """Width of the layer over speech."""
    uses_speech: bool = True
    """Whether pairs of frame and speech are scored, as published, or frames alone."""

    def build(self, context: hm.BuildContext) -> FrameDiscriminator:
        """Build the discriminator.

        Raises:
            ImageError: pictures that are too small.
        """
        from .frame_discriminator import FrameDiscriminator

        return FrameDiscriminator(self, context)
