"""Samples for the checks of discriminators and losses, with every track that a part needs."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import fields, replace
from typing import Any

import torch
from torch import Tensor
from typing_extensions import override

from ..core.interfaces.sample import Outputs, Sample, Track
from .build_context import Subject
from .inputs import SAMPLE_RATE, features, poses

REFERENCE_FRAMES = 3
"""Frames before the motion of a sample."""
PICTURE_SIZE = 64
"""Edge of the pictures of a sample (px)."""
LABEL_NAMES = ("smileLeft", "smileRight", "jawOpen", "browUp")
"""Names of the labels of a sample."""


def sample(
    subject: Subject,
    batch: int,
    frames: int,
    needs: Iterable[Track] = (),
    reference: int = REFERENCE_FRAMES,
    seed: int = 0,
) -> Sample:
    """Return neutral poses with noise, features, and the other tracks that are needed.

    Args:
        subject: gives the representation and the audio's shape.
        batch: number of clips.
        frames: of the motion.
        needs: tracks of the part under test.
        reference: frames before the motion.
        seed: of the motion, the pictures and the labels; the rest is the same for all seeds.
    """
    rng = torch.Generator().manual_seed(seed)
    both = poses(subject, batch, reference + frames)
    motion = both[:, reference:] if seed == 0 else poses(subject, batch, frames, seed)
    result = Sample(both[:, :reference], motion, features(subject, batch, reference + frames))
    if "frames" in needs:
        pictures = torch.rand(batch, frames, 3, PICTURE_SIZE, PICTURE_SIZE, generator=rng)
        identity = torch.rand(batch, 3, PICTURE_SIZE, PICTURE_SIZE, generator=torch.Generator().manual_seed(99))
        pose = both[:, reference - 1]
        result = replace(result, frames=pictures, identity=identity, identity_pose=pose, picture_motion=motion)
    if "labels" in needs:
        result = replace(result, labels=torch.rand(batch, frames, len(LABEL_NAMES), generator=rng))
    if "wave" in needs:
        samples = round(SAMPLE_RATE * (reference + frames) / subject.context.fps)
        result = replace(result, wave=0.3 * torch.rand(batch, samples, generator=torch.Generator().manual_seed(98)))
    return result


def sample_pair(subject: Subject, batch: int, frames: int, needs: Iterable[Track] = ()) -> tuple[Sample, Sample]:
    """Return recorded and generated clips, which differ in what a part may make; see `sample`."""
    needed = frozenset(needs)
    real, other = (sample(subject, batch, frames, needed, seed=seed) for seed in range(2))
    outputs = StandInOutputs(other)
    return real, replace(real, motion=other.motion, frames=other.frames, labels=other.labels, outputs=outputs)


class StandInOutputs(Outputs):
    """A map ``[B, T, 1, H, W]`` of numbers from 0 to 1 under every name, as a renderer of pictures of this size gives.

    Without pictures it is ``[B, T, 1, 1, 1]``.
    """

    def __init__(self, original: Sample) -> None:
        super().__init__()
        size = (1, 1) if original.frames is None else original.frames.shape[-2:]
        self.shape = (*original.motion.shape[:2], 1, *size)

    @override
    def __missing__(self, name: str) -> Tensor:
        # From the name alone, so that a part that reads two maps finds two.
        self[name] = torch.rand(self.shape, generator=torch.Generator().manual_seed(sum(name.encode())))
        return self[name]


def with_gradient(original: Sample) -> tuple[Sample, list[Tensor]]:
    """Return a sample whose motion, pictures and labels record gradients, and these tensors."""
    tracks = {"motion": original.motion, "frames": original.frames, "labels": original.labels}
    leaves: dict[str, Any] = {name: v.detach().clone().requires_grad_() for name, v in tracks.items() if v is not None}
    return replace(original, **leaves), list(leaves.values())


def gradients(total: Tensor, leaves: list[Tensor]) -> list[Tensor]:
    """Return the gradients of a sum with respect to those tensors that it depends on."""
    reached = torch.autograd.grad(total, leaves, retain_graph=True, allow_unused=True)
    return [gradient for gradient in reached if gradient is not None]


def tensors_of(original: Sample) -> list[Tensor]:
    """Return the tensors of a sample."""
    values = (getattr(original, field.name) for field in fields(original))
    return [value for value in values if isinstance(value, Tensor)]
