"""Checks of discriminators."""

from __future__ import annotations

import torch

from ...core.interfaces.discriminator import Discriminator
from ..build_context import Subject
from ..hypothesis_sizes import for_sizes
from ..inputs import poses
from ..kit import check


@check("discriminator", 1, "Return {'name': scores} with scores of shape [n]: flatten them, do not average them.")
@torch.no_grad()
def discriminator_output_shape(subject: Subject) -> None:
    """The heads have names, the same for any motion of 20 frames or more, and each gives a vector of finite scores."""
    discriminator: Discriminator = subject.build()
    heads = set(discriminator(poses(subject, 2, 3), poses(subject, 2, 40)))
    assert heads, "no heads"

    def check_sizes(batch: int, before: int, frames: int) -> None:
        scores = discriminator(poses(subject, batch, before), poses(subject, batch, frames, seed=1))
        assert set(scores) == heads, f"heads {sorted(scores)}, but {sorted(heads)} for 40 frames"
        for name, values in scores.items():
            assert values.dim() == 1 and len(values), f"{name}: shape {list(values.shape)}"
            assert values.isfinite().all(), f"{name}: NaN or infinite"

    for_sizes(check_sizes, batch=(2, 5), before=(1, 4), frames=(20, 48))


@check("discriminator", 2, "Look for detach(), rounding or comparisons: generators are trained through the scores.")
def discriminator_has_motion_gradient(subject: Subject) -> None:
    """Every head has a gradient with respect to the motion, through which generators are trained."""
    discriminator: Discriminator = subject.build()
    motion = poses(subject, 2, 40, seed=1).requires_grad_()
    scores = discriminator(poses(subject, 2, 3), motion)
    assert scores, "no heads"
    for name, values in scores.items():
        assert values.requires_grad, f"{name}: no gradient"
        (gradient,) = torch.autograd.grad(values.sum(), motion, retain_graph=True)
        assert gradient.isfinite().all() and gradient.any(), f"{name}: no gradient reaches the motion"
