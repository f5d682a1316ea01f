"""The inputs that checks share, and what a part makes of them."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from importlib.resources import files
from typing import Any, cast

import cv2
import numpy as np
import torch
from torch import Tensor

from ..core.errors import DetectorError
from ..core.interfaces.loss import LossInput
from ..core.interfaces.metric import Metric, MetricInput
from ..core.interfaces.renderer import Picture
from ..core.interfaces.representation import UnitSquare
from ..core.motion import Motion
from ..media.audio import Audio
from .build_context import Subject

TOLERANCE = 1e-5
"""Largest difference between two ways to the same numbers: rounding, not meaning."""

FRAME = UnitSquare(48.0, 48.0, 96.0)
"""The unit frame of `motion` in `picture`."""

FPS = Fraction(25)
RATE = 16000
CONTEXT = 3
"""Frames before the generated ones in `loss_input`."""


def poses(subject: Subject, batch: int, frames: int, seed: int = 0) -> Tensor:
    """Resting poses with noise, ``[B, T, P, D]`` of the unit frame."""
    rest = subject.context.representation.neutral()
    return rest + 0.01 * torch.randn(batch, frames, *rest.shape, generator=_seeded(seed))


def features(subject: Subject, batch: int, frames: int, seed: int = 0) -> Tensor:
    """Audio features like a logarithmic spectrum, ``[B, 4*T, C]``."""
    steps = frames * subject.context.steps_per_frame
    return 3 * torch.randn(batch, steps, subject.context.audio_channels, generator=_seeded(seed)) - 8


def wave(length: int, batch: int = 2) -> Tensor:
    """Noise that swells and fades, ``[B, S]`` in -1..1."""
    swell = torch.linspace(0, 20, length).sin().abs()
    return (0.3 * swell * torch.randn(batch, length, generator=_seeded(0))).clamp(-1, 1)


def picture() -> Picture:
    """A gradient, ``uint8 [96, 96, 3]``."""
    x, y = np.meshgrid(np.arange(96), np.arange(96))
    return np.stack([2 * x, 2 * y, x + y], axis=-1).astype(np.uint8)


def portrait() -> Picture:
    """The bundled photograph of a face, RGB."""
    stored = np.frombuffer((files("headmotion") / "assets" / "portrait.png").read_bytes(), np.uint8)
    decoded = cast("Picture", cv2.imdecode(stored, cv2.IMREAD_COLOR))
    return cast("Picture", cv2.cvtColor(decoded, cv2.COLOR_BGR2RGB))


def motion(subject: Subject, frames: int, seed: int = 0) -> Motion:
    """A motion in the pixels of `picture`."""
    return _moving(subject, poses(subject, 1, frames, seed)[0])


def clip(subject: Subject, metric: Metric, values: Tensor, name: str = "clip") -> MetricInput:
    """A clip for a metric, with noise as speech; ``values`` ``[4, T, P, D]``: generated, real, two of other seeds."""
    generated, real, *others = (_moving(subject, each) for each in values)
    samples = wave(int(generated.duration * RATE), 1)[0]
    again = -(-metric.long_frames // len(generated))
    long = _moving(subject, values[0].repeat(again, 1, 1)[: metric.long_frames]) if again else None
    return MetricInput(name, generated, real, Audio(samples, RATE), tuple(others), long)


def loss_input(values: Tensor, audio: Tensor) -> LossInput:
    """``values`` ``[2, B, R+T, P, D]``, real and generated, as a loss sees them."""
    real, generated = values
    return LossInput(real[:, :CONTEXT], generated[:, CONTEXT:], real[:, CONTEXT:], audio)


def same(got: Tensor, wanted: Tensor, what: str, tolerance: float = TOLERANCE) -> None:
    """Raise an `AssertionError` that names the largest difference, if it is beyond the tolerance."""
    assert got.shape == wanted.shape, f"{what}: shape {list(got.shape)} is not {list(wanted.shape)}"
    apart = (got - wanted).detach().abs().max().item() if got.numel() else 0.0
    assert apart <= tolerance, f"{what}: {apart:.2g} apart"


def given(subject: Subject, part: Any) -> list[Tensor]:
    """Fixed inputs of a part of any kind; see `made`."""
    match subject.spec.kind:
        case "audio_encoder":
            return [wave(part.sample_rate // 5)]
        case "generator":
            return [poses(subject, 2, part.context_frames), features(subject, 2, 8)]
        case "syncer":
            return [poses(subject, 2, part.window), features(subject, 2, part.window)]
        case "discriminator":
            return [poses(subject, 2, 3), poses(subject, 2, 40, seed=1)]
        case "loss":
            both = torch.stack([poses(subject, 2, 43), poses(subject, 2, 43, seed=1)])
            return [both, features(subject, 2, 43)]
        case "metric":
            return [torch.stack([poses(subject, 1, 100, seed)[0] for seed in range(4)])]
        case "detector":
            return [torch.from_numpy(portrait())]
    return [poses(subject, 1, 3)[0]]


def made(subject: Subject, part: Any, inputs: list[Tensor]) -> Tensor:
    """What a part makes of its inputs, as one vector."""
    match subject.spec.kind:
        case "representation":
            (unit,) = inputs
            pixels = part.denormalize(unit, FRAME)
            return _flat([part.neutral(), part.normalize(pixels, FRAME), part.flip(unit), part.to_points2d(unit)])
        case "audio_encoder":
            return _flat([part(*inputs)])
        case "generator":
            return _flat([part(*inputs, seed=3)])
        case "syncer":
            return _flat([part.embed_motion(inputs[0]), part.embed_audio(inputs[1])])
        case "discriminator":
            return _named(part(*inputs))
        case "renderer":
            frames = part.frames([_moving(subject, inputs[0])], picture() if part.needs_image else None)
            return _flat([torch.from_numpy(np.stack(list(frames))).float()])
        case "loss":
            return _named(part(loss_input(*inputs)))
        case "metric":
            values = part.figures([part.observe(clip(subject, part, inputs[0]))]).values
            return torch.tensor([values[name] for name in sorted(values)], dtype=torch.float64)
    try:
        return _flat([part.detect(inputs[0].numpy())])
    except DetectorError:  # nothing there, or no model file: the same each time
        return torch.zeros(0)


@torch.no_grad()
def outcome(subject: Subject, part: Any) -> Tensor:
    """What a part makes of its fixed inputs, as one vector."""
    return made(subject, part, given(subject, part))


def _moving(subject: Subject, unit: Tensor) -> Motion:
    representation = subject.context.representation
    values = representation.denormalize(unit, FRAME)
    described = representation.spec.model_dump(mode="json")
    return Motion(values, FPS, described, FRAME, reference=values[0])


def _named(value: Mapping[str, Tensor]) -> Tensor:
    return _flat([value[name] for name in sorted(value)])


def _flat(values: list[Tensor]) -> Tensor:
    return torch.cat([each.flatten() for each in values])


def _seeded(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)
