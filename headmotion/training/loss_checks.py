"""Checks of losses and discriminators against what a phase trains."""

from __future__ import annotations

from collections.abc import Iterable

from torch import nn

from ..core.errors import SpecError
from ..core.interfaces.discriminator import Discriminator
from ..core.interfaces.loss import Loss, SupportsObjective
from .context import TrainContext
from .targets import Target


def learned_parameters(loss: Loss) -> list[nn.Parameter]:
    """Return the parameters of a loss that require gradients.

    Raises:
        SpecError: there are some, but the loss has no objective for them.
    """
    learned = [parameter for parameter in loss.parameters() if parameter.requires_grad]
    if learned and not isinstance(loss, SupportsObjective):
        got = f"{len(learned)} parameters that nothing trains"
        remedy = "add the method `objective`, or make them buffers"
        raise SpecError(f"loss {loss.spec.type_name()}", "an objective of its own (SupportsObjective)", got, remedy)
    return learned


def require_made_tracks(context: TrainContext, target: Target, judges: Iterable[Discriminator | Loss]) -> None:
    """Refuse parts that look at pictures where motion is generated: a generated sample would have recorded ones.

    Raises:
        SpecError: a part needs ``frames``, which what is trained does not make.
    """
    for part in judges:
        if "frames" in part.needs and target.makes != "frames":
            expected = f"parts that look at {target.makes or 'what is predicted'}"
            got = f"{part.spec.kind} {part.spec.type_name()}, which looks at frames"
            raise SpecError(f"{context.name} phase", expected, got, "train a renderer with it (trains: renderer)")
