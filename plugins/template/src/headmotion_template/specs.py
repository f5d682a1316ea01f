"""Specs of the plugin's parts. They are read without torch; `build` imports what needs it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from pydantic import Field

from headmotion import AudioEncoderSpec, BuildContext, GeneratorSpec

if TYPE_CHECKING:
    from .energy import Energy
    from .energy_jaw import EnergyJaw


class EnergySpec(AudioEncoderSpec):
    """Logarithm of the mean energy of each step, one number."""

    type: Literal["template/energy"] = "template/energy"
    sample_rate: int = Field(16000, ge=8000, le=192000)
    """Rate of the wave (Hz)."""
    hop: int = Field(160, ge=1)
    """Distance from one step to the next (samples)."""

    def build(self, context: BuildContext) -> Energy:
        """Make the audio encoder."""
        from .energy import Energy

        return Energy(self)


class EnergyJawSpec(GeneratorSpec):
    """The mouth opens with the energy of the audio; nothing else moves."""

    type: Literal["template/energy-jaw"] = "template/energy-jaw"
    opening: float = Field(0.2, ge=0, le=2)
    """How far the loudest audio opens the mouth, in distances of the representation's scale pair."""
    quiet: float = -12.0
    """Mean of the audio features at and below which the mouth stays as it is (natural logarithm of energy)."""
    loud: float = -3.0
    """Mean of the audio features from which on the mouth is wide open (natural logarithm of energy)."""

    def build(self, context: BuildContext) -> EnergyJaw:
        """Make the generator."""
        from .energy_jaw import EnergyJaw

        return EnergyJaw(self, context)
