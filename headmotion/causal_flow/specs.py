"""Spec of the generator `causal-flow`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal, Self

from pydantic import Field, model_validator

from ..core.errors import SpecError
from ..core.interfaces.specs import BuildContext, GeneratorSpec

if TYPE_CHECKING:
    from .generator import CausalFlowGenerator

Seconds = Annotated[float, Field(gt=0, le=10)]
"""A time."""


class CausalFlowGeneratorSpec(GeneratorSpec):
    """Causal convolutions over speech, a regression for lips and jaw, and a small flow for all else.

    Whatever lies in none of the ``regressed`` groups is sampled: for a face, the head's pose, brows and eyes; all of a
    representation that has no such groups, such as a body.
    """

    type: Literal["causal-flow"] = "causal-flow"
    regressed: tuple[str, ...] = ("lips", "jaw")
    """Groups of points that are regressed, as far as the representation has them."""
    width: int = Field(128, ge=1, le=4096)
    """Channels of the trunk."""
    blocks: int = Field(4, ge=1, le=64)
    """Blocks of the trunk."""
    kernel: int = Field(9, ge=1, le=255)
    """Frames that a block covers."""
    lookahead_frames: int = Field(3, ge=0, le=100)
    """Frames of audio features that the trunk looks ahead, shared among its first blocks."""
    expansion: int = Field(2, ge=1, le=16)
    """Widening inside each block, of the trunk and of the flow."""
    codes: int = Field(12, ge=1, le=4096)
    """Dimensions of the subspace in which local motion is sampled, such as that of brows and eyes."""
    flow_width: int = Field(96, ge=1, le=4096)
    """Width of the flow's network."""
    flow_blocks: int = Field(2, ge=1, le=64)
    """Blocks of the flow's network."""
    euler_steps: int = Field(6, ge=1, le=1000)
    """Steps from noise to motion."""
    onset_frames: int = Field(50, ge=1, le=10_000)
    """Frames after the reference in which sampled motion departs from it; training clips should be as long."""
    head_amount: float = Field(0.011, ge=0, le=1)
    """Size of sampled head motion: root mean square over 2.4 seconds, in sides of the unit frame."""
    regressed_gain: float = Field(1.12, ge=0, le=4)
    """Factor of regressed motion. A regression predicts the mean of what people do, whose motion is smaller."""
    value_range: tuple[float, float] | None = None
    """Least and greatest value of generated motion, such as 0 and 1 for weights of blend shapes; None: any."""
    temperature: float = Field(1.0, ge=0, le=10)
    """Factor of the noise: 0 always gives the most typical motion, 1 motion as varied as in the data."""
    expression_temperature: float | None = Field(None, ge=0, le=10)
    """The same of what is sampled besides the head, such as brows and eyes; None: as the head."""
    guidance: float = Field(1.0, ge=0, le=20)
    """How much sampled motion belongs to this speech (classifier-free guidance): 0 moves as for any speech, 1 as people
    do, more exaggerates what the speech changes. Other values than 1 need a model with ``condition_dropout``, and take
    the flow twice."""
    noise_seconds: tuple[Seconds, Seconds] = (0.18, 0.8)
    """Correlation lengths of the noise of nods and of posture."""
    posture_share: float = Field(0.75, ge=0, le=1)
    """Share of posture in the variance of the head's noise. The noise of all else is as fast as nods."""
    feature_noise: float = Field(0.15, ge=0, le=10)
    """Offset of each audio channel in a training clip, in its standard deviations, as between two speakers."""
    feature_dropout: float = Field(0.1, ge=0, lt=1)
    """Share of the audio channels that a training clip lacks."""
    feature_jitter: float = Field(0.0, ge=0, le=10)
    """White noise of each audio channel and step in training, in its standard deviations: an average over many weakly
    informative channels is then better than few channels, which another speaker may lack (as in ridge regression)."""
    condition_dropout: float = Field(0.0, ge=0, lt=1)
    """Share of training frames in which the flow does without the speech, so that ``guidance`` can be set afterwards;
    0: it never learns that."""
    lips_weight: float = Field(1.0, ge=0)
    """Weight of the position of regressed points, in their standard deviations."""
    speed_weight: float = Field(1.0, ge=0)
    """Weight of their speed."""
    opening_weight: float = Field(1.0, ge=0)
    """Weight of openings between regressed points, such as that of the mouth."""
    amplitude_weight: float = Field(0.05, ge=0)
    """Weight of the logarithmic ratio of how far regressed points move."""
    flow_weight: float = Field(1.0, ge=0)
    """Weight of the flow."""

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.value_range is not None and not self.value_range[0] < self.value_range[1]:
            raise SpecError("causal-flow spec", "value_range with the least value first", str(self.value_range))
        if self.guidance != 1 and not self.condition_dropout:
            expected, remedy = "guidance 1 of a model without condition_dropout", "train with condition_dropout: 0.1"
            raise SpecError("causal-flow spec", expected, f"{self.guidance:g}", remedy)
        return self

    def build(self, context: BuildContext) -> CausalFlowGenerator:
        """Build the generator for a representation and an audio encoder."""
        from .generator import CausalFlowGenerator

        return CausalFlowGenerator(self, context)
