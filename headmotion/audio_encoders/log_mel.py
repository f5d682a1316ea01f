"""Log mel energies as they are, the audio features of MS-Sync."""

from __future__ import annotations

import math

from torch import Tensor
from typing_extensions import override

from .mel_encoder import FLOOR, MelEncoder
from .specs import LogMelSpec

LOG_PER_DB = math.log(10) / 10
"""What a decibel adds to the natural logarithm of an energy."""


class LogMel(MelEncoder):
    """The log mel energies of `MelEncoder`."""

    def __init__(self, spec: LogMelSpec) -> None:
        super().__init__(spec)
        self.channels = spec.n_mels

    @override
    def features_of(self, log_energies: Tensor) -> Tensor:
        return log_energies

    def attenuate(self, features: Tensor, attenuation_db: Tensor) -> Tensor:
        """Return the features of quieter waves; see `SupportsAttenuation`."""
        quieter = features - LOG_PER_DB * attenuation_db.to(features)[:, None, None]
        return quieter.clamp(min=math.log(FLOOR))
