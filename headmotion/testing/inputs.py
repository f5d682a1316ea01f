"""Inputs that checks share, and the output of a part for them."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from importlib.resources import as_file, files
from typing import Any

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
from ..media.image import read_picture
from .build_context import Subject

TOLERANCE = 1e-5
"""Largest difference between two computations of the same numbers: rounding in float32."""

UNIT_SQUARE = UnitSquare(48.0, 48.0, 96.0)
"""The unit square of `motion` in `picture`."""

FPS = Fraction(25)
SAMPLE_RATE = 16_000
REFERENCE_FRAMES = 3
"""Frames before the generated ones in `loss_input`."""


def poses(subject: Subject, batch: int, frames: int, seed: int = 0) -> Tensor:
    """Return neutral poses with noise, ``[B, T, P, D]`` in the unit square."""
    neutral = subject.context.representation.neutral()
    # Noise of a percent keeps poses plausible, so that a part that validates its input accepts them.
    return neutral + 0.01 * torch.randn(batch, frames, *neutral.shape, generator=_rng(seed))


def features(subject: Subject, batch: int, frames: int, seed: int = 0) -> Tensor:
    """Return audio features like a logarithmic spectrum, ``[B, steps_per_frame * T, C]``."""
    steps = frames * subject.context.steps_per_frame
    return 3 * torch.randn(batch, steps, subject.context.audio_channels, generator=_rng(seed)) - 8


def wave(length: int, batch: int = 2) -> Tensor:
    """Return noise with a rising and falling level, ``[B, S]`` in -1..1."""
    level = torch.linspace(0, 20, length).sin().abs()
    return (0.3 * level * torch.randn(batch, length, generator=_rng(0))).clamp(-1, 1)


def picture() -> Picture:
    """Return a gradient, ``uint8 [96, 96, 3]``."""
    x, y = np.meshgrid(np.arange(96), np.arange(96))
    return np.stack([2 * x, 2 * y, x + y], axis=-1).astype(np.uint8)


def portrait() -> Picture:
    """Return the bundled photograph of a face, RGB."""
    with as_file(files("headmotion") / "assets" / "portrait.png") as path:
        return read_picture(path)


def motion(subject: Subject, frames: int, seed: int = 0) -> Motion:
    """Return a motion in the pixels of `picture`."""
    return _to_motion(subject, poses(subject, 1, frames, seed)[0])


def metric_input(subject: Subject, metric: Metric, values: Tensor, name: str = "clip") -> MetricInput:
    """Return a clip with every field that a metric may need, with noise as speech.

    Args:
        subject: gives the representation.
        metric: gives the number of frames of long motion.
        values: ``[4, T, P, D]`` in the unit square: generated, real, and two of other seeds.
        name: the clip's id.
    """
    generated, real, *others = (_to_motion(subject, poses) for poses in values)
    samples = wave(int(generated.duration * SAMPLE_RATE), 1)[0]
    # Any motion of the right length does; most metrics need none.
    repeats = -(-metric.long_frames // len(generated))
    long = _to_motion(subject, values[0].repeat(repeats, 1, 1)[: metric.long_frames]) if repeats else None
    return MetricInput(name, generated, real, Audio(samples, SAMPLE_RATE), tuple(others), long)


def loss_input(values: Tensor, audio: Tensor) -> LossInput:
    """Return the input of a loss.

    Args:
        values: real and generated motion ``[2, B, R+T, P, D]``.
        audio: features of all frames.
    """
    real, generated = values
    reference = real[:, :REFERENCE_FRAMES]
    return LossInput(reference, generated[:, REFERENCE_FRAMES:], real[:, REFERENCE_FRAMES:], audio)


def assert_close(got: Tensor, expected: Tensor, what: str, tolerance: float = TOLERANCE) -> None:
    """Assert that two tensors agree; the message names the largest difference.

    Args:
        got: the tensor under test.
        expected: what it must equal.
        what: what is compared, for the message.
        tolerance: the largest absolute difference.
    """
    assert got.shape == expected.shape, f"{what}: shape {list(got.shape)} is not {list(expected.shape)}"
    # Absolute, because unit squares and features have a known size.
    difference = (got - expected).detach().abs().max().item() if got.numel() else 0.0
    assert difference <= tolerance, f"{what}: the largest difference is {difference:.2g}"


def fixed_inputs(subject: Subject, part: Any) -> list[Tensor]:
    """Return the inputs of a part of any kind, the same in every call; see `output_vector`."""
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
            pair = torch.stack([poses(subject, 2, 43), poses(subject, 2, 43, seed=1)])
            return [pair, features(subject, 2, 43)]
        case "metric":
            return [torch.stack([poses(subject, 1, 100, seed)[0] for seed in range(4)])]
        case "detector":
            return [torch.from_numpy(portrait())]
    return [poses(subject, 1, 3)[0]]


def output_vector(subject: Subject, part: Any, inputs: list[Tensor]) -> Tensor:
    """Return the whole output of a part for its inputs, as one vector."""
    match subject.spec.kind:
        case "representation":
            (unit,) = inputs
            pixels = part.denormalize(unit, UNIT_SQUARE)
            return _flatten(
                [part.neutral(), part.normalize(pixels, UNIT_SQUARE), part.flip(unit), part.to_points2d(unit)]
            )
        case "audio_encoder":
            return _flatten([part(*inputs)])
        case "generator":
            return _flatten([part(*inputs, seed=3)])
        case "syncer":
            return _flatten([part.embed_motion(inputs[0]), part.embed_audio(inputs[1])])
        case "discriminator":
            return _flatten_named(part(*inputs))
        case "renderer":
            frames = part.frames([_to_motion(subject, inputs[0])], picture() if part.needs_image else None)
            return _flatten([torch.from_numpy(np.stack(list(frames))).float()])
        case "loss":
            return _flatten_named(part(loss_input(*inputs)))
        case "metric":
            values = part.figures([part.observe(metric_input(subject, part, inputs[0]))]).values
            return torch.tensor([values[name] for name in sorted(values)], dtype=torch.float64)
    try:
        return _flatten([part.detect(inputs[0].numpy())])
    except DetectorError:  # no face, or no file of weights: an output as well, the same each time
        return torch.zeros(0)


@torch.no_grad()
def output_on_fixed_inputs(subject: Subject, part: Any) -> Tensor:
    """Return the output of a part for its fixed inputs, as one vector."""
    return output_vector(subject, part, fixed_inputs(subject, part))


def _to_motion(subject: Subject, unit: Tensor) -> Motion:
    representation = subject.context.representation
    values = representation.denormalize(unit, UNIT_SQUARE)
    spec = representation.spec.model_dump(mode="json")
    return Motion(values, FPS, spec, UNIT_SQUARE, reference=values[0])


def _flatten_named(tensors: Mapping[str, Tensor]) -> Tensor:
    return _flatten([tensors[name] for name in sorted(tensors)])


def _flatten(tensors: list[Tensor]) -> Tensor:
    return torch.cat([tensor.flatten() for tensor in tensors])


def _rng(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)
