"""Checks of losses."""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor

from ...core.interfaces.loss import Loss, SupportsObjective
from ...core.interfaces.sample import Sample
from ..build_context import Subject
from ..hypothesis_sizes import for_sizes
from ..kit import NotApplicable, check
from ..samples import gradients, sample_pair, with_gradient

FRAMES = 40
"""Generated frames, where no other number is asked for."""


@check("loss", 1, "Return {'name': term} with scalar terms: end in .mean(), and avoid 0/0 and log(0).")
@torch.no_grad()
def loss_returns_scalar_terms(subject: Subject) -> None:
    """The terms are named finite scalars, with the same names for any batch and any number of frames from 20 on."""
    loss: Loss = subject.build()
    # The names of one input are the standard for all others.
    names = set(loss(*sample_pair(subject, 1, FRAMES, loss.needs), 0))
    assert names, "no terms"

    def check_sizes(batch: int, frames: int) -> None:
        terms = loss(*sample_pair(subject, batch, frames, loss.needs), 0)
        assert set(terms) == names, f"terms {sorted(terms)}, but {sorted(names)} for one sample of 40 frames"
        for name, term in terms.items():
            assert term.dim() == 0, f"{name}: shape {list(term.shape)} is not a scalar"
            assert term.isfinite(), f"{name}: {term.item()}"

    for_sizes(check_sizes, batch=(1, 4), frames=(20, 44))


@check("loss", 2, "Look for detach(), rounding or comparisons on the way from the generated sample to the terms.")
def loss_has_motion_gradient(subject: Subject) -> None:
    """The sum of the terms has a finite gradient with respect to the generated motion or pictures."""
    loss: Loss = subject.build()
    real, other = sample_pair(subject, 2, FRAMES, loss.needs)
    generated, leaves = with_gradient(other)
    total = _total(loss, real, generated)
    assert total.requires_grad, "no term depends on the generated motion"
    reached = gradients(total, leaves)
    finite = all(gradient.isfinite().all() for gradient in reached)
    assert finite and any(gradient.any() for gradient in reached), "no finite gradient reaches the generated motion"


@check("loss", 2, "Clamp before a division, a logarithm or a square root: their gradient at 0 is infinite.")
def loss_is_finite_for_perfect_and_static_motion(subject: Subject) -> None:
    """Terms and gradients are finite for generated motion that equals the real one, and for motion that is static."""
    loss: Loss = subject.build()
    real, other = sample_pair(subject, 2, FRAMES, loss.needs)
    for name, motion in {"equal": real, "static": _static(real)}.items():
        generated, leaves = with_gradient(replace(motion, outputs=other.outputs))
        total = _total(loss, real, generated)
        assert total.isfinite(), f"{name}: {total.item()}"
        if total.requires_grad:  # a missing gradient is the question of another check
            finite = all(gradient.isfinite().all() for gradient in gradients(total, leaves))
            assert finite, f"{name}: the gradient is not finite"


@check("loss", 1, "Add the method objective, whose terms depend on every parameter that requires a gradient.")
def loss_trains_its_parameters(subject: Subject) -> None:
    """A finite gradient of the loss's own objective reaches every parameter that requires one."""
    loss: Loss = subject.build().train()
    learned = {name: parameter for name, parameter in loss.named_parameters() if parameter.requires_grad}
    if not learned:
        raise NotApplicable("it has no parameters to train")
    assert isinstance(loss, SupportsObjective), f"nothing trains {', '.join(learned)}: there is no objective"
    terms = loss.objective(*sample_pair(subject, 4, FRAMES, loss.needs), 0)
    torch.stack(list(terms.values())).sum().backward()  # type: ignore[no-untyped-call]
    unreached = [n for n, p in learned.items() if p.grad is None or not p.grad.isfinite().all() or not p.grad.any()]
    assert not unreached, f"no gradient of the objective, or none that is finite, reaches {', '.join(unreached)}"


def _static(sample: Sample) -> Sample:
    """Return a sample whose first frame is held."""
    frames = None if sample.frames is None else sample.frames[:, :1].expand_as(sample.frames)
    return replace(sample, motion=sample.motion[:, :1].expand_as(sample.motion), frames=frames)


def _total(loss: Loss, real: Sample, generated: Sample) -> Tensor:
    return torch.stack(list(loss(real, generated, 0).values())).sum()
