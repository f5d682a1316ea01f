"""Checks of discriminators."""

from __future__ import annotations

from collections.abc import Collection

import torch

from ...core.interfaces.discriminator import Discriminator, SupportsPrediction
from ..build_context import Subject
from ..hypothesis_sizes import for_sizes
from ..kit import NotApplicable, check
from ..samples import gradients, sample, with_gradient


@check("discriminator", 1, "Return {'name': scores} with scores of shape [n]: flatten them, do not average them.")
@torch.no_grad()
def discriminator_output_shape(subject: Subject) -> None:
    """The heads have names, the same for any motion of 20 frames or more, and each gives a vector of finite scores."""
    discriminator: Discriminator = subject.build()
    heads = set(discriminator(sample(subject, 2, 40, discriminator.needs)))
    _require_heads(discriminator, heads)

    def check_sizes(batch: int, before: int, frames: int) -> None:
        scores = discriminator(sample(subject, batch, frames, discriminator.needs, reference=before, seed=1))
        assert set(scores) == heads, f"heads {sorted(scores)}, but {sorted(heads)} for 40 frames"
        for name, values in scores.items():
            assert values.dim() == 1 and len(values), f"{name}: shape {list(values.shape)}"
            assert values.isfinite().all(), f"{name}: NaN or infinite"

    for_sizes(check_sizes, batch=(2, 5), before=(1, 4), frames=(20, 48))


@check("discriminator", 2, "Look for detach(), rounding or comparisons: generators are trained through the scores.")
def discriminator_has_motion_gradient(subject: Subject) -> None:
    """Every head has a gradient with respect to the motion or the pictures, through which others are trained."""
    discriminator: Discriminator = subject.build()
    scored, leaves = with_gradient(sample(subject, 2, 40, discriminator.needs, seed=1))
    scores = discriminator(scored)
    _require_heads(discriminator, scores)
    for name, values in scores.items():
        assert values.requires_grad, f"{name}: no gradient"
        reached = gradients(values.sum(), leaves)
        assert all(gradient.isfinite().all() for gradient in reached), f"{name}: the gradient is not finite"
        assert any(gradient.any() for gradient in reached), f"{name}: no gradient reaches the motion"


@check("discriminator", 1, "Return {'name': term} with scalar terms that depend on the discriminator's parameters.")
def discriminator_predictions_are_scalar_terms(subject: Subject) -> None:
    """With `SupportsPrediction`, the terms are named finite scalars, and train the discriminator."""
    discriminator = subject.build()
    if not isinstance(discriminator, SupportsPrediction):
        raise NotApplicable("it does not declare SupportsPrediction")
    needs = discriminator.needs  # type: ignore[attr-defined]
    terms = discriminator.predictions(sample(subject, 2, 40, needs))
    assert terms, "no terms"
    for name, term in terms.items():
        assert term.dim() == 0, f"{name}: shape {list(term.shape)} is not a scalar"
        assert term.isfinite(), f"{name}: {term.item()}"
        assert term.requires_grad, f"{name}: it depends on no parameter"


def _require_heads(discriminator: Discriminator, heads: Collection[str]) -> None:
    if not heads and isinstance(discriminator, SupportsPrediction):
        raise NotApplicable("it only predicts")
    assert heads, "no heads"
