"""Features of speech that predict action units, for other parts: the frozen networks of a trained model."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import torch
from torch import Tensor

import headmotion as hm

from .audio_windows import STEPS
from .specs import UnitFeaturesSpec
from .unit_networks import NetworksState, UnitNetworks

NAME = "audio encoder au/features"
PREFIX = "generator.networks."
"""Of the networks' tensors in the file of a pipeline."""


class State(NamedTuple):
    """A stream of features."""

    inner: Any
    """State of the inner encoder."""
    pending: Tensor
    """Steps of it that do not fill a frame yet, ``[B, n, C]``."""
    networks: NetworksState
    """State of the networks."""


class UnitFeatures(hm.AudioEncoder):
    """Features ``[B, A, 64 N]`` of the second layer of each unit's network, the same for all steps of a frame."""

    def __init__(self, spec: UnitFeaturesSpec, context: hm.BuildContext) -> None:
        super().__init__(spec)
        self.repeats = context.steps_per_frame
        inner_context = hm.BuildContext(context.representation, 0, STEPS, context.fps)
        self.inner = spec.audio_encoder.build(inner_context)
        hop = self.inner.hop * STEPS
        if hop % self.repeats:
            raise hm.SpecError(NAME, f"steps per frame that divide {hop} samples", str(self.repeats))
        self.sample_rate, self.hop = self.inner.sample_rate, hop // self.repeats
        networks_context = hm.BuildContext(context.representation, self.inner.channels, STEPS, context.fps)
        self.networks = UnitNetworks(spec.networks, networks_context, spec.units, NAME)
        self.channels, self.look_back = self.networks.feature_count, None
        self.look_ahead = self._look_ahead()
        self.spec = hm.load_frozen(self.networks, spec, context, _own_names)
        if self.look_ahead is not None and isinstance(self.inner, hm.SupportsAudioStreaming):
            # The ability to stream is declared by having these members.
            self.init_state, self.step = self._init_state, self._step

    def forward(self, wave: Tensor, steps: int | None = None) -> Tensor:
        """Encode waves ``[B, S]`` in -1..1 as features ``[B, A, 64 N]``.

        Args:
            wave: samples.
            steps: number of steps ``A``; None means ``S // hop``.
        """
        count = wave.shape[1] // self.hop if steps is None else steps
        frames, ahead = -(-count // self.repeats), self.networks.lookahead
        if not frames:
            return wave.new_zeros(len(wave), 0, self.channels)
        # The silence after the wave is encoded like the wave, so that a stream need not know where it ends.
        speech_features = self.inner(wave, STEPS * (frames + (ahead or 0)))
        state = self.networks.init_state(wave, speech_features.shape[2])
        features, _ = self.networks.step(speech_features, state, last=ahead is None)
        return self._repeated(features)[:, :count]

    def _init_state(self, batch: int) -> State:
        """Return the state of a stream without samples, for ``batch`` waves."""
        assert isinstance(self.inner, hm.SupportsAudioStreaming)
        like = next(self.networks.buffers()).new_zeros(batch, 0, self.inner.channels)
        return State(self.inner.init_state(batch), like, self.networks.init_state(like, self.inner.channels))

    def _step(self, wave: Tensor, state: State) -> tuple[Tensor, State]:
        """Take the next samples ``[B, s]``; return the features of the frames that are determined, and the state."""
        assert isinstance(self.inner, hm.SupportsAudioStreaming)
        speech_features, inner = self.inner.step(wave, state.inner)
        speech_features = torch.cat([state.pending, speech_features], dim=1)
        whole = speech_features.shape[1] // STEPS * STEPS
        features, networks = self.networks.step(speech_features[:, :whole], state.networks)
        return self._repeated(features), State(inner, speech_features[:, whole:], networks)

    def _repeated(self, features: Tensor) -> Tensor:
        return features.flatten(2).repeat_interleave(self.repeats, dim=1)

    def _look_ahead(self) -> int | None:
        if self.networks.lookahead is None or self.inner.look_ahead is None:
            return None
        # The last step of the last frame that the networks take, and what the inner encoder needs for that step.
        return (STEPS * (self.networks.lookahead + 1) - 1) * self.inner.hop + self.inner.look_ahead


def _own_names(stored: Mapping[str, Tensor]) -> Mapping[str, Tensor]:
    """Return the networks' tensors of the file of a pipeline, or those of a file with the networks alone."""
    own = {name.removeprefix(PREFIX): tensor for name, tensor in stored.items() if name.startswith(PREFIX)}
    return own or stored
