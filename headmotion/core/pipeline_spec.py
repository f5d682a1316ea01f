"""The spec of a pipeline. Reading one does not import torch."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from pydantic import Field, field_serializer, field_validator

from .errors import HeadmotionError, SpecError
from .interfaces.specs import AudioEncoderSpec, DetectorSpec, GeneratorSpec, RendererSpec, RepresentationSpec
from .spec import Spec, SpecField


class PipelineSpec(Spec):
    """The parts of a pipeline: audio encoder, representation, generator, renderer and, for pictures, detector."""

    representation: SpecField[RepresentationSpec] = Field(default="landmarks68", validate_default=True)
    """What the numbers of the motion mean."""
    audio_encoder: SpecField[AudioEncoderSpec] = Field(default="log-mel", validate_default=True)
    """How the wave becomes feature steps."""
    generator: SpecField[GeneratorSpec] = Field(default="ms-sync", validate_default=True)
    """How feature steps become motion."""
    renderer: SpecField[RendererSpec] = Field(default="skeleton", validate_default=True)
    """How motion becomes pictures, unless the caller names another renderer."""
    detector: SpecField[DetectorSpec] | None = None
    """How the representation is found in a reference picture; None takes the first detector that is installed."""
    fps: Fraction = Fraction(25)
    """Native rate of the generator, frames per second; output at any other rate is resampled at the end."""
    steps_per_frame: int = Field(4, ge=1, le=1000)
    """Audio feature steps per motion frame."""

    @field_validator("fps", mode="before")
    @classmethod
    def _exact(cls, value: Any) -> Any:
        from .timing import as_fps

        try:
            return as_fps(value)
        except HeadmotionError as error:
            raise SpecError("pipeline spec", f"fps: {error.expected}", error.got) from None

    @field_serializer("fps")
    def _text(self, value: Fraction) -> str:
        return str(value)
