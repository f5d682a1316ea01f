"""What `causal-flow` is trained by: regression of lips, flow matching of all else."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import torch
from torch import Tensor
from torch.nn import functional

from ..core.interfaces.sample import Sample
from ..core.noise import normal

if TYPE_CHECKING:
    from .generator import CausalFlowGenerator

FLOW_NOISE, FLOW_TIME, OFFSETS, DROPOUT, JITTER, CONDITION = 10, 11, 12, 13, 14, 15
"""Streams of random numbers; smooth noise has the first ones."""
FLOW_STRIDE = 2
"""Step between the frames that the flow is trained on: neighbors hardly differ."""
LEAST_SPREAD = 0.05
"""Added to how far a number moves in a clip, in its standard deviations, before the logarithm."""


def training_terms(generator: CausalFlowGenerator, real: Sample, seeds: Sequence[int]) -> dict[str, Tensor]:
    """Return all terms, weighted.

    Args:
        generator: what is trained.
        real: recorded clips.
        seeds: one per clip.
    """
    settings, coordinates = generator.settings, generator.coordinates
    frames = range(real.motion.shape[1])
    pose = real.reference[:, -1]
    lips, sampled = coordinates.encode(real.motion, coordinates.reference(pose))
    scaled = generator.scaled(real.audio[:, -len(frames) * generator.steps_per_frame :])
    features = generator.pose(pose)
    inputs = generator.scaled_inputs(_varied(generator, scaled, seeds), features)
    context = generator.trunk(inputs)
    conditions = _condition_dropped(generator, context, features, seeds)
    terms = {
        "subspace": coordinates.subspace_error(sampled),
        "flow": settings.flow_weight * _flow_error(generator, conditions, coordinates.codes(sampled).detach(), seeds),
    }
    if coordinates.regressed_size:
        terms |= _lip_terms(generator, generator.lips(context), lips)
    return terms


def _flow_error(generator: CausalFlowGenerator, context: Tensor, codes: Tensor, seeds: Sequence[int]) -> Tensor:
    """Return the error of the flow's velocities towards codes ``[B, T, S]``."""
    context = generator.flow_context(context, torch.zeros(len(context), dtype=torch.int64, device=context.device))[
        :, ::FLOW_STRIDE
    ]
    codes = codes[:, ::FLOW_STRIDE]
    frames = range(codes.shape[1])
    noise = normal(seeds, frames, (codes.shape[-1],), FLOW_NOISE).to(codes)
    # The logistic function of normal noise has more of the middle, where velocities are hardest to predict.
    time = normal(seeds, frames, (1,), FLOW_TIME).to(codes).sigmoid()
    return generator.flow.error(codes, noise, time, context)


def _condition_dropped(generator: CausalFlowGenerator, context: Tensor, pose: Tensor, seeds: Sequence[int]) -> Tensor:
    """Return outputs of the trunk ``[B, T, W]``, in a share of the frames what stands for them without the speech."""
    share = generator.settings.condition_dropout
    if not share:
        return context
    uniform = torch.special.ndtr(normal(seeds, range(context.shape[1]), (1,), CONDITION).to(context))
    return torch.where(uniform < share, generator.unconditional_context(context, pose), context)


def _lip_terms(generator: CausalFlowGenerator, predicted: Tensor, recorded: Tensor) -> dict[str, Tensor]:
    """Return the terms of regressed numbers ``[B, T, N]``."""
    settings, coordinates = generator.settings, generator.coordinates
    difference = predicted - recorded
    terms = {
        "lips": settings.lips_weight * _robust(difference),
        "lips_speed": settings.speed_weight * _robust(difference.diff(dim=1)),
    }
    spreads = ((values.std(1, correction=0) + LEAST_SPREAD).log() for values in (predicted, recorded))
    terms["lips_amplitude"] = settings.amplitude_weight * torch.sub(*spreads).abs().mean()
    if coordinates.upper:
        gap = difference[..., coordinates.upper] - difference[..., coordinates.lower]
        terms["opening"] = settings.opening_weight * _robust(gap)
    return terms


def _robust(difference: Tensor) -> Tensor:
    """Return the mean of squares, of large differences that of magnitudes (Huber)."""
    return functional.smooth_l1_loss(difference, torch.zeros_like(difference))


def _varied(generator: CausalFlowGenerator, scaled: Tensor, seeds: Sequence[int]) -> Tensor:
    """Return standardized audio features with noise, whose channels have an offset or are missing throughout a clip."""
    settings, channels = generator.settings, (scaled.shape[-1],)
    offset = settings.feature_noise * normal(seeds, 0, channels, OFFSETS).to(scaled)
    uniform = torch.special.ndtr(normal(seeds, 0, channels, DROPOUT)).to(scaled)
    mask = (uniform >= settings.feature_dropout).to(scaled)
    scaled = scaled + offset.unsqueeze(1)
    if settings.feature_jitter:
        steps = range(scaled.shape[1])
        scaled = scaled + settings.feature_jitter * normal(seeds, steps, channels, JITTER).to(scaled)
    varied: Tensor = scaled * mask.unsqueeze(1)
    return varied
