"""A talking head with known motion, speech for it, and one control of each kind."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import torch

import headmotion as hm
from headmotion import controls
from headmotion.controls.control import ControlContext
from headmotion.geometry.rotations import rotation_vector_to_matrix

SHARED = Path(__file__).parents[3] / "shared" / "data"
RATE = 16_000
SKULL = [*range(27, 36), 36, 39, 42, 45]
FACES: list[dict[str, Any]] = [{"type": "landmarks68", "dims": dims} for dims in (2, 3)]

IDENTITIES = [
    controls.scale_head(1.0),
    controls.scale_lips(1.0),
    controls.smooth(0),
    controls.blink(0),
    controls.look_at(0, 0),
]
CHANGES = [
    controls.scale_head(0.4),
    controls.scale_lips(1.5),
    controls.close_silence(),
    controls.smooth(130),
    controls.blink(40, seed=3),
    controls.look_at(20, -10),
    controls.hold_pose(),
    controls.limit(mouth=0.1, yaw=5, pitch=5, roll=5),
]


def by_type(control: object) -> str:
    return type(control).__name__


def neutral(face: dict[str, Any]) -> torch.Tensor:
    return hm.resolve_spec("representation", face).build().neutral() * 400 + 50  # type: ignore[attr-defined, no-any-return]


def wave(frames: int, fps: Fraction, seed: int) -> torch.Tensor:
    """Slow noise ``[frames]`` of about 1: a sum of sines, so that it is the same curve at every frame rate."""
    rng = np.random.default_rng(seed)
    t = torch.arange(frames).double() / float(fps)
    parts = zip(rng.uniform(0.2, 2.5, 6), rng.uniform(0, 6, 6), rng.normal(0, 0.6, 6), strict=True)
    return sum((a * torch.sin(2 * math.pi * f * t + p) for f, p, a in parts), torch.zeros(frames).double())


def talking(
    face: dict[str, Any] = FACES[0], frames: int = 60, fps: Fraction = Fraction(25), size: float = 1
) -> hm.Motion:
    """A head that turns, approaches, recedes and opens its mouth; computed in three dimensions, then projected."""
    head = neutral(FACES[1]).double()
    middle = head[SKULL].mean(0)
    shape = (head - middle).repeat(frames, 1, 1)
    opening = 14 * wave(frames, fps, 9).abs()[:, None]
    shape[:, 55:60, 1] += opening
    shape[:, 65:68, 1] += opening
    shape[:, 4:13, 1] += 0.6 * opening
    rotation = rotation_vector_to_matrix(size * torch.stack([0.12 * wave(frames, fps, k) for k in range(3)], 1))
    scale = 1 + 0.05 * size * wave(frames, fps, 4)
    shift = size * 20 * torch.stack([wave(frames, fps, 5 + k) for k in range(3)], 1)
    values = scale[:, None, None] * (shape @ rotation.mT) + middle + shift[:, None]
    dims = face["dims"]
    return hm.Motion(values[..., :dims].float(), fps, representation=face, reference=neutral(face))


def skull_points(values: torch.Tensor) -> torch.Tensor:
    return values[:, SKULL]


def mouth(values: torch.Tensor) -> torch.Tensor:
    """Opening in outer-eye distances."""
    return (values[:, 66] - values[:, 62]).norm(dim=-1) / (values[:, 45] - values[:, 36]).norm(dim=-1)


def speech(
    pattern: str, seconds: float = 1.0, rate: int = RATE, level: float = 0.3, noise: float = 0.001
) -> np.ndarray:
    """A buzz where the pattern has a letter and quiet noise where it has a dash, ``seconds`` each."""
    count = round(seconds * rate)
    t = np.arange(count * len(pattern)) / rate
    buzz = level * np.sign(np.sin(2 * np.pi * 140 * t)) * (0.6 + 0.4 * np.sin(2 * np.pi * 4 * t))
    on = np.repeat([c != "-" for c in pattern], count)
    room = np.random.default_rng(0).normal(0, noise, len(t))
    return (buzz * on + room).astype(np.float32)


def streamed(control: controls.Control, motion: hm.Motion, audio: np.ndarray, cuts: Sequence[int]) -> torch.Tensor:
    """Edit a motion in pieces, each with its speech up to 0.2 s ahead."""
    assert motion.reference is not None
    edit = control.start(ControlContext.from_motion(motion))
    bounds = [0, *sorted(min(cut, len(motion)) for cut in cuts), len(motion)]
    samples = [0, *(min(len(audio), int((Fraction(b) / motion.fps + Fraction(1, 5)) * RATE)) for b in bounds[1:-1])]
    samples.append(len(audio))
    edited = []
    for number, ((a, b), (c, d)) in enumerate(
        zip(itertools.pairwise(bounds), itertools.pairwise(samples), strict=True)
    ):
        edited.append(edit(motion.values[a:b], audio[c:d], number == len(bounds) - 2))
    return torch.cat(edited)
