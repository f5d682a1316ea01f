"""Checks of losses."""

from __future__ import annotations

import torch
from torch import Tensor

from ...core.interfaces.loss import Loss, SupportsObjective
from ..build_context import Subject
from ..hypothesis_sizes import for_sizes
from ..inputs import REFERENCE_FRAMES, features, loss_input, poses
from ..kit import NotApplicable, check


@check("loss", 1, "Return {'name': term} with scalar terms: end in .mean(), and avoid 0/0 and log(0).")
@torch.no_grad()
def loss_returns_scalar_terms(subject: Subject) -> None:
    """The terms are named finite scalars, with the same names for any batch and any number of frames from 20 on."""
    loss: Loss = subject.build()
    # The names of one input are the standard for all others.
    names = set(loss(loss_input(_motion_pair(subject, 1, 43), features(subject, 1, 43))))
    assert names, "no terms"

    def check_sizes(batch: int, frames: int) -> None:
        motion = _motion_pair(subject, batch, REFERENCE_FRAMES + frames)
        terms = loss(loss_input(motion, features(subject, batch, REFERENCE_FRAMES + frames)))
        assert set(terms) == names, f"terms {sorted(terms)}, but {sorted(names)} for one sample of 40 frames"
        for name, term in terms.items():
            assert term.dim() == 0, f"{name}: shape {list(term.shape)} is not a scalar"
            assert term.isfinite(), f"{name}: {term.item()}"

    for_sizes(check_sizes, batch=(1, 4), frames=(20, 44))


@check("loss", 2, "Look for detach(), rounding or comparisons on the way from data.generated to the terms.")
def loss_has_motion_gradient(subject: Subject) -> None:
    """The sum of the terms has a finite gradient with respect to the generated motion."""
    loss: Loss = subject.build()
    motion = _motion_pair(subject, 2, 43).requires_grad_()
    total = _total(subject, loss, motion)
    assert total.requires_grad, "no term depends on the generated motion"
    (gradient,) = torch.autograd.grad(total, motion)
    # Index 1 is the generated motion; the real one needs no gradient.
    assert gradient.isfinite().all() and gradient[1].any(), "no finite gradient reaches the generated motion"


@check("loss", 2, "Clamp before a division, a logarithm or a square root: their gradient at 0 is infinite.")
def loss_is_finite_for_perfect_and_static_motion(subject: Subject) -> None:
    """Terms and gradients are finite for generated motion that equals the real one, and for motion that is static."""
    loss: Loss = subject.build()
    moving, static = poses(subject, 2, 43), poses(subject, 2, 1).expand(-1, 43, -1, -1)
    for name, (real, generated) in {"equal": (moving, moving), "static": (moving, static)}.items():
        motion = torch.stack([real, generated]).requires_grad_()
        total = _total(subject, loss, motion)
        assert total.isfinite(), f"{name}: {total.item()}"
        if total.requires_grad:  # a missing gradient is the question of another check
            (gradient,) = torch.autograd.grad(total, motion)
            assert gradient.isfinite().all(), f"{name}: the gradient is not finite"


@check("loss", 1, "Add the method objective(data), whose terms depend on every parameter that requires a gradient.")
def loss_trains_its_parameters(subject: Subject) -> None:
    """A finite gradient of the loss's own objective reaches every parameter that requires one."""
    loss: Loss = subject.build().train()
    learned = {name: parameter for name, parameter in loss.named_parameters() if parameter.requires_grad}
    if not learned:
        raise NotApplicable("it has no parameters to train")
    assert isinstance(loss, SupportsObjective), f"nothing trains {', '.join(learned)}: there is no objective"
    motion = _motion_pair(subject, 4, 43)
    terms = loss.objective(loss_input(motion, features(subject, 4, 43)))
    torch.stack(list(terms.values())).sum().backward()  # type: ignore[no-untyped-call]
    lost = [n for n, p in learned.items() if p.grad is None or not p.grad.isfinite().all() or not p.grad.any()]
    assert not lost, f"no gradient of the objective, or none that is finite, reaches {', '.join(lost)}"


def _motion_pair(subject: Subject, batch: int, frames: int) -> Tensor:
    """Return real and generated motion ``[2, B, T, P, D]``."""
    return torch.stack([poses(subject, batch, frames), poses(subject, batch, frames, seed=1)])


def _total(subject: Subject, loss: Loss, motion: Tensor) -> Tensor:
    return torch.stack(list(loss(loss_input(motion, features(subject, *motion.shape[1:3]))).values())).sum()
