"""Checks of losses."""

from __future__ import annotations

import torch
from torch import Tensor

from ...core.interfaces.loss import Loss
from ..build_context import Subject
from ..hypothesis_sizes import over_sizes
from ..inputs import CONTEXT, features, loss_input, poses
from ..kit import check


@check("loss", 1, "Return {'name': term} with each term a scalar: end in .mean(), and keep 0/0 and log(0) away.")
@torch.no_grad()
def loss_has_named_terms(subject: Subject) -> None:
    """Named scalar terms, finite, the same names for any batch and any number of frames from 20 on."""
    loss: Loss = subject.build()
    names: set[str] = set()

    def sized(batch: int, frames: int) -> None:
        both = _pair(subject, batch, CONTEXT + frames)
        terms = loss(loss_input(both, features(subject, batch, CONTEXT + frames)))
        assert terms, "no terms"
        assert not names or set(terms) == names, f"terms {sorted(terms)} here, {sorted(names)} there"
        names.update(terms)
        for name, each in terms.items():
            assert each.dim() == 0, f"{name}: shape {list(each.shape)} is not a scalar"
            assert each.isfinite(), f"{name}: {each.item()}"

    over_sizes(sized, batch=(1, 4), frames=(20, 44))


@check("loss", 2, "Look for detach(), rounding or comparisons on the way from data.generated to the terms.")
def loss_guides_motion(subject: Subject) -> None:
    """The sum of the terms has a finite gradient in the generated motion."""
    loss: Loss = subject.build()
    both = _pair(subject, 2, 43).requires_grad_()
    total = _total(subject, loss, both)
    assert total.requires_grad, "no term depends on the generated motion"
    (gradient,) = torch.autograd.grad(total, both)
    assert gradient.isfinite().all() and gradient[1].any(), "no finite gradient reaches the generated motion"


@check("loss", 2, "Clamp before a division, a logarithm or a square root: their gradient at 0 is infinite.")
def loss_stands_perfection(subject: Subject) -> None:
    """Generated motion that equals the real one, and motion that stands still, have finite terms and gradients."""
    loss: Loss = subject.build()
    moving, still = poses(subject, 2, 43), poses(subject, 2, 1).expand(-1, 43, -1, -1)
    for name, (real, generated) in {"equal": (moving, moving), "still": (moving, still)}.items():
        both = torch.stack([real, generated]).requires_grad_()
        total = _total(subject, loss, both)
        assert total.isfinite(), f"{name}: {total.item()}"
        if total.requires_grad:
            (gradient,) = torch.autograd.grad(total, both)
            assert gradient.isfinite().all(), f"{name}: the gradient is not finite"


def _pair(subject: Subject, batch: int, frames: int) -> Tensor:
    """Real and generated motion ``[2, B, T, P, D]``."""
    return torch.stack([poses(subject, batch, frames), poses(subject, batch, frames, seed=1)])


def _total(subject: Subject, loss: Loss, both: Tensor) -> Tensor:
    return torch.stack(list(loss(loss_input(both, features(subject, *both.shape[1:3]))).values())).sum()
