"""A small corpus of drawn faces with pictures, for tests of renderers that are trained."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
import torch

from ..data.clip import Clip
from ..data.pictures import encode_pictures
from ..data.shard_writer import write_shards
from ..data.synthetic.talking_faces import synthetic_clip
from ..renderers.picture_stream import picture_square
from ..representations.specs import Landmarks68Spec


def write_drawn_faces(folder: Path, edge: int = 32, clips: int = 4) -> Path:
    """Write clips of a second, each of another speaker: a disc with a mouth that opens with the loudness of the sound.

    Args:
        folder: of the corpus, new.
        edge: of the pictures (px).
        clips: how many.

    Returns:
        The folder.
    """
    face = Landmarks68Spec().build()

    def draw_clips() -> Iterator[Clip]:
        for seed in range(clips):
            clip = synthetic_clip(seed, seconds=1.0, speaker=seed)
            values = torch.from_numpy(clip.landmarks[..., :2].copy())
            unit = face.normalize(values, face.frame_of(values))
            landmarks = face.denormalize(unit, picture_square(edge, edge)).numpy()
            frames = encode_pictures(_draw(pose, seed, edge) for pose in landmarks)
            yield replace(clip, landmarks=landmarks, frames=frames, image_size=(edge, edge), distribute=True)

    return write_shards(folder, draw_clips(), representation={"type": "landmarks68"})


def _draw(pose: npt.NDArray[np.float32], seed: int, edge: int) -> npt.NDArray[np.uint8]:
    """Return a face ``[edge, edge, 3]``: jaw and lips, filled."""
    picture = np.full((edge, edge, 3), 40 * seed, np.uint8)
    cv2.fillConvexPoly(picture, cv2.convexHull(pose.astype(np.int32)), (200, 160, 140))
    cv2.fillPoly(picture, [pose[48:60].astype(np.int32)], (150, 40, 40))
    return picture
