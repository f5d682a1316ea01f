"""A corpus whose pictures the renderer `portrait` drew of the bundled portrait, for a renderer to learn from."""

from __future__ import annotations

from fractions import Fraction
from importlib.resources import as_file, files
from pathlib import Path

import cv2
import numpy as np
import torch

import headmotion as hm
from headmotion.core.interfaces.renderer import Picture
from headmotion.core.interfaces.representation import UnitSquare
from headmotion.data.clip import Clip, sample_count
from headmotion.data.pictures import encode_pictures
from headmotion.data.shard_writer import write_shards
from headmotion.media.image import read_picture
from headmotion.renderers.picture_stream import crop_square

FACE = hm.resolve_spec("representation", "landmarks68").build()
FPS, EDGE, SMALL = Fraction(25), 128, 64
"""Frames per second, edge of the pictures that are drawn, and of those that are stored (px)."""


def portrait() -> tuple[Picture, torch.Tensor]:
    """The bundled portrait, cropped to its face, and its pose, both of `EDGE` pixels."""
    with as_file(files("headmotion") / "assets") as assets:
        picture = read_picture(assets / "portrait.png")
        pose = torch.from_numpy(np.load(assets / "portrait_landmarks.npz")["landmarks"][:, :2]).float()
    square = FACE.frame_of(pose)
    unit = FACE.normalize(pose, square)
    return crop_square(picture, square, (EDGE, EDGE)), FACE.denormalize(unit, UnitSquare(EDGE / 2, EDGE / 2, EDGE))


def curve(rng: np.random.Generator, frames: int, hz: float) -> torch.Tensor:
    """A smooth random curve of about -1..1, ``[T]``."""
    times, phases = np.arange(frames) / float(FPS), rng.uniform(0, 2 * np.pi, 3)
    return torch.from_numpy(np.mean([np.sin(2 * np.pi * hz * k * times + phases[k - 1]) for k in (1, 2, 3)], 0)).float()


def talking(pose: torch.Tensor, frames: int, seed: int) -> hm.Motion:
    """A face whose jaw drops, whose lips narrow and whose head sways."""
    rng = np.random.default_rng(seed)
    opening = (0.5 + curve(rng, frames, 1.6)).clamp(0, 1)[:, None]
    values = pose.expand(frames, -1, -1).clone()
    lips, jaw = list(FACE.groups["lips"]), list(FACE.groups["jaw"])
    middle = pose[lips].mean(0)
    lower = ((pose[lips, 1] - middle[1]) / 4).clamp(-0.2, 1)
    values[:, lips, 1] += 9 * opening * lower
    values[:, lips, 0] += 0.15 * curve(rng, frames, 0.8)[:, None] * (pose[lips, 0] - middle[0])
    chin = (1 - ((pose[jaw, 0] - middle[0]) / 25).square()).clamp(0, 1)
    values[:, jaw, 1] += 6 * opening * chin
    shift = torch.stack([6 * curve(rng, frames, 0.9), 4 * curve(rng, frames, 1.1)], dim=-1)
    return hm.Motion(values + shift[:, None], FPS, FACE.spec.model_dump(mode="json"), reference=pose)


def drawn(motion: hm.Motion, picture: Picture) -> list[Picture]:
    """The pictures of a motion, ``uint8 [SMALL, SMALL, 3]``."""
    renderer = hm.resolve_spec("renderer", "portrait").build(hm.BuildContext(FACE, 0))
    frames = renderer.frames([motion], picture)
    return [np.asarray(cv2.resize(frame, (SMALL, SMALL), interpolation=cv2.INTER_AREA), np.uint8) for frame in frames]


def write_drawn(folder: Path, clips: int = 7, frames: int = 30) -> Path:
    """Write the corpus; its last clip is of the split `val`."""
    picture, pose = portrait()

    def clip(number: int) -> Clip:
        motion = talking(pose, frames, number)
        rng = np.random.default_rng(number)
        loudness = np.repeat(curve(rng, frames, 1.3).numpy(), sample_count(1, FPS))
        audio = (0.1 * loudness * rng.normal(size=len(loudness))).clip(-1, 1).astype(np.float32)
        return Clip(
            f"clip{number}",
            "eileen",
            "val" if number == clips - 1 else "train",
            motion.values.numpy(),
            audio,
            FPS,
            frames=encode_pictures(drawn(motion, picture), quality=95),
            picture_box=(0.0, 0.0, float(EDGE)),
        )

    spec = FACE.spec.model_dump(mode="json")
    return write_shards(folder, map(clip, range(clips)), representation=spec)
