"""Poses with known motion, as clips for metrics."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

import numpy as np
import torch

from headmotion.core.interfaces.metric import MetricInput
from headmotion.core.interfaces.representation import Representation
from headmotion.core.interfaces.specs import BuildContext
from headmotion.core.motion import Motion
from headmotion.media.audio import Audio
from headmotion.representations.specs import JointPositionsSpec, KeypointsSpec, Landmarks68Spec

FPS = 25


FACE = Landmarks68Spec().build()
SOLID_FACE = Landmarks68Spec(dims=3).build()
KEYPOINTS = KeypointsSpec(points=4).build()
HANDS = JointPositionsSpec(names=("root", "left", "right"), parents=(-1, 0, 0), scale_pair=(1, 2), dims=2).build()


def context(representation: Representation) -> BuildContext:
    """The context in which a metric is built."""
    return BuildContext(representation, 0)


def rest_of(representation: Representation) -> torch.Tensor:
    """The neutral pose ``[P, D]`` in pixels of a picture of 200 x 200, float64."""
    return 200 * representation.neutral().double()


def clip_of(
    representation: Representation,
    generated: torch.Tensor,
    real: torch.Tensor | None = None,
    others: tuple[torch.Tensor, ...] = (),
    long: torch.Tensor | None = None,
    speech: np.ndarray | None = None,
    fps: int = FPS,
) -> MetricInput:
    """A clip of poses ``[T, P, D]`` in pixels."""
    spec = representation.spec.model_dump(mode="json")

    def motion(values: torch.Tensor) -> Motion:
        return Motion(values.float(), Fraction(fps), spec)

    return MetricInput(
        "clip",
        motion(generated),
        None if real is None else motion(real),
        None if speech is None else Audio(speech.astype(np.float32), 16000),
        tuple(map(motion, others)),
        None if long is None else motion(long),
    )


def talking(representation: Representation, frames: int, opening: Callable[[np.ndarray], np.ndarray]) -> torch.Tensor:
    """A face ``[T, P, D]`` whose mouth opens by so many pixels over time (s); nothing else moves."""
    values = rest_of(representation).repeat(frames, 1, 1)
    lower = [pair[1] for pair in representation.openings["mouth"]]
    values[:, lower, 1] += torch.from_numpy(opening(np.arange(frames) / FPS))[:, None]
    return values
