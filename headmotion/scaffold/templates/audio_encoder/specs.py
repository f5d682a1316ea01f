"""Specs of the plugin's parts. Reading them does not import torch; `build` imports what needs it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from pydantic import Field

from headmotion import AudioEncoderSpec, BuildContext

if TYPE_CHECKING:
    from .audio_encoder import Energy


class EnergySpec(AudioEncoderSpec):
    """Logarithm of the mean energy of each step, one number."""

    type: Literal["$name/energy"] = "$name/energy"
    sample_rate: int = Field(16000, ge=8000, le=192000)
    """Rate of the wave (Hz)."""
    hop: int = Field(160, ge=1, le=65_536)
    """Distance from one step to the next (samples); at 25 frames per second, 160 at 16 kHz make 4 steps per frame."""

    def build(self, context: BuildContext) -> Energy:
        """Build the audio encoder."""
        from .audio_encoder import Energy

        return Energy(self)
