"""What all parts share that learn action units: the check of the representation, and the loss."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor
from torch.nn import functional

import headmotion as hm

from .facs import PRESENCE
from .specs import Target


def require_units(representation: hm.Representation, component: str) -> None:
    """Refuse a representation other than action units.

    Raises:
        SpecError: it is another one.
    """
    if representation.name != "au/action-units":
        remedy = "set representation to au/action-units"
        raise hm.SpecError(component, "action units", representation.name, remedy)


def unit_cross_entropy(
    logits: Tensor, intensities: Tensor, target: Target, presence_weights: Sequence[float] = ()
) -> Tensor:
    """Return the mean cross-entropy of units.

    Args:
        logits: ``[..., N]``.
        intensities: ``[..., N]``, 0..1.
        target: what the logits are of.
        presence_weights: factor of each unit's part of the target; none is 1.
    """
    goal = intensities.clamp(0, 1) if target == "intensity" else (intensities >= PRESENCE).to(logits)
    weights = logits.new_tensor(presence_weights) if presence_weights else None
    return functional.binary_cross_entropy_with_logits(logits, goal, pos_weight=weights)
