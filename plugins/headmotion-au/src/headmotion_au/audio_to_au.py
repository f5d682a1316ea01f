"""Generators of action units: speech becomes intensities, over the whole clip or in a stream."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

import headmotion as hm

from .specs import AudioToAUSpec
from .unit_networks import NetworksState, UnitNetworks
from .unit_targets import require_units, unit_cross_entropy

NAME = "generator au/audio-to-au"


def build_networks(spec: AudioToAUSpec, context: hm.BuildContext) -> UnitNetworks:
    """Return one network per unit of the pipeline's representation.

    Raises:
        SpecError: another representation, features that do not fit, or weights of another number of units.
    """
    require_units(context.representation, NAME)
    units = context.representation.points
    if spec.presence_weights and len(spec.presence_weights) != units:
        raise hm.SpecError(NAME, f"presence_weights of {units} units", str(len(spec.presence_weights)))
    return UnitNetworks(spec, context, units, NAME)


def training_terms(networks: UnitNetworks, spec: AudioToAUSpec, real: hm.Sample) -> Mapping[str, Tensor]:
    """Return the cross-entropy of the units of recorded clips."""
    audio = real.audio[:, -real.motion.shape[1] * networks.windows.steps :]
    logits = networks.logits(networks(audio))
    loss = unit_cross_entropy(logits, real.motion[..., 0], spec.target, spec.presence_weights)
    return {"units": spec.weight * loss}


class AudioToAU(hm.Generator):
    """Units of whole clips: ``sigmoid(W h)`` of each unit's own network. The reference is not used."""

    context_frames = 1

    def __init__(self, spec: AudioToAUSpec, context: hm.BuildContext) -> None:
        super().__init__(spec)
        self.networks = build_networks(spec, context)

    def forward(self, reference: Tensor, audio: Tensor, seed: int | Sequence[int] = 0) -> Tensor:
        """Return units ``[B, T, N, 1]`` of speech ``[B, steps_per_frame * T, C]``; no randomness."""
        return torch.sigmoid(self.networks.logits(self.networks(audio))).unsqueeze(-1)

    def training_terms(self, real: hm.Sample, step: int, seed: int | Sequence[int]) -> Mapping[str, Tensor]:
        """Return the mean cross-entropy of the recorded units."""
        return training_terms(self.networks, self.spec, real)


class StreamingAudioToAU(hm.Generator):
    """The same networks, with recurrent layers that look ``ahead`` frames ahead, so that units can be streamed."""

    context_frames = 1

    def __init__(self, spec: AudioToAUSpec, context: hm.BuildContext) -> None:
        super().__init__(spec)
        self.networks, self.channels = build_networks(spec, context), context.audio_channels
        self.lookahead = self.networks.lookahead

    def forward(self, reference: Tensor, audio: Tensor, seed: int | Sequence[int] = 0) -> Tensor:
        """Return units ``[B, T, N, 1]`` of speech ``[B, steps_per_frame * T, C]``; no randomness."""
        return self.step(audio, self.init_state(reference, seed), last=True)[0]

    def init_state(self, reference: Tensor, seed: int | Sequence[int] = 0) -> NetworksState:
        """Return the state of a stream after the reference ``[B, R, N, 1]``."""
        return self.networks.init_state(reference, self.channels)

    def step(self, audio: Tensor, state: NetworksState, last: bool = False) -> tuple[Tensor, NetworksState]:
        """Take the speech of the next frames; return the units ``[B, t, N, 1]`` that it determines, and the state."""
        features, state = self.networks.step(audio, state, last)
        return torch.sigmoid(self.networks.logits(features)).unsqueeze(-1), state

    def training_terms(self, real: hm.Sample, step: int, seed: int | Sequence[int]) -> Mapping[str, Tensor]:
        """Return the mean cross-entropy of the recorded units."""
        return training_terms(self.networks, self.spec, real)
