"""A small corpus of synthetic faces with pictures and action units: a disc with a mouth that opens and closes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import torch
from headmotion_au.label_corpus import label_corpus

import headmotion as hm
from headmotion.data.clip import Clip
from headmotion.data.pictures import encode_pictures
from headmotion.data.shard_writer import write_shards
from headmotion.data.synthetic.talking_faces import synthetic_clip
from headmotion.renderers.picture_stream import picture_square

FACE = hm.resolve_spec("representation", "landmarks68").build()


def write_faces(folder: Path, edge: int = 32, clips: int = 3) -> Path:
    """Write clips of a second with landmarks and pictures of ``edge`` pixels."""

    def made() -> Iterator[Clip]:
        for seed in range(clips):
            clip = synthetic_clip(seed, seconds=1.0, speaker=seed)
            values = torch.from_numpy(clip.landmarks[..., :2].copy())
            unit = FACE.normalize(values, FACE.frame_of(values))
            landmarks = FACE.denormalize(unit, picture_square(edge, edge)).numpy()
            frames = encode_pictures(draw(pose, seed, edge) for pose in landmarks)
            yield replace(clip, landmarks=landmarks, frames=frames, image_size=(edge, edge), distribute=True)

    return write_shards(folder, made(), representation={"type": "landmarks68"})


def write_units(folder: Path) -> Path:
    """Write the same clips with action units of the landmarks' geometry as their motion."""
    return label_corpus(write_faces(folder / "faces"), folder / "units", quiet=True)


def draw(pose: np.ndarray, seed: int, edge: int) -> np.ndarray:
    """Return a face ``uint8 [edge, edge, 3]``: jaw and lips, filled."""
    picture = np.full((edge, edge, 3), 40 * seed, np.uint8)
    cv2.fillConvexPoly(picture, cv2.convexHull(pose.astype(np.int32)), (200, 160, 140))
    cv2.fillPoly(picture, [pose[48:60].astype(np.int32)], (150, 40, 40))
    return picture
