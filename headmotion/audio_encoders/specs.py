"""Specs of the audio encoders that come with headmotion."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, Self

from pydantic import Field, model_validator

from ..core.errors import SpecError
from ..core.interfaces.specs import AudioEncoderSpec, BuildContext

if TYPE_CHECKING:
    from ..core.interfaces.audio_encoder import AudioEncoder


class MelSpec(AudioEncoderSpec):
    """Fields that all encoders with a mel filter bank share."""

    sample_rate: int = Field(16000, ge=8000, le=192000)
    """Sample rate of the wave (Hz)."""
    window: int = Field(400, ge=2, le=65_536)
    """Length of the analysis window (samples)."""
    hop: int = Field(160, ge=1, le=65_536)
    """Distance from one step to the next (samples)."""
    n_fft: int = Field(512, ge=2, le=65536)
    """Length of the Fourier transform (samples); windows are padded with zeros to this length."""
    n_mels: int = Field(26, ge=1, le=1024)
    """Number of mel filters."""
    f_min: float = Field(0.0, ge=0)
    """Lower edge of the lowest filter (Hz)."""
    f_max: float | None = Field(None, gt=0)
    """Upper edge of the highest filter (Hz); null: half the sample rate."""
    window_shape: Literal["rectangular", "hann"] = "rectangular"
    """Window function; ``hann`` is periodic."""
    filters: Literal["psf", "slaney", "htk"] = "psf"
    """Triangles with edges on whole Fourier bins (``psf``), area 1 (``slaney``) or height 1 (``htk``)."""
    preemphasis: float = Field(0.97, ge=0, le=1)
    """Factor of the previous sample, which is subtracted from each sample; 0: no pre-emphasis."""

    @model_validator(mode="after")
    def _fits(self) -> Self:
        name = f"{self.type_name()} spec"
        if not self.hop <= self.window <= self.n_fft:
            got = f"{self.hop}, {self.window} and {self.n_fft}"
            raise SpecError(name, "hop <= window <= n_fft", got, "shorten the first or lengthen the last")
        if not self.f_min < self.highest <= self.sample_rate / 2:
            got = f"{self.f_min:g} and {self.highest:g} Hz at {self.sample_rate} Hz"
            raise SpecError(name, "f_min < f_max <= sample_rate / 2", got, "leave f_max out")
        return self

    @property
    def highest(self) -> float:
        """Upper edge of the highest filter (Hz)."""
        return self.sample_rate / 2 if self.f_max is None else self.f_max

    def check(self, context: BuildContext) -> None:
        """Check that there are exactly ``context.steps_per_frame`` steps per motion frame.

        Raises:
            SpecError: there are not.
        """
        steps = context.fps * context.steps_per_frame
        if steps * self.hop != self.sample_rate:
            raise SpecError(
                f"{self.type_name()} spec",
                f"fps x steps per frame x hop = sample_rate = {self.sample_rate}",
                f"{context.fps} x {context.steps_per_frame} x {self.hop} = {steps * self.hop}",
                f"set hop to {float(self.sample_rate / steps):g}, or change sample_rate",
            )


class LogMelSpec(MelSpec):
    """Logarithms of mel filter bank energies, the audio features of MS-Sync.

    With its defaults it equals ``logfbank`` of the package python_speech_features on the same samples.
    """

    type: Literal["log-mel"] = "log-mel"

    def build(self, context: BuildContext) -> AudioEncoder:
        """Build the encoder.

        Raises:
            SpecError: its steps do not divide the motion frames exactly, or a filter contains no Fourier bin.
        """
        from .log_mel import LogMel

        self.check(context)
        return LogMel(self)


class MfccSpec(MelSpec):
    """Mel-frequency cepstral coefficients: a cosine transform of the log mel energies.

    It equals ``mfcc`` of the package python_speech_features with ``appendEnergy=False`` on the same samples.
    """

    type: Literal["mfcc"] = "mfcc"
    n_mfcc: int = Field(26, ge=1, le=1024)
    """Number of coefficients, beginning with the zeroth."""
    lifter: int = Field(0, ge=0, le=65_536)
    """Strength ``L`` of the sinusoidal weights ``1 + L/2 sin(pi n / L)`` on coefficient ``n``; 0: none."""

    @model_validator(mode="after")
    def _fits_mels(self) -> Self:
        if self.n_mfcc > self.n_mels:
            raise SpecError("mfcc spec", "n_mfcc <= n_mels", f"{self.n_mfcc} > {self.n_mels}", "raise n_mels")
        return self

    def build(self, context: BuildContext) -> AudioEncoder:
        """Build the encoder.

        Raises:
            SpecError: its steps do not divide the motion frames exactly, or a filter contains no Fourier bin.
        """
        from .mfcc import Mfcc

        self.check(context)
        return Mfcc(self)
