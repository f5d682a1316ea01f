"""Position of streams of `causal-flow`, alone or several as one batch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from .coordinates import Reference


@dataclass(frozen=True)
class FlowState:
    """Position of the streams of a batch, which may have begun at different times."""

    trunk: tuple[Tensor, ...]
    """State of each block of the trunk, ``[B, n, W]``."""
    reference: Reference
    """What the motion is relative to."""
    features: Tensor
    """Features of the reference for the trunk, ``[B, W]``."""
    seeds: tuple[int, ...]
    """Seed of each stream."""
    frames: tuple[int, ...]
    """Frames of each stream that were returned so far."""
    noise: tuple[Tensor, ...]
    """Noise ``[n, S]`` of the next frames of each stream, as far as it has been drawn."""

    @property
    def shapes(self) -> tuple[torch.Size, ...]:
        """Shapes of the trunk's states; streams of equal shapes can be one batch."""
        return tuple(tensor.shape for tensor in self.trunk)


def join_states(states: Sequence[FlowState]) -> FlowState:
    """Return one state of all streams, whose trunks have equal shapes."""

    def items(name: str) -> tuple[Any, ...]:
        return tuple(item for state in states for item in getattr(state, name))

    trunk = tuple(torch.cat(tensors) for tensors in zip(*(state.trunk for state in states), strict=True))
    pose, basis = (torch.cat([getattr(state.reference, name) for state in states]) for name in ("pose", "basis"))
    features = torch.cat([state.features for state in states])
    return FlowState(trunk, Reference(pose, basis), features, items("seeds"), items("frames"), items("noise"))


def split_state(state: FlowState) -> list[FlowState]:
    """Return a state of each stream."""
    trunk = zip(*(torch.split(tensor, 1) for tensor in state.trunk), strict=True)
    references = map(Reference, torch.split(state.reference.pose, 1), torch.split(state.reference.basis, 1))
    features = torch.split(state.features, 1)
    own = zip(trunk, references, features, state.seeds, state.frames, state.noise, strict=True)
    return [FlowState(t, r, f, (seed,), (frames,), (noise,)) for t, r, f, seed, frames, noise in own]
