"""Inputs that checks share."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from fractions import Fraction
from importlib.resources import as_file, files
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ..core.audio_context import steps_between
from ..core.interfaces.metric import Metric, MetricInput, PicturePair
from ..core.interfaces.renderer import Picture, Renderer
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
    return to_motion(subject, poses(subject, 1, frames, seed)[0])


def drawn(
    subject: Subject, renderer: Renderer, chunks: Iterable[Motion], image: Picture | None = None
) -> Iterator[Picture]:
    """Return the frames of a renderer, with features of audio if it needs them; ``image`` None means `picture`."""
    image = picture() if image is None and renderer.needs_image else image
    if "audio" not in renderer.needs:
        return renderer.frames(chunks, image)
    lengths: deque[int] = deque()

    def parts() -> Iterator[Motion]:
        for chunk in chunks:
            lengths.append(len(chunk))
            yield chunk

    def blocks() -> Iterator[Tensor]:
        whole, start = features(subject, 1, 64), 0
        while lengths:
            stop = start + subject.context.steps_per_frame * lengths.popleft()
            yield whole[:, start:stop]
            start = stop

    return renderer.frames(parts(), image, None, blocks())


def picture_inputs(subject: Subject, renderer: Any, batch: int, frames: int) -> list[Tensor]:
    """Return identities, their poses, motion and, if needed, features: what `SupportsTraining.pictures` takes."""
    height, width = renderer.training_picture_size
    identity = torch.rand(batch, 3, height, width, generator=_rng(0))
    inputs = [identity, poses(subject, batch, 1, seed=1)[:, 0], poses(subject, batch, frames)]
    if "audio" not in renderer.needs:
        return inputs
    # The beginning of what `drawn` gives; fewer random numbers would be others.
    steps, (before, after) = subject.context.steps_per_frame, renderer.audio_context
    speech = features(subject, batch, 64)[:, : steps * frames]
    return [*inputs, steps_between(speech, -before * steps, (frames + after) * steps)]


def metric_input(subject: Subject, metric: Metric, values: Tensor, name: str = "clip") -> MetricInput:
    """Return a clip with every field that a metric may need, with noise as speech.

    Args:
        subject: gives the representation.
        metric: gives the number of frames of long motion.
        values: ``[4, T, P, D]`` in the unit square: generated, real, and two of other seeds.
        name: the clip's id.
    """
    generated, real, *others = (to_motion(subject, poses) for poses in values)
    samples = wave(int(generated.duration * SAMPLE_RATE), 1)[0]
    # Any motion of the right length does; most metrics need none.
    repeats = -(-metric.long_frames // len(generated))
    long = to_motion(subject, values[0].repeat(repeats, 1, 1)[: metric.long_frames]) if repeats else None
    pictures = _picture_pair(real, sum(name.encode())) if "pictures" in metric.needs else None
    return MetricInput(name, generated, real, Audio(samples, SAMPLE_RATE), tuple(others), long, pictures)


def _picture_pair(real: Motion, seed: int, frames: int = 3) -> PicturePair:
    """Return a few pictures of a face that grows brighter, and the same ones with noise."""
    face = torch.from_numpy(portrait()[::4, ::4].copy()).permute(2, 0, 1).float()
    recorded = (torch.linspace(0.8, 1.0, frames)[:, None, None, None] * face).round()
    noise = 10 * torch.randn(recorded.shape, generator=_rng(seed))
    drawn = (recorded + noise).round().clamp(0, 255)
    return PicturePair(drawn.to(torch.uint8), recorded.to(torch.uint8), real.values[:frames])


def assert_close(got: Tensor, expected: Tensor, what: str, tolerance: float = TOLERANCE) -> None:
    """Assert that two tensors agree; the message names the largest difference.

    Args:
        got: the tensor under test.
        expected: what it must equal.
        what: what is compared, for the message.
        tolerance: the largest difference; where numbers are larger than 1, relative to the largest of them.
    """
    assert got.shape == expected.shape, f"{what}: shape {list(got.shape)} is not {list(expected.shape)}"
    if not got.numel():
        return
    difference = (got - expected).detach().abs().max().item()
    # Rounding is relative to what is summed: numbers of a unit square are below 1, features may be far larger.
    largest = max(1.0, expected.detach().abs().max().item())
    assert difference <= tolerance * largest, f"{what}: the largest difference is {difference:.2g}"


def to_motion(subject: Subject, unit: Tensor) -> Motion:
    """Return poses ``[T, P, D]`` of the unit square as a motion in the pixels of `picture`."""
    representation = subject.context.representation
    values = representation.denormalize(unit, UNIT_SQUARE)
    spec = representation.spec.model_dump(mode="json")
    return Motion(values, FPS, spec, UNIT_SQUARE, reference=values[0])


def _rng(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)
