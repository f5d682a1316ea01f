"""Checks of discriminators."""

from __future__ import annotations

import torch

from ...core.interfaces.discriminator import Discriminator
from ..build_context import Subject
from ..hypothesis_sizes import over_sizes
from ..inputs import poses
from ..kit import check


@check("discriminator", 1, "Return {'name': scores} with scores of shape [n]: flatten them, do not average them.")
@torch.no_grad()
def discriminator_scores_by_head(subject: Subject) -> None:
    """Named heads, the same for any motion of 20 frames and more, each a vector of finite scores."""
    discriminator: Discriminator = subject.build()
    heads = set(discriminator(poses(subject, 2, 3), poses(subject, 2, 40)))
    assert heads, "no heads"

    def sized(batch: int, before: int, frames: int) -> None:
        scores = discriminator(poses(subject, batch, before), poses(subject, batch, frames, seed=1))
        assert set(scores) == heads, f"heads {sorted(scores)} here, {sorted(heads)} there"
        for name, each in scores.items():
            assert each.dim() == 1 and len(each), f"{name}: shape {list(each.shape)}"
            assert each.isfinite().all(), f"{name}: NaN or infinite"

    over_sizes(sized, batch=(2, 5), before=(1, 4), frames=(20, 48))


@check("discriminator", 2, "Look for detach(), rounding or comparisons: generators are trained through the scores.")
def discriminator_guides_motion(subject: Subject) -> None:
    """Every head has a gradient in the motion, by which generators are trained."""
    discriminator: Discriminator = subject.build()
    moved = poses(subject, 2, 40, seed=1).requires_grad_()
    for name, score in discriminator(poses(subject, 2, 3), moved).items():
        assert score.requires_grad, f"{name}: no gradient"
        (gradient,) = torch.autograd.grad(score.sum(), moved, retain_graph=True)
        assert gradient.isfinite().all() and gradient.any(), f"{name}: no gradient reaches the motion"
