"""Position of streams of `causal-flow`, alone or several as one batch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

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
    """What the trunk knows of the reference, ``[B, W]``."""
    seeds: tuple[int, ...]
    """Seed of each stream."""
    frames: tuple[int, ...]
    """Frames of each stream that were returned so far."""

    @property
    def shapes(self) -> tuple[torch.Size, ...]:
        """Shapes of the trunk's states; streams of equal shapes can be one batch."""
        return tuple(tensor.shape for tensor in self.trunk)


def join_states(states: Sequence[FlowState]) -> FlowState:
    """Return one state of all streams, whose trunks have equal shapes."""

    def numbers(name: str) -> tuple[int, ...]:
        return tuple(number for state in states for number in getattr(state, name))

    trunk = tuple(torch.cat(tensors) for tensors in zip(*(state.trunk for state in states), strict=True))
    pose, basis = (torch.cat([getattr(state.reference, name) for state in states]) for name in ("pose", "basis"))
    features = torch.cat([state.features for state in states])
    return FlowState(trunk, Reference(pose, basis), features, numbers("seeds"), numbers("frames"))


def split_state(state: FlowState) -> list[FlowState]:
    """Return a state of each stream."""
    return [
        FlowState(
            tuple(tensor[k : k + 1] for tensor in state.trunk),
            Reference(state.reference.pose[k : k + 1], state.reference.basis[k : k + 1]),
            state.features[k : k + 1],
            state.seeds[k : k + 1],
            state.frames[k : k + 1],
        )
        for k in range(len(state.seeds))
    ]
