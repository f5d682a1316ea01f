"""The inputs that checks share, and what a part makes of them."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ..core.motion import Motion
from ..core.renderer import Picture
from ..core.representation import Frame
from .runner import Subject

TOLERANCE = 1e-5
"""Largest difference between two ways to the same numbers: rounding, not meaning."""

FRAME = Frame(48.0, 48.0, 96.0)
"""The unit frame of `motion` in `picture`."""


def poses(subject: Subject, batch: int, frames: int, seed: int = 0) -> Tensor:
    """Resting poses with noise, ``[B, T, P, D]`` of the unit frame."""
    rest = subject.context.representation.neutral()
    return rest + 0.01 * torch.randn(batch, frames, *rest.shape, generator=_seeded(seed))


def features(subject: Subject, batch: int, frames: int, seed: int = 0) -> Tensor:
    """Audio features like a logarithmic spectrum, ``[B, 4*T, C]``."""
    steps = frames * subject.context.steps_per_frame
    return 3 * torch.randn(batch, steps, subject.context.audio_channels, generator=_seeded(seed)) - 8


def wave(length: int) -> Tensor:
    """Two samples of noise that swells and fades, ``[2, S]`` in -1..1."""
    swell = torch.linspace(0, 20, length).sin().abs()
    return (0.3 * swell * torch.randn(2, length, generator=_seeded(0))).clamp(-1, 1)


def picture() -> Picture:
    """A gradient, ``uint8 [96, 96, 3]``."""
    x, y = np.meshgrid(np.arange(96), np.arange(96))
    return np.stack([2 * x, 2 * y, x + y], axis=-1).astype(np.uint8)


def motion(subject: Subject, frames: int) -> Motion:
    """A motion in the pixels of `picture`."""
    representation = subject.context.representation
    values = representation.denormalize(poses(subject, 1, frames)[0], FRAME)
    described = representation.spec.model_dump(mode="json")
    return Motion(values, Fraction(25), described, FRAME, reference=values[0])


def same(got: Tensor, wanted: Tensor, what: str, tolerance: float = TOLERANCE) -> None:
    """Raise an `AssertionError` that names the largest difference, if it is beyond the tolerance."""
    assert got.shape == wanted.shape, f"{what}: shape {list(got.shape)} is not {list(wanted.shape)}"
    apart = (got - wanted).detach().abs().max().item() if got.numel() else 0.0
    assert apart <= tolerance, f"{what}: {apart:.2g} apart"


@torch.no_grad()
def outcome(subject: Subject, part: Any) -> Tensor:
    """What a part makes of fixed inputs, as one vector; empty for kinds without such inputs."""
    match subject.spec.kind:
        case "representation":
            return _flat(part.neutral())
        case "audio_encoder":
            return _flat(part(wave(part.sample_rate // 5)))
        case "generator":
            return _flat(part(poses(subject, 2, part.context_frames), features(subject, 2, 8), seed=3))
        case "syncer":
            moved, heard = poses(subject, 2, part.window), features(subject, 2, part.window)
            return _flat({"motion": part.embed_motion(moved), "audio": part.embed_audio(heard)})
        case "discriminator":
            return _flat(part(poses(subject, 2, 3), poses(subject, 2, 40, seed=1)))
        case "renderer":
            frames = part.frames([motion(subject, 3)], picture() if part.needs_image else None)
            return _flat(torch.from_numpy(np.stack(list(frames))).float())
    return torch.zeros(0)


def _flat(value: Tensor | Mapping[str, Tensor]) -> Tensor:
    return value.flatten() if isinstance(value, Tensor) else torch.cat([value[k].flatten() for k in sorted(value)])


def _seeded(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)
